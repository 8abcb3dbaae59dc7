package sidecar

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func TestCoordinates(t *testing.T) {
	for _, c := range []struct {
		degrees float64
		want    string
	}{
		{0, "0,0.0000N"}, {41.89021, "41,53.4126N"}, {-33.9, "33,54.0000S"}, {-0.00001, "0,0.0006S"}, {89.9999999, "90,0.0000N"}, {12.9999999, "13,0.0000N"},
	} {
		if got := coordinate(c.degrees, "N", "S"); got != c.want {
			t.Errorf("%v is %s, want %s", c.degrees, got, c.want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		micro := rapid.IntRange(-18_000_000, 18_000_000).Draw(t, "hundred thousandths of a degree")
		text := coordinate(float64(micro)/1e5, "E", "W")
		var deg, min, frac int
		var side string
		if n, err := fmt.Sscanf(text, "%d,%d.%04d%1s", &deg, &min, &frac, &side); n != 4 || err != nil || min >= 60 {
			t.Fatalf("%s: %v", text, err)
		}
		back := float64(deg) + (float64(min)+float64(frac)/unit)/60
		if side == "W" {
			back = -back
		}
		if got := int(coarse(back * 1e5)); got != micro {
			t.Fatalf("%d is %s and comes back as %d", micro, text, got)
		}
		if got := asCoordinate(text); got != text {
			t.Fatalf("%s is read as %s", text, got)
		}
	})
}

func coarse(v float64) float64 {
	if v < 0 {
		return -coarse(-v)
	}
	return float64(int(v + 0.5))
}
