package cells

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"

	"github.com/golang/geo/s2"
	"pgregory.net/rapid"
)

// insideRing is the even-odd rule on a flat map.
func insideRing(ring [][2]float64, lon, lat float64) bool {
	odd := false
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		if (a[1] > lat) != (b[1] > lat) && lon < a[0]+(lat-a[1])/(b[1]-a[1])*(b[0]-a[0]) {
			odd = !odd
		}
	}
	return odd
}

func signedArea(ring [][2]float64) float64 {
	sum := 0.0
	for i, a := range ring {
		b := ring[(i+1)%len(ring)]
		sum += a[0]*b[1] - b[0]*a[1]
	}
	return sum / 2
}

// anyCell draws cells everywhere, more often at the antimeridian and the poles.
func anyCell(t *rapid.T) ID {
	lat := rapid.OneOf(rapid.Float64Range(-90, 90), rapid.SampledFrom([]float64{90, -90, 89.999, -89.999, 0})).Draw(t, "lat")
	lon := rapid.OneOf(rapid.Float64Range(-180, 180), rapid.SampledFrom([]float64{180, -180, 179.9999, -179.9999, 90, -90, 0})).Draw(t, "lon")
	leaf, _ := Leaf(lat, lon)
	return leaf.Parent(rapid.IntRange(0, 20).Draw(t, "level"))
}

func TestOutlineIsTheCellOnAMap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		id := anyCell(t)
		rings := Outline(id)
		if want := map[bool]int{true: 4, false: 1}[id.Level() == 0]; len(rings) != want {
			t.Fatalf("%d rings, want %d", len(rings), want)
		}
		for _, ring := range rings {
			if ring[0] != ring[len(ring)-1] {
				t.Fatal("the ring is not closed")
			}
			if signedArea(ring) <= 0 {
				t.Fatalf("the ring is not counter-clockwise: %v", ring)
			}
			for i, p := range ring {
				if math.Abs(p[0]) > 180 || math.Abs(p[1]) > 90 {
					t.Fatalf("%v is not on the map", p)
				}
				if i > 0 && math.Abs(p[0]-ring[i-1][0]) > 180 {
					t.Fatalf("the ring jumps across the map: %v, %v", ring[i-1], p)
				}
			}
		}
		in := func(p s2.Point) bool {
			at := s2.LatLngFromPoint(p)
			for _, ring := range rings {
				if insideRing(ring, at.Lng.Degrees(), at.Lat.Degrees()) {
					return true
				}
			}
			return false
		}
		// Points half way between the middle and somewhere in the cell are clearly inside, the middles of the neighbours clearly outside.
		cell := s2.CellFromCellID(id)
		child := id
		for range rapid.IntRange(1, 6).Draw(t, "depth") {
			child = child.Children()[rapid.IntRange(0, 3).Draw(t, "child")]
		}
		point := s2.Interpolate(0.45, cell.Center(), child.Point())
		if id.Level() > 0 && !in(point) {
			t.Fatalf("%v is in the cell, not in its outline %v", s2.LatLngFromPoint(point), rings)
		}
		for _, next := range id.EdgeNeighbors() {
			if in(next.Point()) {
				t.Fatalf("the middle of the neighbour %s is inside", next.ToToken())
			}
		}
	})
}

func TestGeoJSON(t *testing.T) {
	leaf, _ := Leaf(-16.8, 179.5)
	c := mustNew(t,
		Cell{ID: s2.CellIDFromFace(2), Lat: 89, Lon: 10, Photos: 3},
		Cell{ID: leaf.Parent(4), Lat: -16.8, Lon: 179.5, Photos: 7, Places: []Place{{"FJ", "Fiji", "Northern", 0.75}}},
	)
	var out bytes.Buffer
	if err := c.GeoJSON(&out); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Type     string
		Features []struct {
			ID         string
			Properties map[string]any
			Geometry   struct {
				Type        string
				Coordinates [][][][]float64
			}
		}
	}
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	if got.Type != "FeatureCollection" || len(got.Features) != 2 {
		t.Fatalf("%s", out.String())
	}
	if pole := got.Features[0]; pole.ID != "5" || len(pole.Geometry.Coordinates) != 4 {
		t.Errorf("the face at the North Pole: %s, %d polygons", pole.ID, len(pole.Geometry.Coordinates))
	}
	fiji := got.Features[1]
	if p := fiji.Properties; p["country"] != "Fiji" || p["photos"] != 7.0 || p["level"] != 4.0 || p["share"] != 0.75 {
		t.Errorf("properties %v", p)
	}
	for _, p := range fiji.Geometry.Coordinates[0][0] {
		if len(p) != 2 || p[0] != math.Round(p[0]*1e7)/1e7 {
			t.Errorf("coordinate %v", p)
		}
	}
}
