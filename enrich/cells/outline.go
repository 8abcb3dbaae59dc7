package cells

import (
	"math"

	"github.com/golang/geo/s2"
)

// straightLevel is the first level at which an edge of a cell may be drawn as a
// straight line on a map: it is then off by less than half a kilometre.
const straightLevel = 7

// Outline is a cell as rings of longitude and latitude in degrees, for maps:
// closed, counter-clockwise, within ±180 and ±90, cut at the antimeridian. There
// is one ring, but for a face of the cube, which has four.
//
// The edges of a coarse cell are bent on a map, so they get points in between. A
// corner at a pole is an edge on a map. A corner on the antimeridian has the sign
// of the cell's side.
func Outline(id ID) [][][2]float64 {
	if id.Level() == 0 {
		// Faces are the only cells that have a pole or the antimeridian inside.
		var rings [][][2]float64
		for _, child := range id.Children() {
			rings = append(rings, Outline(child)...)
		}
		return rings
	}
	cell := s2.CellFromCellID(id)
	center := s2.LatLngFromPoint(cell.Center()).Lng.Degrees()
	var ring [][2]float64
	for k := range 4 {
		a, b := cell.Vertex(k), cell.Vertex((k+1)%4)
		steps := 1 << max(straightLevel-id.Level(), 0)
		for i := range steps {
			ring = append(ring, mapped(s2.Interpolate(float64(i)/float64(steps), a, b), center))
		}
	}
	ring = atPole(ring)
	return [][][2]float64{append(ring, ring[0])}
}

// mapped is a point's longitude, as close to center as it can be written, and
// latitude.
func mapped(p s2.Point, center float64) [2]float64 {
	at := s2.LatLngFromPoint(p)
	lon := at.Lng.Degrees()
	lon -= 360 * math.Round((lon-center)/360)
	return [2]float64{max(min(lon, 180), -180), at.Lat.Degrees()}
}

// atPole puts an edge along the map's border in place of a corner at a pole,
// whose longitude is anything. A cell touches a pole with one corner.
func atPole(ring [][2]float64) [][2]float64 {
	for i, p := range ring {
		if math.Abs(p[1]) < 90-1e-9 {
			continue
		}
		before, after := ring[(i+len(ring)-1)%len(ring)], ring[(i+1)%len(ring)]
		edge := [][2]float64{{before[0], p[1]}, {after[0], p[1]}}
		return append(append(append([][2]float64{}, ring[:i]...), edge...), ring[i+1:]...)
	}
	return ring
}
