package cells

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestCirclesStayOnTheMap(t *testing.T) {
	for _, row := range []struct {
		name             string
		lat, lon, metres float64
		rings            int
	}{
		{"in Rome", 41.9, 12.5, 5000, 1},
		{"across the antimeridian, from the east", -17, 179.9, 50_000, 2},
		{"across the antimeridian, from the west", -17, -179.9, 50_000, 2},
		{"on the antimeridian", 0, 180, 1000, 2},
		{"around the North Pole", 89, 10, 500_000, 1},
		{"around the South Pole", -80, -170, 2_000_000, 1},
		{"half the earth from the equator", 0, 0, 9_900_000, 1},
		{"all of it", 0, 0, 15_000_000, 1},
	} {
		if n := len(Circle(row.lat, row.lon, row.metres)); n != row.rings {
			t.Errorf("%s: %d rings, want %d", row.name, n, row.rings)
		}
	}
}

// TestCirclesHoldWhatIsNear compares the polygon on the map with the distance on the earth.
func TestCirclesHoldWhatIsNear(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lat, lon := rapid.Float64Range(-90, 90).Draw(t, "lat"), rapid.Float64Range(-180, 180).Draw(t, "lon")
		metres := math.Exp(rapid.Float64Range(math.Log(100), math.Log(8e6)).Draw(t, "log metres"))
		rings := Circle(lat, lon, metres)
		for _, ring := range rings {
			if ring[0] != ring[len(ring)-1] {
				t.Fatalf("the ring is open: %v", ring)
			}
			if signedArea(ring) <= 0 {
				t.Fatalf("the ring is clockwise: %v", ring)
			}
			for _, p := range ring {
				if !Valid(p[1], p[0]) {
					t.Fatalf("%v is not on the map", p)
				}
			}
		}
		at := [2]float64{rapid.Float64Range(-179.9, 179.9).Draw(t, "x"), rapid.Float64Range(-89.9, 89.9).Draw(t, "y")}
		distance, inside := DistanceMetres(lat, lon, at[1], at[0]), false
		for _, ring := range rings {
			inside = inside != insideRing(ring, at[0], at[1])
		}
		// A corner's chord lies inside the circle by a thousandth of the radius; what is near the line, or near a pole, where
		// straight lines on the map are bent on the earth, may be on either side.
		if off := math.Abs(distance-metres) / metres; off > 0.35 && inside != (distance < metres) {
			t.Fatalf("%v is %.0f m from %f, %f; the circle of %.0f m holds it: %t", at, distance, lat, lon, metres, inside)
		}
	})
}
