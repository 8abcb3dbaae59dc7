package cells

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

const galleryFile = "../testdata/gallery/gallery.parquet" // written by pyarrow

func TestLoadGallery(t *testing.T) {
	spots, err := LoadGallery(galleryFile)
	if err != nil || len(spots) != 9 || spots[1] != (Spot{41.8902, 12.4922}) {
		t.Fatal(spots, err)
	}
}

func TestLoadGalleryRefuses(t *testing.T) {
	nan := math.NaN()
	type spot struct {
		Lat float64 `parquet:"lat"`
		Lon float64 `parquet:"lon"`
	}
	write := func(t *testing.T, rows any) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "gallery.parquet")
		var err error
		switch rows := rows.(type) {
		case []spot:
			err = parquet.WriteFile(path, rows)
		case string:
			err = os.WriteFile(path, []byte(rows), 0o600)
		case []struct {
			Lat float32 `parquet:"lat"`
			Lon float32 `parquet:"lon"`
		}:
			err = parquet.WriteFile(path, rows)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	for _, tt := range []struct {
		name, want string
		rows       any
	}{
		{"a pole and a half", "row 1: 91, 0 is not on the earth", []spot{{1, 1}, {91, 0}}},
		{"a day and a half", "row 0: 0, 540 is not on the earth", []spot{{0, 540}}},
		{"no number", "is not on the earth", []spot{{nan, 0}}},
		{"nothing", "not a single row", []spot{}},
		{"short numbers", `column "lat" is FLOAT, want DOUBLE`, []struct {
			Lat float32 `parquet:"lat"`
			Lon float32 `parquet:"lon"`
		}{{1, 2}}},
		{"text", "open parquet", "lat,lon\n1,2\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			spots, err := LoadGallery(write(t, tt.rows))
			if !errors.Is(err, ErrGallery) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, %v, want %q", spots, err, tt.want)
			}
		})
	}
	if _, err := LoadGallery("nowhere.parquet"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
}

func TestAssign(t *testing.T) {
	table, err := Load("../testdata/tiny/cells.parquet")
	if err != nil {
		t.Fatal(err)
	}
	spots, err := LoadGallery(galleryFile)
	if err != nil {
		t.Fatal(err)
	}
	rows, strays, farthest := table.Assign(spots)
	want := []int{1, 0, 3, 0, 2, 1, 3, 0, 2}
	for i, row := range rows {
		if row != want[i] {
			t.Errorf("place %d is in row %d, want %d", i, row, want[i])
		}
	}
	if strays != 1 || math.Abs(farthest-393e3) > 1e3 {
		t.Errorf("%d strays, the farthest %v m away; want one, 393 km", strays, farthest)
	}
	// New Zealand is nearest to Sydney across nothing, Samoa across the antimeridian.
	rows, strays, _ = table.Assign([]Spot{{-36.85, 174.76}, {-13.8, -171.8}})
	if rows[0] != 2 || rows[1] != 2 || strays != 2 {
		t.Errorf("got %v, %d strays", rows, strays)
	}
}

// TestEverySpotBelongsToItsCellOrToTheNearest holds Assign against the slow way.
func TestEverySpotBelongsToItsCellOrToTheNearest(t *testing.T) {
	table, err := Load("../testdata/tiny/cells.parquet")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		s := Spot{rapid.Float64Range(-90, 90).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lon")}
		rows, strays, farthest := table.Assign([]Spot{s})
		if in, ok := table.Find(s.Lat, s.Lon); ok {
			if rows[0] != in || strays != 0 || farthest != 0 {
				t.Fatalf("in row %d, given to %d", in, rows[0])
			}
			return
		}
		got := table.At(rows[0])
		for i := range table.Len() {
			other := table.At(i)
			if DistanceMetres(s.Lat, s.Lon, other.Lat, other.Lon) < DistanceMetres(s.Lat, s.Lon, got.Lat, got.Lon)-1 {
				t.Fatalf("given to row %d, row %d is nearer", rows[0], i)
			}
		}
		if d := DistanceMetres(s.Lat, s.Lon, got.Lat, got.Lon); strays != 1 || farthest != d {
			t.Fatalf("%d strays, the farthest %v, want %v", strays, farthest, d)
		}
	})
}

// FuzzLoadGallery damages one byte of a good file: what comes back are places on
// the earth or ErrGallery, and never a panic.
func FuzzLoadGallery(f *testing.F) {
	good, err := os.ReadFile(galleryFile)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []struct {
		at   uint16
		flip byte
	}{{0, 1}, {4, 255}, {40, 1}, {120, 128}, {222, 1}, {400, 12}, {600, 255}, {850, 1}, {896, 255}, {903, 1}} {
		f.Add(seed.at, seed.flip)
	}
	f.Fuzz(func(t *testing.T, at uint16, flip byte) {
		bad := append([]byte{}, good...)
		bad[int(at)%len(bad)] ^= flip
		path := filepath.Join(t.TempDir(), "gallery.parquet")
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		spots, err := LoadGallery(path)
		if err != nil && !errors.Is(err, ErrGallery) || err == nil && len(spots) == 0 {
			t.Fatalf("byte %d flipped by %d: %v, %v", at, flip, spots, err)
		}
		for _, s := range spots {
			if !Valid(s.Lat, s.Lon) {
				t.Fatalf("byte %d flipped by %d: %v", at, flip, s)
			}
		}
	})
}
