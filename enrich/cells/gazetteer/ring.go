package gazetteer

import "math"

// Ring is a closed line of longitude and latitude in degrees. No step is wider
// than 180°, so a ring across the antimeridian goes on beyond 180° or -180°.
type Ring [][2]float64

// flat lays rings of x, y, x, y, … in thousandths of a degree on a map that is
// cut at ±180°. What hangs over one end of the map comes back at the other, as
// a second ring.
func flat(thousandths [][]int32) []Ring {
	var rings []Ring
	for _, t := range thousandths {
		ring := unrolled(t)
		rings = append(rings, ring)
		west, east := ring[0][0], ring[0][0]
		for _, p := range ring {
			west, east = min(west, p[0]), max(east, p[0])
		}
		if east > 180 {
			rings = append(rings, ring.shifted(-360))
		}
		if west < -180 {
			rings = append(rings, ring.shifted(360))
		}
	}
	return rings
}

// unrolled takes the jumps at the antimeridian out of a ring. A ring around a
// pole does not come back to where it started; it is closed along the pole.
func unrolled(thousandths []int32) Ring {
	ring := make(Ring, 0, len(thousandths)/2+2)
	for i := 0; i < len(thousandths); i += 2 {
		x, y := float64(thousandths[i])/1000, float64(thousandths[i+1])/1000
		if i > 0 {
			x -= 360 * math.Round((x-ring[len(ring)-1][0])/360)
		}
		ring = append(ring, [2]float64{x, y})
	}
	first, last := ring[0], ring[len(ring)-1]
	if math.Abs(last[0]-first[0]) > 180 {
		pole := math.Copysign(90, first[1])
		ring = append(ring, [2]float64{last[0], pole}, [2]float64{first[0], pole})
	}
	return ring
}

func (r Ring) shifted(by float64) Ring {
	moved := make(Ring, len(r))
	for i, p := range r {
		moved[i] = [2]float64{p[0] + by, p[1]}
	}
	return moved
}
