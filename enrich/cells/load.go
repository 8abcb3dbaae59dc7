package cells

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/golang/geo/s2"
	"github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/format"
)

// row is one row of cells.parquet. Places is JSON, so that the file stays flat
// and any parquet reader can look at it.
type row struct {
	cell     string
	lat, lon float64
	level    int32
	photos   int64
	places   string
	radius   float64
}

// column is a column that is read into an R, and its physical type.
type column[R any] struct {
	name     string
	kind     parquet.Kind
	set      func(*R, parquet.Value)
	optional bool
}

// columns are those of cells.parquet.
var columns = []column[row]{
	{"cell", parquet.ByteArray, func(r *row, v parquet.Value) { r.cell = string(v.ByteArray()) }, false},
	{"lat", parquet.Double, func(r *row, v parquet.Value) { r.lat = v.Double() }, false},
	{"lon", parquet.Double, func(r *row, v parquet.Value) { r.lon = v.Double() }, false},
	{"level", parquet.Int32, func(r *row, v parquet.Value) { r.level = v.Int32() }, false},
	{"photos", parquet.Int64, func(r *row, v parquet.Value) { r.photos = v.Int64() }, false},
	{"places", parquet.ByteArray, func(r *row, v parquet.Value) { r.places = string(v.ByteArray()) }, false},
	{"radius_p50_m", parquet.Double, func(r *row, v parquet.Value) { r.radius = v.Double() }, true},
}

// Load reads cells.parquet: columns cell (S2 token), lat, lon (degrees, mean
// location of the cell's training photos), level, photos, places (JSON array of
// Place) and, where the file has it, radius_p50_m. Every refusal is ErrCells
// with the row and the reason.
func Load(path string) (*Cells, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open cells: %w", err)
	}
	defer file.Close()
	return load(file)
}

func load(file *os.File) (*Cells, error) {
	stored, err := readRows(file, columns)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCells, err)
	}
	rows := make([]Cell, len(stored))
	for i, r := range stored {
		if rows[i], err = r.decode(); err != nil {
			return nil, fmt.Errorf("%w: row %d (%s): %w", ErrCells, i, r.cell, err)
		}
	}
	return New(rows)
}

// readRows takes the table value by value and looks at the kind of each: the
// reader that fills structs takes a damaged file's word for what a column holds.
func readRows[R any](file *os.File, columns []column[R]) (rows []R, err error) {
	// parquet-go trusts lengths and offsets; of a damaged file it says so by a
	// panic.
	defer func() {
		if p := recover(); p != nil {
			rows, err = nil, fmt.Errorf("read damaged parquet: %v", p)
		}
	}()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("stat: %w", err)
	}
	table, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		return nil, fmt.Errorf("open parquet: %w", err)
	}
	if err := errors.Join(checkColumns(table, columns), checkCodecs(table)); err != nil {
		return nil, err
	}
	for _, group := range table.RowGroups() {
		if rows, err = readGroup(rows, table, columns, group); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

func checkColumns[R any](table *parquet.File, columns []column[R]) error {
	for _, want := range columns {
		leaf, ok := table.Schema().Lookup(want.name)
		if !ok && want.optional {
			continue
		}
		if !ok {
			return fmt.Errorf("column %q is missing", want.name)
		}
		if got := leaf.Node.Type().Kind(); got != want.kind {
			return fmt.Errorf("column %q is %v, want %v", want.name, got, want.kind)
		}
	}
	return nil
}

// checkCodecs admits the codec that bundles are made with, and none. parquet-go answers damaged LZ4 with a buffer of twice
// the size, until there is no memory left.
func checkCodecs(table *parquet.File) error {
	for _, group := range table.Metadata().RowGroups {
		for _, column := range group.Columns {
			if codec := column.MetaData.Codec; codec != format.Snappy && codec != format.Uncompressed {
				return fmt.Errorf("compressed with %v, want snappy or nothing", codec)
			}
		}
	}
	return nil
}

func readGroup[R any](rows []R, table *parquet.File, columns []column[R], group parquet.RowGroup) ([]R, error) {
	reader := group.Rows()
	defer reader.Close()
	batch := make([]parquet.Row, 256)
	for {
		n, err := reader.ReadRows(batch)
		for _, values := range batch[:n] {
			r, err := rowOf(table, columns, values)
			if err != nil {
				return nil, fmt.Errorf("row %d: %w", len(rows), err)
			}
			rows = append(rows, r)
		}
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if n == 0 && err == nil {
			err = io.ErrNoProgress
		}
		if err != nil {
			return nil, fmt.Errorf("read row %d: %w", len(rows), err)
		}
	}
}

func rowOf[R any](table *parquet.File, columns []column[R], values parquet.Row) (R, error) {
	var r R
	for _, want := range columns {
		leaf, ok := table.Schema().Lookup(want.name) // checkColumns has seen it
		if !ok {
			continue
		}
		i := slices.IndexFunc(values, func(v parquet.Value) bool { return v.Column() == leaf.ColumnIndex })
		if i < 0 || values[i].IsNull() {
			return r, fmt.Errorf("column %q is empty", want.name)
		}
		if got := values[i].Kind(); got != want.kind {
			return r, fmt.Errorf("column %q holds %v, want %v", want.name, got, want.kind)
		}
		want.set(&r, values[i])
	}
	return r, nil
}

func (r row) decode() (Cell, error) {
	id, err := ParseToken(r.cell)
	if err != nil {
		return Cell{}, err
	}
	if id.Level() != int(r.level) {
		return Cell{}, fmt.Errorf("level column says %d, the cell is level %d", r.level, id.Level())
	}
	cell := Cell{ID: id, Lat: r.lat, Lon: r.lon, Photos: r.photos, RadiusP50: r.radius}
	if r.places == "" {
		return cell, nil
	}
	if err := json.Unmarshal([]byte(r.places), &cell.Places); err != nil {
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
