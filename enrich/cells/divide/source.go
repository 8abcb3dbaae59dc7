package divide

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
)

// Source hands out coordinates in units that may be read side by side.
type Source interface {
	// Units calls each for one unit after the other, until there are none or
	// each returns an error. A unit must not be used after ctx ended.
	Units(ctx context.Context, each func(Unit) error) error
	// Size is the sum of all units' sizes; 0 if nobody knows.
	Size() int64
}

// Unit is a part of a source: some megabytes of a CSV file, a row group of a
// Parquet file, a million simulated points.
type Unit interface {
	// Rows calls add for every row in order, and bad for those that hold no
	// position. An error means that the rest of the unit cannot be read.
	Rows(add func(lat, lon float64, photographer string), bad func(BadRow)) error
	// Size is the unit's share of its source's Size.
	Size() int64
}

// BadRow is a row that is not a position, and why.
type BadRow struct {
	File   string `json:"file"`
	Row    int64  `json:"row"` // line of a CSV file, row of a Parquet file, from 1
	Reason string `json:"reason"`
	Text   string `json:"text"` // what the row holds instead, cut short
	swap   bool   // it would be one with latitude and longitude exchanged
}

// Columns says where a file keeps its coordinates: a name or, for a file
// without names, a number from 1. Empty latitude and longitude are looked for
// under their usual names; an empty Photographer means that nobody knows.
type Columns struct {
	Lat          string `json:"lat,omitempty"`
	Lon          string `json:"lon,omitempty"`
	Photographer string `json:"photographer,omitempty"`
}

// names are the columns to look for, in the order lat, lon, photographer.
func (c Columns) names() [3][]string {
	usual := func(given string, usual ...string) []string {
		if given != "" {
			return []string{given}
		}
		return usual
	}
	return [3][]string{
		usual(c.Lat, "lat", "latitude"),
		usual(c.Lon, "lon", "lng", "long", "longitude"),
		usual(c.Photographer),
	}
}

// find is where in header the three columns are, -1 for a photographer nobody
// asked for.
func (c Columns) find(header []string) ([3]int, error) {
	var at [3]int
	for i, names := range c.names() {
		at[i] = -1
		for n, column := range header {
			for _, name := range names {
				if at[i] < 0 && strings.EqualFold(strings.TrimSpace(strings.TrimPrefix(column, "\ufeff")), name) {
					at[i] = n
				}
			}
		}
		if at[i] < 0 && len(names) > 0 {
			return at, fmt.Errorf("%w: no column %s among %s: name it, or number it where the file has no header",
				ErrInput, strings.Join(names, " or "), strings.Join(header, ", "))
		}
	}
	return at, nil
}

// Open makes a source of files: *.parquet is Parquet, everything else is text
// with commas (or tabs, if the first line has them), "-" is stdin.
func Open(paths []string, columns Columns) (Source, error) {
	var all files
	for _, path := range paths {
		one, err := openOne(path, columns)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

func openOne(path string, columns Columns) (Source, error) {
	if strings.EqualFold(filepath.Ext(path), ".parquet") {
		return openParquet(path, columns)
	}
	return openText(path, columns)
}

// files are sources one after the other.
type files []Source

func (f files) Units(ctx context.Context, each func(Unit) error) error {
	for _, s := range f {
		if err := s.Units(ctx, each); err != nil {
			return err
		}
	}
	return nil
}

func (f files) Size() int64 {
	total := int64(0)
	for _, s := range f {
		if s.Size() == 0 {
			return 0
		}
		total += s.Size()
	}
	return total
}
