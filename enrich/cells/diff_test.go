package cells

import (
	"math"
	"testing"

	"github.com/golang/geo/s2"
	"pgregory.net/rapid"
)

// middle is a cell with its middle as its location.
func middle(id ID, photos int64) Cell {
	at := id.LatLng()
	return Cell{ID: id, Lat: at.Lat.Degrees(), Lon: at.Lng.Degrees(), Photos: photos}
}

func TestCompare(t *testing.T) {
	four := s2.CellIDFromFace(0).Children()
	parts := four[1].Children()
	first := mustNew(t, middle(four[0], 1), middle(four[1], 10), middle(four[2].Children()[0], 100), middle(four[3], 1000))
	second := mustNew(t, middle(four[0], 2), middle(parts[1], 3), middle(parts[2], 4), middle(four[2], 5), middle(s2.CellIDFromFace(4), 6))
	d := Compare(first, second)
	for _, row := range []struct {
		story         string
		part          Part
		cells         int
		photos        int64
		shareOfFaces  float64 // of six faces, about: they are not of one size inside
		withinPercent float64
	}{
		{"the first quarter is the same", d.Same, 1, 1, 0.25, 1},
		{"the second became two of its four parts", d.Divided, 1, 10, 0.25, 1},
		{"a part of the third grew to all of it", d.Joined, 1, 100, 1.0 / 16, 60},
		{"the last is gone", d.Gone, 1, 1000, 0.25, 1},
		{"a face that was empty", d.OnlyInSecond, 1, 6, 1, 1},
	} {
		share := row.part.EarthShare * 6
		if row.part.Cells != row.cells || row.part.Photos != row.photos || math.Abs(share/row.shareOfFaces-1) > row.withinPercent/100 {
			t.Errorf("%s: %+v", row.story, row.part)
		}
	}
}

func TestADivisionIsTheSameAsItself(t *testing.T) {
	c, _, err := Open("testdata/wherml_excerpt.tsv")
	if err != nil {
		t.Fatal(err)
	}
	d := Compare(c, c)
	if d.Same.Cells != c.Len() || d.Divided.Cells+d.Joined.Cells+d.Gone.Cells+d.OnlyInSecond.Cells != 0 {
		t.Errorf("%+v", d)
	}
}

func TestSummary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var rows []Cell
		photos := int64(0)
		for face := range 6 {
			for _, id := range s2.CellIDFromFace(face).Children() {
				if rapid.Bool().Draw(t, "divide") {
					for _, child := range id.Children() {
						rows = append(rows, middle(child, rapid.Int64Range(1, 9).Draw(t, "photos")))
					}
				} else {
					rows = append(rows, middle(id, rapid.Int64Range(1, 9).Draw(t, "photos")))
				}
			}
		}
		for _, r := range rows {
			photos += r.Photos
		}
		c, err := New(rows)
		if err != nil {
			t.Fatal(err)
		}
		s := c.Summary()
		if s.Cells != len(rows) || s.Photos != photos || math.Abs(s.EarthShare-1) > 1e-9 {
			t.Fatalf("cells that cover the earth: %+v", s)
		}
		sum := 0
		for _, l := range s.Levels {
			sum += l.Cells
		}
		if sum != s.Cells || s.Levels[0].Level < 1 || s.PhotosPerCell.Min > s.PhotosPerCell.Median || s.SizeKm.Max > 5000 {
			t.Fatalf("%+v", s)
		}
	})
}
