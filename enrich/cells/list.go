package cells

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
)

// Open reads cells from a file of either kind: what Load reads, or a list of
// lines with a token, a latitude and a longitude, apart by tabs or commas, as
// divisions are published. A list says nothing of photos: counted is false, and
// every cell has one.
func Open(path string) (c *Cells, counted bool, err error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, false, fmt.Errorf("open cells: %w", err)
	}
	defer file.Close()
	content := bufio.NewReader(file)
	if magic, _ := content.Peek(4); string(magic) == "PAR1" {
		c, err = load(file)
		return c, true, err
	}
	text, err := io.ReadAll(content)
	if err != nil {
		return nil, false, fmt.Errorf("%w: read: %w", ErrCells, err)
	}
	c, err = parseList(text)
	return c, false, err
}

func parseList(text []byte) (*Cells, error) {
	lines := csv.NewReader(bytes.NewReader(text))
	if line, _, _ := bytes.Cut(text, []byte{'\n'}); bytes.IndexByte(line, '\t') >= 0 {
		lines.Comma = '\t'
	}
	lines.FieldsPerRecord = 3
	var rows []Cell
	for {
		fields, err := lines.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: neither parquet nor a list of token, latitude and longitude: %w", ErrCells, err)
		}
		row, err := listed(fields)
		if err != nil {
			line, _ := lines.FieldPos(0)
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b Cell) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return New(rows)
}

func listed(fields []string) (Cell, error) {
	id, err := ParseToken(fields[0])
	if err != nil {
		return Cell{}, err
	}
	lat, errLat := strconv.ParseFloat(fields[1], 64)
	lon, errLon := strconv.ParseFloat(fields[2], 64)
	if errLat != nil || errLon != nil {
		return Cell{}, fmt.Errorf("%w: %q, %q is not a position", ErrCells, fields[1], fields[2])
	}
	return Cell{ID: id, Lat: lat, Lon: lon, Photos: 1}, nil
}
