package enrich

import "math"

// evidence is what a distribution over classes says of each spot and, last, of
// the rest of the earth: how much more probable it makes it than the prior
// does, to the power of weight, and 1 on average. Classes outside the list share
// what the list leaves over, by the prior, so that nothing is impossible.
func (e *earth) evidence(top []Candidate, spots []spot, weight float64) []float64 {
	const least = 1e-4 // of what is left over: float32 sums to more than 1 at times
	listed := make(map[int]float64, len(top))
	left, share := 1.0, 1.0
	for _, c := range top {
		left -= c.P
		share -= e.spots[c.Cell].share
	}
	other := 1.0
	if share > 1e-9 {
		other = math.Pow(max(left, least)/share, weight)
	}
	mean := max(share, 0) * other
	out := make([]float64, len(spots)+1)
	for _, c := range top { // not over the map, whose order would round the mean by chance
		prior := e.spots[c.Cell].share
		listed[c.Cell] = math.Pow(max(c.P, least*prior)/prior, weight)
		mean += prior * listed[c.Cell]
	}
	for i, s := range spots {
		out[i] = other / mean
		if seen, ok := listed[s.looks]; ok && (s.row >= 0 || seen > other) {
			out[i] = seen / mean
		}
	}
	out[len(spots)] = other / mean
	return out
}

// beliefs is how probable it is that a photo was taken at each spot.
type beliefs struct {
	weights
	// stray is the probability that the photo is not where the photos around it
	// are; it then is where it looks to be.
	stray float64
}

// p is the probability of spot i.
func (b beliefs) p(i int) float64 {
	if b.sum <= 0 {
		return 0
	}
	return (1 - b.stray) * b.of[i] / b.sum
}

// weights are how much speaks for each spot and, last, for the rest of the earth.
type weights struct {
	spots []spot
	of    []float64
	sum   float64
}

// weigh puts together where the photos around a photo say that it is (one
// probability for each spot, and one for the rest of the earth), and what the mode
// says.
func (e *earth) weigh(around []float64, spots []spot, mode []Candidate) weights {
	w := weights{spots: spots, of: e.evidence(mode, spots, e.travel.Evidence)}
	for i := range w.of {
		w.of[i] *= around[i]
		w.sum += w.of[i]
	}
	return w
}

// doubt is how probable a photo strays before it is looked at, and the exponent of
// what is seen then.
type doubt struct{ stray, look float64 }

// strays is how probable it is that a photo is not where the photos around it are,
// after a look at it: at its own classes, whatever the mode says.
func (e *earth) strays(around []float64, spots []spot, own []Candidate, d doubt) float64 {
	agrees := 0.0
	for i, seen := range e.evidence(own, spots, d.look) {
		agrees += around[i] * seen
	}
	return d.stray / (d.stray + (1-d.stray)*agrees)
}

// classes adds up the beliefs by class, greatest first. A place counts for the class
// it lies in.
func (b beliefs) classes(top []Candidate, k int) []Candidate {
	sums := map[int]float64{}
	for i, s := range b.spots {
		if s.row >= 0 {
			sums[s.row] += b.p(i)
		}
	}
	for _, c := range top {
		sums[c.Cell] += b.stray * c.P
	}
	return greatest(sums, k)
}
