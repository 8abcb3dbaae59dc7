package wrap

import (
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"

	"planetag/enrich/cells"
)

// ErrClasses marks a table of classes that cannot be used. The message names the line and what is wrong with it.
var ErrClasses = errors.New("read classes")

// place is where one class is.
type place struct {
	label    int
	id       cells.ID // 0 where the classes are points
	lat, lon float64
	photos   int64
}

// classes are in the order of the network's outputs.
type classes struct {
	rows  []place
	cells bool // the table says which S2 cells they are
}

// columnNames are what a column may be called.
func columnNames(what string) []string {
	return map[string][]string{
		"class_label": {"class_label"}, "hex_id": {"hex_id"}, "lat": {"lat", "latitude", "latitude_mean"},
		"lon": {"lon", "lng", "longitude", "longitude_mean"}, "photos": {"photos", "imgs_per_cell"},
	}[what]
}

// readClasses reads a CSV with class_label and hex_id, an S2 token, or with class_label, lat and lon.
func readClasses(path string) (classes, error) {
	file, err := os.Open(path)
	if err != nil {
		return classes{}, fmt.Errorf("%w: %w", ErrClasses, err)
	}
	defer file.Close()
	lines := csv.NewReader(file)
	header, err := lines.Read()
	if err != nil {
		return classes{}, fmt.Errorf("%w: %s has no header: %w", ErrClasses, path, err)
	}
	at := map[string]int{}
	for _, what := range []string{"class_label", "hex_id", "lat", "lon", "photos"} {
		at[what] = slices.IndexFunc(header, func(name string) bool {
			return slices.Contains(columnNames(what), strings.ToLower(strings.TrimSpace(strings.TrimPrefix(name, "\ufeff"))))
		})
	}
	if at["class_label"] < 0 || at["hex_id"] < 0 && (at["lat"] < 0 || at["lon"] < 0) {
		return classes{}, fmt.Errorf("%w: %s has the columns %s, want class_label, and hex_id or lat and lon", ErrClasses, path, strings.Join(header, ", "))
	}
	c := classes{cells: at["hex_id"] >= 0}
	for {
		record, err := lines.Read()
		if errors.Is(err, io.EOF) {
			return c, c.check(path)
		}
		line, _ := lines.FieldPos(0)
		var row place
		if err == nil {
			row, err = placeOf(func(what string) (string, bool) {
				if at[what] < 0 {
					return "", false
				}
				return strings.TrimSpace(record[at[what]]), true
			})
		}
		if err != nil {
			return classes{}, fmt.Errorf("%w: %s, line %d: %w", ErrClasses, path, line, err)
		}
		c.rows = append(c.rows, row)
	}
}

// placeOf reads one line, of which field says what a column holds, if there is one.
func placeOf(field func(what string) (string, bool)) (p place, err error) {
	label, _ := field("class_label")
	if p.label, err = strconv.Atoi(label); err != nil {
		return p, fmt.Errorf("class_label %q is no whole number", label)
	}
	if token, ok := field("hex_id"); ok {
		if p.id, err = cells.ParseToken(strings.ToLower(token)); err != nil {
			return p, err
		}
		p.lat, p.lon = cells.Centre(p.id)
	}
	lat, has := field("lat")
	lon, both := field("lon")
	if has && both {
		var other error
		p.lat, err = strconv.ParseFloat(lat, 64)
		p.lon, other = strconv.ParseFloat(lon, 64)
		if errors.Join(err, other) != nil || !cells.Valid(p.lat, p.lon) {
			return p, fmt.Errorf("%q, %q is no position on the earth", lat, lon)
		}
	}
	p.photos = 1
	if text, ok := field("photos"); ok {
		if p.photos, err = strconv.ParseInt(text, 10, 64); err != nil {
			return p, fmt.Errorf("number of photos %q is no whole number", text)
		}
		p.photos = max(p.photos, 1)
	}
	return p, nil
}

// check sorts the classes by their label, of which each from 0 must be there once.
func (c *classes) check(path string) error {
	slices.SortStableFunc(c.rows, func(a, b place) int { return cmp.Compare(a.label, b.label) })
	for i, row := range c.rows {
		if row.label != i {
			return fmt.Errorf("%w: %s: class_label must be each of 0 to %d once, %d is missing or twice there", ErrClasses, path, len(c.rows)-1, min(i, row.label))
		}
	}
	if len(c.rows) == 0 {
		return fmt.Errorf("%w: %s has no class", ErrClasses, path)
	}
	return nil
}

// order is the class of each number that the graph answers with: rows of cells.parquet are sorted by S2 id, places stay.
func (c *classes) order() []int {
	order := make([]int, len(c.rows))
	for i := range order {
		order[i] = i
	}
	if c.cells {
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(c.rows[a].id, c.rows[b].id) })
	}
	return order
}
