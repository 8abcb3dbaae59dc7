package enrich

import (
	"cmp"
	"math"
	"slices"

	"planetag/enrich/cells"
)

const (
	// closeBy is the distance, in metres, at which an answer is worth half of
	// one that is right.
	closeBy = 50e3
	// alongside is how close to each other, in metres, two anchors must be for a
	// photo between them to be put between them; farther apart, it is at the
	// nearer one in time.
	alongside = 25e3
	// antipode is as wrong as one can be, in metres.
	antipode = 20015e3
)

// point is a place that could be answered.
type point struct {
	at    vector
	scale float64 // s of bundle.Travel for the time to its nearest anchor; 0 for a class
}

// fix is where the anchors place a photo, or nil where its most probable class
// is worth more: the point is answered to which, on average over where the photo
// may be, it is the least far. How sure that is follows from the doubts, in which
// the photo's own look, and what the whole album looks like, count for more.
func (e *earth) fix(b, doubts beliefs, list []witness, top []Candidate) *Fix {
	best, worth := point{}, -1.0
	for _, p := range append(e.points(list), e.classPoint(b, top)...) {
		if w := b.worth(p, top, e); w > worth {
			best, worth = p, w
		}
	}
	if best.scale == 0 {
		return nil
	}
	lat, lon := best.at.degrees()
	f := &Fix{Lat: lat, Lon: lon}
	ways := e.ways(doubts, best, top)
	f.RadiusP50 = max(quantile(ways, 0.5), best.scale*least(0.5))
	f.RadiusP90 = max(quantile(ways, 0.9), best.scale*least(0.9))
	for _, w := range ways {
		if w.metres <= placeRadius {
			f.P += w.p
		}
	}
	f.P = min(f.P, 1)
	return f
}

// least is the least radius that shall hold the share q of answers from anchors, in units
// of the scale of the time to the nearest: that of bundle.Travel for this one anchor, little
// narrowed by what agrees with it. A bundle that has learned an archive knows the places
// of its photos and nothing of new ones between them: by looks and several anchors
// alone, its radii would hold far less than they say (`planetag eval --anchors-from`).
func least(q float64) float64 {
	const agree = 1.2 // anchors, in place of one
	return math.Pow(1-q, -1/agree) - 1
}

// points are the places that the anchors suggest.
func (e *earth) points(list []witness) []point {
	var points []point
	for _, w := range list {
		points = append(points, point{w.at, e.scale(w.gap)})
	}
	if len(list) == 2 && list[0].timed && list[0].at.metres(list[1].at) <= alongside {
		a, b := list[0], list[1]
		part := 0.5
		if sum := float64(a.gap + b.gap); sum > 0 {
			part = float64(a.gap) / sum
		}
		return []point{{a.at.towards(b.at, part), e.scale(min(a.gap, b.gap))}}
	}
	return points
}

// classPoint is the mean location of the most probable class.
func (e *earth) classPoint(b beliefs, top []Candidate) []point {
	classes := b.classes(top, 1)
	if len(classes) == 0 {
		return nil
	}
	return []point{{at: e.spots[classes[0].Cell].at}}
}

// way is a distance from a point to where the photo may be.
type way struct{ metres, p float64 }

// ways are all distances from a point, with their probabilities. Within the place
// of an anchor they are those of bundle.Travel.
func (e *earth) ways(b beliefs, from point, top []Candidate) []way {
	const steps = 20
	var ways []way
	sum := 0.0
	for i, s := range b.spots {
		p := b.p(i)
		sum += p
		d := from.at.metres(s.at)
		if s.id >= 0 || from.scale == 0 || d > s.radius+alongside {
			ways = append(ways, way{max(d, s.radius/2), p})
			continue
		}
		inside := s.radius / (s.radius + from.scale)
		for k := range steps {
			q := inside * (float64(k) + 0.5) / steps
			ways = append(ways, way{from.scale * q / (1 - q), p / steps})
		}
	}
	for _, c := range top {
		s := e.spots[c.Cell]
		sum += b.stray * c.P
		ways = append(ways, way{max(from.at.metres(s.at), s.radius/2), b.stray * c.P})
	}
	for k := range steps { // the rest of the earth, of which all parts are alike
		q := (float64(k) + 0.5) / steps
		ways = append(ways, way{cells.EarthRadius * math.Acos(1-2*q), max(1-sum, 0) / steps})
	}
	return ways
}

// worth is what answering p is worth on average: 1 for the spot itself, half of
// that at closeBy.
func (b beliefs) worth(p point, top []Candidate, e *earth) float64 {
	sum := 0.0
	for _, w := range e.ways(b, p, top) {
		sum += w.p / (1 + w.metres/closeBy)
	}
	return sum
}

// quantile is the distance within which the share q of the probability lies.
func quantile(ways []way, q float64) float64 {
	slices.SortFunc(ways, func(a, b way) int { return cmp.Compare(a.metres, b.metres) })
	sum := 0.0
	for _, w := range ways {
		if sum += w.p; sum >= q {
			return math.Max(w.metres, 1)
		}
	}
	return antipode
}
