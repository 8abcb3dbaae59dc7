package enrich

import (
	"math"

	"planetag/enrich/cells"
)

// vector is a point of the unit sphere: distances of many pairs are then a few
// multiplications each.
type vector struct{ x, y, z float64 }

func vectorOf(lat, lon float64) vector {
	const degree = math.Pi / 180
	sinLat, cosLat := math.Sincos(lat * degree)
	sinLon, cosLon := math.Sincos(lon * degree)
	return vector{cosLat * cosLon, cosLat * sinLon, sinLat}
}

// metres is the great-circle distance.
func (v vector) metres(w vector) float64 {
	dx, dy, dz := v.x-w.x, v.y-w.y, v.z-w.z
	return cells.ChordMetres(math.Sqrt(dx*dx + dy*dy + dz*dz))
}

// towards is the point at a fraction of the way to w, on the chord; good for
// points that are close to each other.
func (v vector) towards(w vector, part float64) vector {
	return vector{v.x + (w.x-v.x)*part, v.y + (w.y-v.y)*part, v.z + (w.z-v.z)*part}
}

// degrees are the latitude and longitude of the direction of v.
func (v vector) degrees() (lat, lon float64) {
	const degree = math.Pi / 180
	return math.Atan2(v.z, math.Hypot(v.x, v.y)) / degree, math.Atan2(v.y, v.x) / degree
}
