package cells

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/golang/geo/s2"
	"pgregory.net/rapid"
)

// centreCell is the cell a token names, with its photos at its centre.
func centreCell(t testing.TB, token string, photos int64) Cell {
	t.Helper()
	id, err := ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	ll := id.LatLng()
	return Cell{ID: id, Lat: ll.Lat.Degrees(), Lon: ll.Lng.Degrees(), Photos: photos}
}

func mustNew(t testing.TB, rows ...Cell) *Cells {
	t.Helper()
	c, err := New(rows)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestNewRefuses(t *testing.T) {
	rome, paris := centreCell(t, "132f7", 1), centreCell(t, "47e67", 1)
	with := func(c Cell, change func(*Cell)) Cell { change(&c); return c }
	tests := []struct {
		name string
		rows []Cell
		want string
	}{
		{"a table without rows", nil, "not a single row"},
		{"rows in another order", []Cell{paris, rome}, "row 1 (132f7) does not come after row 0 (47e67)"},
		{"the same cell twice", []Cell{rome, rome}, "must not overlap"},
		{"a cell and its parent", []Cell{rome, with(rome, func(c *Cell) { c.ID = c.ID.Parent(5) })}, "must not overlap"},
		{"a number that is no cell", []Cell{{ID: 7 << 61, Photos: 1}}, "not a valid S2 cell"},
		{"a latitude that is no number", []Cell{with(rome, func(c *Cell) { c.Lat = math.NaN() })}, "not on the earth"},
		{"a longitude beyond the antimeridian", []Cell{with(rome, func(c *Cell) { c.Lon = 540 })}, "not on the earth"},
		{"a class without photos", []Cell{with(rome, func(c *Cell) { c.Photos = 0 })}, "needs at least one"},
		{"Rome with the location of Paris", []Cell{with(rome, func(c *Cell) { c.Lat, c.Lon = paris.Lat, paris.Lon })}, "km outside the cell"},
		{"latitude and longitude swapped", []Cell{with(rome, func(c *Cell) { c.Lat, c.Lon = c.Lon, c.Lat })}, "km outside the cell"},
		{"a share of nothing", []Cell{with(rome, func(c *Cell) { c.Places = []Place{{Share: 0}} })}, "shares must be"},
		{"a share that is no number", []Cell{with(rome, func(c *Cell) { c.Places = []Place{{Share: math.NaN()}} })}, "shares must be"},
		{"shares of more than everything", []Cell{with(rome, func(c *Cell) { c.Places = []Place{{Share: .7}, {Share: .7}} })}, "add up to 1.4"},
		{"the smaller share first", []Cell{with(rome, func(c *Cell) { c.Places = []Place{{Share: .3}, {Share: .7}} })}, "greatest first"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(tt.rows)
			if !errors.Is(err, ErrCells) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrCells with %q", err, tt.want)
			}
		})
	}
}

func TestFind(t *testing.T) {
	c := mustNew(t, centreCell(t, "132f7", 40), centreCell(t, "47e67", 30), centreCell(t, "6fd", 1), centreCell(t, "703", 1), centreCell(t, "89c25", 20))
	tests := []struct {
		name     string
		lat, lon float64
		want     string // "" = none
	}{
		{"the Colosseum is in the cell of Rome", 41.8902, 12.4922, "132f7"},
		{"the Louvre is in the cell of Paris", 48.8606, 2.3376, "47e67"},
		{"Central Park is in the cell of New York", 40.7829, -73.9654, "89c25"},
		{"Berlin is in none", 52.52, 13.405, ""},
		{"the middle of the Atlantic is in none", 0, -30, ""},
		{"not a number", math.NaN(), 12, ""},
		{"infinity", math.Inf(1), math.Inf(-1), ""},
		{"beyond the pole", 91, 0, ""},
		{"once around and back to Rome is not Rome", 41.8902, 12.4922 + 360, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := ""
			if i, ok := c.Find(tt.lat, tt.lon); ok {
				got = c.At(i).ID.ToToken()
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFindIDWantsContainment(t *testing.T) {
	rome := centreCell(t, "132f7", 1)
	c := mustNew(t, rome)
	for _, tt := range []struct {
		name string
		id   ID
		want bool
	}{
		{"the cell itself", rome.ID, true},
		{"a child", rome.ID.Children()[2], true},
		{"its first leaf", rome.ID.RangeMin(), true},
		{"its last leaf", rome.ID.RangeMax(), true},
		{"the leaf before", rome.ID.RangeMin().Prev(), false},
		{"the leaf after", rome.ID.RangeMax().Next(), false},
		{"its parent", rome.ID.Parent(7), false},
	} {
		if _, got := c.FindID(tt.id); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}

// drawCells is a random division: cells at many levels, disjoint, with gaps.
func drawCells(t *rapid.T) *Cells {
	ids := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) ID {
		p := drawPoint(t)
		return s2.CellIDFromLatLng(p).Parent(rapid.IntRange(0, 30).Draw(t, "level"))
	}), 1, 40).Draw(t, "cells")
	slices.Sort(ids)
	var rows []Cell
	for _, id := range ids {
		if len(rows) > 0 && id.RangeMin() <= rows[len(rows)-1].ID.RangeMax() {
			continue
		}
		ll := s2.LatLngFromPoint(id.Point())
		rows = append(rows, Cell{ID: id, Lat: ll.Lat.Degrees(), Lon: ll.Lng.Degrees(), Photos: rapid.Int64Range(1, 1e6).Draw(t, "photos")})
	}
	c, err := New(rows)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func drawPoint(t *rapid.T) s2.LatLng {
	return s2.LatLngFromDegrees(rapid.Float64Range(-90, 90).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lon"))
}

func TestFindAgreesWithSearchingEveryRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCells(t)
		leaf := s2.CellIDFromLatLng(drawPoint(t))
		if rapid.Bool().Draw(t, "inside") {
			id := c.At(rapid.IntRange(0, c.Len()-1).Draw(t, "row")).ID
			leaf = id.RangeMin() + ID(2*rapid.Uint64Range(0, uint64(id.RangeMax()-id.RangeMin())/2).Draw(t, "leaf"))
		}
		want := -1
		for i := range c.Len() {
			if c.At(i).ID.Contains(leaf) {
				want = i
			}
		}
		got, ok := c.FindID(leaf)
		if ok != (want >= 0) || ok && got != want {
			t.Fatalf("found row %d (%v), every row says %d", got, ok, want)
		}
	})
}

func TestWithinAgreesWithAskingEveryRow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCells(t)
		id := c.At(rapid.IntRange(0, c.Len()-1).Draw(t, "row")).ID
		if rapid.Bool().Draw(t, "finer") && !id.IsLeaf() {
			id = id.Children()[rapid.IntRange(0, 3).Draw(t, "child")]
		} else {
			id = id.Parent(rapid.IntRange(0, id.Level()).Draw(t, "level"))
		}
		lo, hi := c.Within(id)
		for i := range c.Len() {
			if got, want := i >= lo && i < hi, id.Contains(c.At(i).ID); got != want {
				t.Fatalf("row %d within %s: got %v, want %v", i, id.ToToken(), got, want)
			}
		}
	})
}

func TestBusiestIsTheFirstOfEquals(t *testing.T) {
	c := mustNew(t, centreCell(t, "132f7", 3), centreCell(t, "47e67", 9), centreCell(t, "89c25", 9))
	if got := c.Busiest(); got != 1 {
		t.Errorf("got row %d, want 1", got)
	}
}
