package eval

import (
	"cmp"
	"math"
	"slices"

	"planetag/enrich"
	"planetag/enrich/cells"
)

// neighbours finds the nearest of many positions without asking all of them: sorted by latitude, only a band has to be.
type neighbours struct {
	lats   []float64 // degrees, ascending
	points [][3]float64
	rows   []int // where they were in the list
	list   []Row
}

func newNeighbours(list []Row) neighbours {
	n := neighbours{rows: make([]int, len(list)), list: list}
	for i := range list {
		n.rows[i] = i
	}
	slices.SortFunc(n.rows, func(a, b int) int { return cmp.Or(cmp.Compare(list[a].Lat, list[b].Lat), cmp.Compare(a, b)) })
	for _, i := range n.rows {
		n.lats = append(n.lats, list[i].Lat)
		n.points = append(n.points, direction(list[i].Lat, list[i].Lon))
	}
	return n
}

// nearest is the index of the nearest position within limit metres and its distance; -1 when there is none.
func (n neighbours) nearest(lat, lon, limit float64) (at int, metres float64) {
	// One part in a million more than the limit: rounding must not lose a position at its edge.
	band := limit / cells.EarthRadius * 180 / math.Pi * (1 + 1e-6)
	from, _ := slices.BinarySearch(n.lats, lat-band)
	here := direction(lat, lon)
	best, found := math.Inf(-1), -1
	for k := from; k < len(n.lats) && n.lats[k] <= lat+band; k++ {
		p := &n.points[k]
		if cos := here[0]*p[0] + here[1]*p[1] + here[2]*p[2]; cos > best {
			best, found = cos, n.rows[k]
		}
	}
	if found < 0 {
		return -1, 0
	}
	metres = enrich.DistanceMetres(lat, lon, n.list[found].Lat, n.list[found].Lon)
	if metres > limit {
		return -1, 0
	}
	return found, metres
}

// direction is the unit vector of a position.
func direction(lat, lon float64) [3]float64 {
	phi, lambda := lat*math.Pi/180, lon*math.Pi/180
	return [3]float64{math.Cos(phi) * math.Cos(lambda), math.Cos(phi) * math.Sin(lambda), math.Sin(phi)}
}
