package cells

import (
	"math"
	"slices"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// circlePoints is how many corners stand for a circle; its area is then too small by a sixth of a percent.
const circlePoints = 64

// FromToken is the cell of an S2 token; it is not valid (IsValid) when the token is none.
func FromToken(token string) ID { return s2.CellIDFromToken(token) }

// Circle is all that is within metres of a point, as rings of longitude and latitude in degrees like those of [Outline]:
// closed, counter-clockwise, within ±180 and ±90, cut at the antimeridian. A circle around a pole goes along the map's
// border, and one that holds both poles is the whole map.
func Circle(lat, lon, metres float64) [][][2]float64 {
	radius := s1.Angle(metres / EarthRadius)
	north, south := lat+radius.Degrees() >= 90, lat-radius.Degrees() <= -90
	if north && south {
		return [][][2]float64{{{-180, -90}, {180, -90}, {180, 90}, {-180, 90}, {-180, -90}}}
	}
	center := s2.PointFromLatLng(s2.LatLngFromDegrees(lat, lon))
	var ring [][2]float64
	for _, v := range s2.RegularLoop(center, radius, circlePoints).Vertices() {
		at := s2.LatLngFromPoint(v)
		x := at.Lng.Degrees()
		ring = append(ring, [2]float64{x - 360*math.Round((x-lon)/360), at.Lat.Degrees()})
	}
	if north || south {
		return [][][2]float64{aroundPole(ring, north)}
	}
	var rings [][][2]float64
	for _, turn := range []float64{-360, 0, 360} { // the part that lies on the map after a turn around the earth
		turned := slices.Clone(ring)
		for i := range turned {
			turned[i][0] += turn
		}
		part := clip(clip(turned, 180, 1), -180, -1)
		if len(part) > 2 {
			rings = append(rings, append(part, part[0]))
		}
	}
	return rings
}

// aroundPole closes a line around the earth along the map's border on the side of the pole.
func aroundPole(line [][2]float64, north bool) [][2]float64 {
	for i := range line {
		line[i][0] -= 360 * math.Round(line[i][0]/360)
	}
	slices.SortFunc(line, func(a, b [2]float64) int { return int(math.Copysign(1, a[0]-b[0])) })
	first, last := line[0], line[len(line)-1]
	share := (180 - last[0]) / (first[0] + 360 - last[0])
	border := last[1] + share*(first[1]-last[1])
	line = append(append([][2]float64{{-180, border}}, line...), [2]float64{180, border})
	if north {
		return append(line, [2]float64{180, 90}, [2]float64{-180, 90}, line[0])
	}
	slices.Reverse(line)
	return append(line, [2]float64{-180, -90}, [2]float64{180, -90}, line[0])
}

// clip keeps the part of an open ring whose longitude times side is at most limit times side (Sutherland and Hodgman, 1974).
func clip(ring [][2]float64, limit, side float64) [][2]float64 {
	var kept [][2]float64
	for i, b := range ring {
		a := ring[(i+len(ring)-1)%len(ring)]
		inA, inB := a[0]*side <= limit*side, b[0]*side <= limit*side
		if inA != inB {
			share := (limit - a[0]) / (b[0] - a[0])
			kept = append(kept, [2]float64{limit, a[1] + share*(b[1]-a[1])})
		}
		if inB {
			kept = append(kept, b)
		}
	}
	return kept
}
