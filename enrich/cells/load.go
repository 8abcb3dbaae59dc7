package cells

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/golang/geo/s2"
	"github.com/parquet-go/parquet-go"
)

// row is one row of cells.parquet. Places is JSON, so that the file stays flat
// and any parquet reader can look at it.
type row struct {
	Cell   string  `parquet:"cell"`
	Lat    float64 `parquet:"lat"`
	Lon    float64 `parquet:"lon"`
	Level  int32   `parquet:"level"`
	Photos int64   `parquet:"photos"`
	Places string  `parquet:"places"`
}

// columns are row's columns and their physical types.
var columns = []struct {
	name string
	kind parquet.Kind
}{
	{"cell", parquet.ByteArray},
	{"lat", parquet.Double},
	{"lon", parquet.Double},
	{"level", parquet.Int32},
	{"photos", parquet.Int64},
	{"places", parquet.ByteArray},
}

// Load reads cells.parquet: columns cell (S2 token), lat, lon (degrees, mean
// location of the cell's training photos), level, photos and places (JSON
// array of Place). Every refusal is ErrCells with the row and the reason.
func Load(path string) (*Cells, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open cells: %w", err)
	}
	defer file.Close()
	stored, err := readRows(file)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCells, err)
	}
	rows := make([]Cell, len(stored))
	for i, r := range stored {
		if rows[i], err = r.decode(); err != nil {
			return nil, fmt.Errorf("%w: row %d (%s): %w", ErrCells, i, r.Cell, err)
		}
	}
	return New(rows)
}

func readRows(file *os.File) ([]row, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat: %w", err)
	}
	table, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("open parquet: %w", err)
	}
	// The reader fills a column it does not find with zeros and converts what
	// it does not expect, so the columns are looked at first.
	for _, want := range columns {
		leaf, ok := table.Schema().Lookup(want.name)
		if !ok {
			return nil, fmt.Errorf("column %q is missing", want.name)
		}
		if got := leaf.Node.Type().Kind(); got != want.kind {
			return nil, fmt.Errorf("column %q is %v, want %v", want.name, got, want.kind)
		}
	}
	reader := parquet.NewGenericReader[row](table)
	defer reader.Close()
	rows := make([]row, table.NumRows())
	if n, err := reader.Read(rows); n != len(rows) || err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("read row %d of %d: %w", n, len(rows), err)
	}
	return rows, nil
}

func (r row) decode() (Cell, error) {
	id, err := ParseToken(r.Cell)
	if err != nil {
		return Cell{}, err
	}
	if id.Level() != int(r.Level) {
		return Cell{}, fmt.Errorf("level column says %d, the cell is level %d", r.Level, id.Level())
	}
	cell := Cell{ID: id, Lat: r.Lat, Lon: r.Lon, Photos: r.Photos}
	if r.Places == "" {
		return cell, nil
	}
	if err := json.Unmarshal([]byte(r.Places), &cell.Places); err != nil {
		return Cell{}, fmt.Errorf("places are not a JSON array of places: %w", err)
	}
	return cell, nil
}

// ParseToken is the cell a token names. S2 itself gives a misspelt token the
// id 0 and accepts ids that are no cell.
func ParseToken(token string) (ID, error) {
	id := s2.CellIDFromToken(token)
	if !id.IsValid() || id.ToToken() != token {
		return 0, fmt.Errorf("%w: %q is not an S2 cell token", ErrCells, token)
	}
	return id, nil
}
