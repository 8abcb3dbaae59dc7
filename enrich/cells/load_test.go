package cells

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/golang/geo/s2"
	"github.com/parquet-go/parquet-go"
)

func TestPublishedDivision(t *testing.T) {
	c, counted, err := Open("testdata/wherml_excerpt.tsv")
	if err != nil || counted {
		t.Fatal(counted, err)
	}
	if c.Len() != 201 {
		t.Fatalf("read %d cells, want 201", c.Len())
	}
	leaves := 0
	for i := range c.Len() {
		cell := c.At(i)
		if cell.ID.IsLeaf() {
			// Its coordinates are rounded, by more than its centimetre.
			leaves++
			continue
		}
		if got, ok := c.Find(cell.Lat, cell.Lon); !ok || got != i {
			t.Errorf("the mean location of row %d (%s) is found in row %d (%v)", i, cell.ID.ToToken(), got, ok)
		}
	}
	if leaves != 49 {
		t.Errorf("%d cells of level 30, want 49", leaves)
	}
}

func TestLoad(t *testing.T) {
	c, err := Load("../testdata/tiny/cells.parquet") // written by pyarrow
	if err != nil {
		t.Fatal(err)
	}
	if i, ok := c.Find(41.8902, 12.4922); !ok || i != 0 || c.At(i).Photos != 40 || c.Len() != 4 {
		t.Errorf("the Colosseum is in row %d (%v) of %d: %+v", i, ok, c.Len(), c.At(i))
	}
	want := Place{"IT", "Italy", "Lazio", 0.9}
	if got := c.At(0).Places; len(got) != 2 || got[0] != want {
		t.Errorf("Rome's places are %+v, want %+v first", got, want)
	}
}

// stored is a row as a maker writes it.
type stored struct {
	Cell   string  `parquet:"cell"`
	Lat    float64 `parquet:"lat"`
	Lon    float64 `parquet:"lon"`
	Level  int32   `parquet:"level"`
	Photos int64   `parquet:"photos"`
	Places string  `parquet:"places"`
}

func writeParquet[T any](t *testing.T, rows ...T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "cells.parquet")
	if err := parquet.WriteFile(path, rows); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestLoadRefuses(t *testing.T) {
	rome := stored{"132f7", 41.9028, 12.4964, 8, 40, `[{"country_code":"IT","country":"Italy","region":"Lazio","share":1}]`}
	with := func(change func(*stored)) string {
		r := rome
		change(&r)
		return writeParquet(t, r)
	}
	text := filepath.Join(t.TempDir(), "cells.parquet")
	if err := os.WriteFile(text, []byte("cell,lat,lon\n132f7,41.9,12.5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	type noPhotos struct {
		Cell     string `parquet:"cell"`
		Lat, Lon float64
	}
	type withoutPlaces struct {
		Cell   string  `parquet:"cell"`
		Lat    float64 `parquet:"lat"`
		Lon    float64 `parquet:"lon"`
		Level  int32   `parquet:"level"`
		Photos int64   `parquet:"photos"`
		Places *string `parquet:"places,optional"`
	}
	type textLat struct {
		Cell string `parquet:"cell"`
		Lat  string `parquet:"lat"`
	}
	tests := []struct{ name, path, want string }{
		{"a file that is not parquet", text, "open parquet"},
		{"a missing column", writeParquet(t, noPhotos{Cell: "132f7"}), `column "lat" is missing`},
		{"a column of another type", writeParquet(t, textLat{"132f7", "41.9"}), `column "lat" is BYTE_ARRAY, want DOUBLE`},
		{"a value that is null", writeParquet(t, withoutPlaces{"132f7", 41.9028, 12.4964, 8, 40, nil}), `row 0: column "places" is empty`},
		{"a misspelt token", with(func(r *stored) { r.Cell = "132G7" }), `row 0 (132G7)`},
		{"a level that is not the cell's", with(func(r *stored) { r.Level = 9 }), "level column says 9, the cell is level 8"},
		{"places that are not JSON", with(func(r *stored) { r.Places = "Italy" }), "not a JSON array"},
		{"no rows", writeParquet[stored](t), "not a single row"},
		{"cells that overlap", writeParquet(t, rome, rome), "must not overlap"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Load(tt.path)
			if !errors.Is(err, ErrCells) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrCells with %q", err, tt.want)
			}
		})
	}
	if _, err := Load("nowhere.parquet"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestLoadTakesRowsWithoutPlaces(t *testing.T) {
	c, err := Load(writeParquet(t, stored{"132f7", 41.9028, 12.4964, 8, 40, ""}))
	if err != nil || c.At(0).Places != nil {
		t.Errorf("got %v, %v", c, err)
	}
}

// BenchmarkFind looks up places all over the earth in no order.
func BenchmarkFind(b *testing.B) {
	c := mustNew(b, spread(b, 24_000)...)
	type place struct{ lat, lon float64 }
	places := make([]place, 4096)
	leaves := make([]ID, len(places))
	for i := range places {
		cell := c.At(i * 7919 % c.Len())
		places[i] = place{cell.Lat, cell.Lon}
		leaves[i], _ = Leaf(cell.Lat, cell.Lon)
	}
	b.Run("leaf", func(b *testing.B) {
		for i := range b.N {
			if _, ok := c.FindID(leaves[i%len(leaves)]); !ok {
				b.Fatal("not found")
			}
		}
	})
	b.Run("coordinates", func(b *testing.B) {
		for i := range b.N {
			p := places[i%len(places)]
			if _, ok := c.Find(p.lat, p.lon); !ok {
				b.Fatal("not found")
			}
		}
	})
}

// spread is a division with at least n cells: every level-6 cell, in order.
func spread(t testing.TB, n int) []Cell {
	t.Helper()
	var rows []Cell
	const level = 6
	for face := range 6 {
		id := s2.CellIDFromFace(face).ChildBeginAtLevel(level)
		for end := s2.CellIDFromFace(face).ChildEndAtLevel(level); id != end; id = id.Next() {
			ll := id.LatLng()
			rows = append(rows, Cell{ID: id, Lat: ll.Lat.Degrees(), Lon: ll.Lng.Degrees(), Photos: 1})
		}
	}
	if len(rows) < n {
		t.Fatalf("made %d cells", len(rows))
	}
	return rows
}
