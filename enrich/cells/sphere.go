package cells

import (
	"math"

	"github.com/golang/geo/s1"
	"github.com/golang/geo/s2"
)

// EarthRadius is the mean radius of the earth in metres (IUGG R1).
const EarthRadius = 6371008.8

// Valid says whether a pair of degrees names a place on the earth. Ask it
// before anything else: S2 gives NaN, 91° north and 540° east a valid cell.
func Valid(lat, lon float64) bool {
	return math.Abs(lat) <= 90 && math.Abs(lon) <= 180 // false for NaN
}

// Leaf is the one-centimetre cell of a point; false if the point is not
// Valid. Both names of the antimeridian give the same cell: to S2 +180° and
// -180° are neighbours.
func Leaf(lat, lon float64) (ID, bool) {
	if !Valid(lat, lon) {
		return 0, false
	}
	if lon == 180 {
		lon = -180
	}
	return s2.CellIDFromLatLng(s2.LatLngFromDegrees(lat, lon)), true
}

// DistanceMetres is the great-circle distance (haversine, exact for close
// points).
func DistanceMetres(aLat, aLon, bLat, bLon float64) float64 {
	a, b := s2.LatLngFromDegrees(aLat, aLon), s2.LatLngFromDegrees(bLat, bLon)
	return metres(a.Distance(b))
}

// ChordMetres is the great-circle distance of two points of the unit sphere that
// are chord apart in space (exact for close points).
func ChordMetres(chord float64) float64 {
	return 2 * math.Asin(min(chord/2, 1)) * EarthRadius
}

// Cap is the cell itself when it is no finer than level, else its ancestor at
// that level.
func Cap(id ID, level int) ID {
	if id.Level() <= level {
		return id
	}
	return id.Parent(level)
}

// Ancestors lists the tokens of a cell's ancestors at every even level from 2
// up to, but without, its own level, coarse first. The fixed levels let a
// search index drill down by exact match.
func Ancestors(id ID) []string {
	var tokens []string
	for level := 2; level < id.Level(); level += 2 {
		tokens = append(tokens, id.Parent(level).ToToken())
	}
	return tokens
}

// HalfDiagonal is half the longer diagonal of a cell in metres: nobody who
// knows only the cell knows the place better than that.
func HalfDiagonal(id ID) float64 {
	cell := s2.CellFromCellID(id)
	a := cell.Vertex(0).Distance(cell.Vertex(2))
	b := cell.Vertex(1).Distance(cell.Vertex(3))
	return metres(max(a, b)) / 2
}

// outside is the distance in metres from a cell to a point, 0 inside.
func outside(id ID, lat, lon float64) float64 {
	p := s2.PointFromLatLng(s2.LatLngFromDegrees(lat, lon))
	return metres(s2.CellFromCellID(id).Distance(p).Angle())
}

func metres(a s1.Angle) float64 { return a.Radians() * EarthRadius }

// direction is a sum of unit vectors, each times the number of photos it
// stands for.
type direction struct{ x, y, z, photos float64 }

func directionOf(lat, lon, photos float64) direction {
	p := s2.PointFromLatLng(s2.LatLngFromDegrees(lat, lon))
	return direction{p.X * photos, p.Y * photos, p.Z * photos, photos}
}

func (d direction) plus(e direction) direction {
	return direction{d.x + e.x, d.y + e.y, d.z + e.z, d.photos + e.photos}
}

func (d direction) minus(e direction) direction {
	return direction{d.x - e.x, d.y - e.y, d.z - e.z, d.photos - e.photos}
}

// Mean is the photo-weighted mean location of the rows [lo, hi) and the number
// of their photos. It is the normalised sum of directions; a mean of degrees
// would put Fiji into the Atlantic. An empty run has no mean: all zero.
func (c *Cells) Mean(lo, hi int) (lat, lon float64, photos int64) {
	if lo >= hi {
		return 0, 0, 0
	}
	sum := c.sums[hi].minus(c.sums[lo])
	length := math.Sqrt(sum.x*sum.x + sum.y*sum.y + sum.z*sum.z)
	// Places that cancel out have no middle. Below this length the direction
	// is rounding noise; the busiest place of the run is at least a real one.
	if hi-lo == 1 || length < 1e-9*sum.photos {
		best := lo
		for i := lo; i < hi; i++ {
			if c.rows[i].Photos > c.rows[best].Photos {
				best = i
			}
		}
		return c.rows[best].Lat, c.rows[best].Lon, int64(math.Round(sum.photos))
	}
	lat = math.Atan2(sum.z, math.Hypot(sum.x, sum.y)) * 180 / math.Pi
	lon = math.Atan2(sum.y, sum.x) * 180 / math.Pi
	return lat, lon, int64(math.Round(sum.photos))
}

// Radius is that of a circle as large as the mean cell of an id's level, in
// metres.
func Radius(id ID) float64 {
	return 2 * EarthRadius * math.Sqrt(1/(6*math.Exp2(2*float64(id.Level()))))
}

// Centre is the middle of a cell, in degrees.
func Centre(id ID) (lat, lon float64) {
	ll := id.LatLng()
	return ll.Lat.Degrees(), ll.Lng.Degrees()
}
