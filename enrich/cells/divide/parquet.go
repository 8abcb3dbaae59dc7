package divide

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/parquet-go/parquet-go"
)

// table is a Parquet file. Its row groups are its units.
type table struct {
	path    string
	columns Columns
	size    int64
}

func openParquet(path string, columns Columns) (Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInput, err)
	}
	return &table{path, columns, info.Size()}, nil
}

func (t *table) Size() int64 { return t.size }

func (t *table) Units(ctx context.Context, each func(Unit) error) error {
	var sizes []int64
	var at [3]int
	err := t.open(func(file *parquet.File) (err error) {
		for _, g := range file.RowGroups() {
			sizes = append(sizes, g.NumRows())
		}
		at, err = t.find(file)
		return err
	})
	if err != nil {
		return err
	}
	first := int64(1)
	for i, rows := range sizes {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := each(&group{t, i, at, first, t.size / int64(len(sizes))}); err != nil {
			return err
		}
		first += rows
	}
	return nil
}

// open reads the file's footer and gives it to do. parquet-go answers a damaged
// file with a panic.
func (t *table) open(do func(*parquet.File) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %s: damaged parquet: %v", ErrInput, t.path, p)
		}
	}()
	file, err := os.Open(t.path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInput, err)
	}
	opened, err := parquet.OpenFile(file, info.Size(), parquet.SkipBloomFilters(true), parquet.SkipPageIndex(true))
	if err != nil {
		return fmt.Errorf("%w: %s: open parquet: %w", ErrInput, t.path, err)
	}
	if err := do(opened); err != nil {
		return fmt.Errorf("%s: %w", t.path, err)
	}
	return nil
}

// find is where the three columns are among the file's leaves.
func (t *table) find(file *parquet.File) ([3]int, error) {
	var names []string
	for _, column := range file.Schema().Columns() {
		names = append(names, column[len(column)-1])
	}
	at, err := t.columns.find(names)
	if err != nil {
		return at, err
	}
	for i, what := range []string{"latitude", "longitude"} {
		leaf, _ := file.Schema().Lookup(file.Schema().Columns()[at[i]]...)
		if kind := leaf.Node.Type().Kind(); kind != parquet.Double && kind != parquet.Float {
			return at, fmt.Errorf("%w: column %s is %v, a %s is DOUBLE or FLOAT", ErrInput, names[at[i]], kind, what)
		}
		if leaf.MaxRepetitionLevel > 0 {
			return at, fmt.Errorf("%w: column %s is a list", ErrInput, names[at[i]])
		}
	}
	return at, nil
}

// group is one row group.
type group struct {
	table *table
	index int
	at    [3]int
	first int64 // number of its first row in the file
	size  int64
}

func (g *group) Size() int64 { return g.size }

func (g *group) Rows(add func(lat, lon float64, photographer string), bad func(BadRow)) error {
	return g.table.open(func(file *parquet.File) error {
		rows := file.RowGroups()[g.index]
		var lat, lon, who column
		for i, c := range []*column{&lat, &lon, &who} {
			if g.at[i] >= 0 {
				c.pages = rows.ColumnChunks()[g.at[i]].Pages()
				defer c.pages.Close()
			}
		}
		for row := g.first; row < g.first+rows.NumRows(); row++ {
			a, errLat := lat.next()
			b, errLon := lon.next()
			w, errWho := who.next()
			if err := errors.Join(errLat, errLon, errWho); err != nil {
				return fmt.Errorf("%w: row %d: %w", ErrInput, row, err)
			}
			if a.IsNull() && b.IsNull() {
				bad(BadRow{Reason: reasonEmpty})
				continue
			}
			if a.IsNull() || b.IsNull() {
				bad(BadRow{File: g.table.path, Row: row, Reason: "half of a position is empty"})
				continue
			}
			wrong := wrongPosition(degreesOf(a), degreesOf(b))
			if wrong.Reason != "" {
				wrong.File, wrong.Row = g.table.path, row
				bad(wrong)
				continue
			}
			add(degreesOf(a), degreesOf(b), textOf(w))
		}
		return nil
	})
}

func degreesOf(v parquet.Value) float64 {
	if v.Kind() == parquet.Float {
		return float64(v.Float())
	}
	return v.Double()
}

// textOf names a photographer, whatever kind of column holds them.
func textOf(v parquet.Value) string {
	if v.IsNull() {
		return ""
	}
	return v.String()
}

// column walks the values of one column of a row group. One without pages is a
// column that nobody asked for: all null.
type column struct {
	pages  parquet.Pages
	values parquet.ValueReader
	buffer [1024]parquet.Value
	filled []parquet.Value
}

func (c *column) next() (parquet.Value, error) {
	if c.pages == nil {
		return parquet.Value{}, nil
	}
	for len(c.filled) == 0 {
		if c.values == nil {
			page, err := c.pages.ReadPage()
			if err != nil {
				return parquet.Value{}, fmt.Errorf("read page: %w", err)
			}
			c.values = page.Values()
		}
		n, err := c.values.ReadValues(c.buffer[:])
		if err != nil && !errors.Is(err, io.EOF) {
			return parquet.Value{}, fmt.Errorf("read values: %w", err)
		}
		if c.filled = c.buffer[:n]; err != nil {
			c.values = nil
		}
	}
	v := c.filled[0]
	c.filled = c.filled[1:]
	return v, nil
}
