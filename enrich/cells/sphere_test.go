package cells

import (
	"math"
	"slices"
	"testing"

	"github.com/golang/geo/s2"
	"pgregory.net/rapid"
)

func TestDistanceMetres(t *testing.T) {
	tests := []struct {
		name                   string
		aLat, aLon, bLat, bLon float64
		want                   float64 // kilometres
	}{
		{"a place and itself", 41.9, 12.5, 41.9, 12.5, 0},
		{"Paris to New York", 48.8566, 2.3522, 40.7128, -74.0060, 5837},
		{"a degree of the equator", 0, 0, 0, 1, 111.195},
		{"across the antimeridian", 0, 179.5, 0, -179.5, 111.195},
		{"both names of the antimeridian", 10, 180, 10, -180, 0},
		{"over the pole", 89.5, 0, 89.5, 180, 111.195},
		{"all names of the pole", 90, 0, 90, 123, 0},
		{"antipodes", 0, 0, 0, 180, 20015.1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := DistanceMetres(tt.aLat, tt.aLon, tt.bLat, tt.bLon) / 1000
			if math.Abs(got-tt.want) > 0.001*tt.want+1e-6 {
				t.Errorf("got %.3f km, want %.3f km", got, tt.want)
			}
		})
	}
}

// TestTrapsOfS2 are the ways in which S2 turns a bad question into a good
// looking answer.
func TestTrapsOfS2(t *testing.T) {
	t.Run("NaN has a valid cell, so it is refused before", func(t *testing.T) {
		if nan := s2.CellIDFromLatLng(s2.LatLngFromDegrees(math.NaN(), 0)); !nan.IsValid() {
			t.Fatal("S2 now refuses NaN itself")
		}
		for _, p := range [][2]float64{{math.NaN(), 0}, {0, math.NaN()}, {91, 0}, {-90.001, 0}, {0, 540}, {0, -180.001}, {math.Inf(1), 0}} {
			if id, ok := Leaf(p[0], p[1]); ok {
				t.Errorf("%v became cell %s", p, id.ToToken())
			}
		}
	})
	t.Run("both names of the antimeridian are one cell", func(t *testing.T) {
		for _, lat := range []float64{-90, -45, 0, 17.3, 89.9, 90} {
			east, _ := Leaf(lat, 180)
			west, _ := Leaf(lat, -180)
			if east != west {
				t.Errorf("latitude %v: %s and %s", lat, east.ToToken(), west.ToToken())
			}
		}
	})
	t.Run("a token's prefix is not its ancestor", func(t *testing.T) {
		paris, err := ParseToken("47e66f")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := Ancestors(paris), []string{"47", "47f", "47e7", "47e67"}; !slices.Equal(got, want[:len(got)]) || len(got) != 4 {
			t.Errorf("got %v, want %v", got, want)
		}
	})
	t.Run("a misspelt token is nothing", func(t *testing.T) {
		for _, token := range []string{"", "X", "0", "zz", "47e66f0", "47E66F", " 47e66f", "00000000000000000", "ffffffffffffffff"} {
			if id, err := ParseToken(token); err == nil {
				t.Errorf("%q became cell %s", token, id.ToToken())
			}
		}
	})
	t.Run("poles lie in the cells of their faces", func(t *testing.T) {
		c := mustNew(t, centreCell(t, "5", 1), centreCell(t, "b", 1))
		for lat, want := range map[float64]int{90: 0, -90: 1} {
			for _, lon := range []float64{-180, -90, 0, 45.5, 180} {
				if got, ok := c.Find(lat, lon); !ok || got != want {
					t.Errorf("%v, %v: row %d %v, want %d", lat, lon, got, ok, want)
				}
			}
		}
	})
}

func TestCapNeverRefines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := s2.CellIDFromLatLng(drawPoint(t)).Parent(rapid.IntRange(0, 30).Draw(t, "level"))
		level := rapid.IntRange(0, 30).Draw(t, "cap")
		got := Cap(id, level)
		if got.Level() != min(level, id.Level()) || !got.Contains(id) {
			t.Fatalf("%s capped at %d is %s", id.ToToken(), level, got.ToToken())
		}
	})
}

func TestAncestorsContainTheCell(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := s2.CellIDFromLatLng(drawPoint(t)).Parent(rapid.IntRange(0, 30).Draw(t, "level"))
		level := 0
		for _, token := range Ancestors(id) {
			ancestor, err := ParseToken(token)
			if err != nil {
				t.Fatal(err)
			}
			if level += 2; ancestor.Level() != level || ancestor == id || !ancestor.Contains(id) {
				t.Fatalf("%s of level %d is listed as ancestor of %s at level %d", token, ancestor.Level(), id.ToToken(), level)
			}
		}
		if next := level + 2; next < id.Level() {
			t.Fatalf("ancestors of %s end at level %d", id.ToToken(), level)
		}
	})
}

func TestHalfDiagonalReachesEveryCornerFromTheMiddle(t *testing.T) {
	// From the centre no corner is much farther than half the diagonal; the
	// sphere's bulge makes the difference, which vanishes with the level.
	rapid.Check(t, func(t *rapid.T) {
		level := rapid.IntRange(4, 25).Draw(t, "level")
		id := s2.CellIDFromLatLng(drawPoint(t)).Parent(level)
		centre, half := id.LatLng(), HalfDiagonal(id)
		for k := range 4 {
			corner := s2.LatLngFromPoint(s2.CellFromCellID(id).Vertex(k))
			d := metres(centre.Distance(corner))
			if d > 1.1*half || d < 0.4*half {
				t.Fatalf("corner %d of %s is %.0f m from its centre, half its diagonal is %.0f m", k, id.ToToken(), d, half)
			}
		}
	})
}

func TestMean(t *testing.T) {
	at := func(lat, lon float64, level int, photos int64) Cell {
		return Cell{ID: s2.CellIDFromLatLng(s2.LatLngFromDegrees(lat, lon)).Parent(level), Lat: lat, Lon: lon, Photos: photos}
	}
	tests := []struct {
		name     string
		rows     []Cell
		lat, lon float64
	}{
		{"one place is itself", []Cell{at(41.9, 12.5, 20, 7)}, 41.9, 12.5},
		{"two places of one weight meet halfway", []Cell{at(0, 10, 20, 5), at(0, 20, 20, 5)}, 0, 15},
		{"photos pull", []Cell{at(0, 10, 20, 999_999), at(0, 20, 20, 1)}, 0, 10.00001},
		{"Fiji stays in the Pacific", []Cell{at(-17, 179, 20, 1), at(-17, -179, 20, 1)}, -17.0026, -180},
		{"around the pole it is the pole", []Cell{at(80, 0, 20, 1), at(80, 120, 20, 1), at(80, -120, 20, 1)}, 90, 0},
		{"opposite places have no middle, the busier one is taken", []Cell{at(0, 0, 20, 5), at(0, 180, 20, 5)}, 0, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			slices.SortFunc(tt.rows, func(a, b Cell) int { return int(a.ID>>33) - int(b.ID>>33) })
			c := mustNew(t, tt.rows...)
			lat, lon, photos := c.Mean(0, c.Len())
			var want int64
			for _, r := range tt.rows {
				want += r.Photos
			}
			if d := DistanceMetres(lat, lon, tt.lat, tt.lon); d > 50 || photos != want {
				t.Errorf("got %.5f, %.5f of %d photos, want %.5f, %.5f of %d", lat, lon, photos, tt.lat, tt.lon, want)
			}
		})
	}
	c := mustNew(t, at(1, 1, 20, 1))
	if lat, lon, photos := c.Mean(1, 1); lat != 0 || lon != 0 || photos != 0 {
		t.Errorf("the mean of nothing is %v, %v of %d photos", lat, lon, photos)
	}
}

func TestMeanLiesAmongItsPlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawCells(t)
		lo := rapid.IntRange(0, c.Len()-1).Draw(t, "lo")
		id := c.At(lo).ID.Parent(rapid.IntRange(0, c.At(lo).ID.Level()).Draw(t, "level"))
		lat, lon, _ := c.Mean(c.Within(id))
		if !Valid(lat, lon) {
			t.Fatalf("mean of %s is %v, %v", id.ToToken(), lat, lon)
		}
		// An S2 cell is convex, so the mean of places in it is in it.
		if off := outside(id, lat, lon); off > 1 {
			t.Fatalf("mean of %s is %.1f m outside", id.ToToken(), off)
		}
	})
}
