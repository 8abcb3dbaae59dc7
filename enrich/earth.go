package enrich

import (
	"math"
	"time"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// spot is a part of the earth an album may be at: a class, or the place of an
// anchor, which is far smaller than most classes.
type spot struct {
	id     int // the class, or -1, -2, … for places
	row    int // the class it is or lies in; -1 in a gap of the division
	looks  int // the class whose photos those of the spot look like
	at     vector
	radius float64 // metres; within it nobody has left
	share  float64 // the prior
}

// placeRadius is how large the place of an anchor is, in metres: a town with
// what lies around it. Where the classes are finer, so is the place.
const placeRadius = 25e3

// unknownGap stands for the time between two photos of an album of which at
// least one has no time: most albums are a few days.
const unknownGap = 48 * time.Hour

// earth is what travelling needs to know of the division.
type earth struct {
	travel bundle.Travel
	table  *cells.Cells
	spots  []spot // of every class
	blocks []block
}

// block is a run of classes, which are neighbours because the rows are sorted
// along S2's curve. Seen from afar it is one class.
type block struct {
	lo, hi int
	at     vector
	radius float64
	share  float64
}

const blockRows = 64

// newEarth takes every class to be as probable as every other before anything is
// seen. An adaptive division has made them so, more or less; and how often the
// training photos were taken in one says little of where an album was.
func newEarth(table *cells.Cells, travel bundle.Travel) *earth {
	e := &earth{travel: travel, table: table, spots: make([]spot, table.Len())}
	for i := range e.spots {
		c := table.At(i)
		e.spots[i] = spot{
			id: i, row: i, looks: i, at: vectorOf(c.Lat, c.Lon), radius: cells.Radius(c.ID), share: 1 / float64(len(e.spots)),
		}
	}
	for lo := 0; lo < len(e.spots); lo += blockRows {
		b := block{lo: lo, hi: min(lo+blockRows, len(e.spots))}
		lat, lon, _ := table.Mean(b.lo, b.hi)
		b.at, b.share = vectorOf(lat, lon), float64(b.hi-b.lo)/float64(len(e.spots))
		for _, s := range e.spots[b.lo:b.hi] {
			b.radius = max(b.radius, b.at.metres(s.at))
		}
		e.blocks = append(e.blocks, b)
	}
	return e
}

// place is the spot of an anchor; n numbers the places.
func (e *earth) place(a Anchor, n int) spot {
	s := spot{id: -1 - n, row: -1, at: vectorOf(a.Lat, a.Lon), radius: placeRadius}
	row, ok := e.table.Find(a.Lat, a.Lon)
	if !ok {
		row = e.nearest(s.at)
	}
	class := e.spots[row]
	if s.looks = row; ok {
		s.row, s.radius = row, min(placeRadius, class.radius)
	}
	part := min(s.radius/class.radius, 1)
	s.share = class.share * part * part
	return s
}

// nearest is the class whose mean location is nearest to a point.
func (e *earth) nearest(at vector) int {
	best, least := 0, math.Inf(1)
	for i, s := range e.spots {
		if d := at.metres(s.at); d < least {
			best, least = i, d
		}
	}
	return best
}

// scale is the s of bundle.Travel for a time between two photos, in metres.
func (e *earth) scale(gap time.Duration) float64 {
	return e.travel.RestMetres + e.travel.HourMetres*math.Pow(max(gap.Hours(), 0), e.travel.Growth)
}

// pull is how strongly people go d metres, up to a factor: a gravity law whose
// ring of width 1 at d falls like d⁻², as bundle.Travel wants it.
func pull(d, scale float64) float64 {
	x := d + scale
	return 1 / (x * x * x)
}

// apart is the distance of two spots, in metres. What is inside of one is spread over
// it: it is seldom closer to the middle of the other than half of both radii.
func (s spot) apart(t spot) float64 {
	return max(s.at.metres(t.at), (s.radius+t.radius)/2)
}

// pulls adds up the pull of every class but the spot's own, each by its share.
func (e *earth) pulls(from spot, scale float64) float64 {
	sum := 0.0
	for _, b := range e.blocks {
		if d := from.at.metres(b.at); d > 2*b.radius && (from.row < b.lo || from.row >= b.hi) {
			sum += b.share * pull(d, scale)
			continue
		}
		for i, s := range e.spots[b.lo:b.hi] {
			if b.lo+i != from.id {
				sum += s.share * pull(from.apart(s), scale)
			}
		}
	}
	return sum
}

// departure is a spot that is left after some time.
type departure struct {
	from  spot
	scale float64
	pulls float64 // of everywhere else
}

func (e *earth) departure(from spot, gap time.Duration) departure {
	scale := e.scale(gap)
	return departure{from, scale, e.pulls(from, scale)}
}

// fill fills to with the probabilities of being at each spot next, and returns
// what is left for the rest of the earth. One stays with the d/(d+s) of bundle.Travel
// at the spot's radius, else goes where it is not far.
func (d departure) fill(spots []spot, to []float64) float64 {
	stay := d.from.radius / (d.from.radius + d.scale)
	unit, sum := 0.0, 0.0
	if d.pulls > 0 {
		unit = (1 - stay) / d.pulls
	}
	for i, s := range spots {
		if s.id == d.from.id {
			to[i] = stay
			continue
		}
		to[i] = unit * s.share * pull(d.from.apart(s), d.scale)
		sum += to[i]
	}
	if sum <= 1-stay {
		return 1 - stay - sum
	}
	for i, s := range spots { // a place counts beside the class it lies in
		if s.id != d.from.id {
			to[i] *= (1 - stay) / sum
		}
	}
	return 0
}

// likeliest are the classes the photos hold most probable, all together, at
// most n of them.
func (e *earth) likeliest(tops [][]Candidate, n int) []spot {
	sums := map[int]float64{}
	for _, top := range tops {
		for _, c := range top {
			sums[c.Cell] += c.P
		}
	}
	var spots []spot
	for _, c := range greatest(sums, n) {
		spots = append(spots, e.spots[c.Cell])
	}
	return spots
}
