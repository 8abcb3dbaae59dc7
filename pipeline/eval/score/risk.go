package score

import (
	"cmp"
	"math"
	"slices"
)

// curvePoints is how many points of a risk–coverage curve are kept: one for each per cent of the photos.
const curvePoints = 100

// Curve is a risk–coverage curve: what the answers would be worth if only the most confident ones were given (El-Yaniv and
// Wiener, "On the Foundations of Noise-free Selective Classification", 2010).
type Curve struct {
	Points []Point `json:"points"` // from the most confident photos to all of them
	// The areas under the curve are the mean, over all coverages, of the share that is not within the distance. Less is
	// better; confidence that tells nothing gives the share that is not within the distance for all photos.
	Area25km  float64 `json:"area_25km"`
	Area200km float64 `json:"area_200km"`
	Area750km float64 `json:"area_750km"`
}

// Point is what remains when every answer below a confidence is withheld.
type Point struct {
	Coverage    float64 `json:"coverage"`   // share of the photos that is answered
	Confidence  float64 `json:"confidence"` // the least among them
	Within25km  float64 `json:"within_25km"`
	Within200km float64 `json:"within_200km"`
	Within750km float64 `json:"within_750km"`
	MedianKm    float64 `json:"median_km"`
}

// RiskCoverage sorts answers by confidence. Nobody can tell answers of equal confidence apart, so the curve has no point
// between them and the areas are those of a random order: the figures do not depend on the order of the photos.
func RiskCoverage(judged []Judged) Curve {
	sorted := slices.SortedFunc(slices.Values(judged), func(a, b Judged) int { return cmp.Compare(b.Confidence, a.Confidence) })
	n := len(sorted)
	if n == 0 {
		return Curve{}
	}
	c := Curve{Area25km: area(sorted, 25), Area200km: area(sorted, 200), Area750km: area(sorted, 750)}
	var metres, more []float64
	for from := 0; from < n; {
		to := endOfTie(sorted, from)
		for _, j := range sorted[from:to] {
			more = append(more, j.Metres)
		}
		// The points that fall into one per cent are nearly the same.
		if last := to == n; last || to*curvePoints/n > from*curvePoints/n {
			metres = merged(metres, more)
			more = more[:0]
			c.Points = append(c.Points, Point{
				Coverage: float64(to) / float64(n), Confidence: sorted[to-1].Confidence, MedianKm: middle(metres) / 1000,
				Within25km: Within(metres, 25), Within200km: Within(metres, 200), Within750km: Within(metres, 750),
			})
		}
		from = to
	}
	return c
}

// endOfTie is the first answer after from with another confidence.
func endOfTie(sorted []Judged, from int) int {
	to := from + 1
	for to < len(sorted) && sorted[to].Confidence == sorted[from].Confidence {
		to++
	}
	return to
}

// merged adds values to a sorted list.
func merged(list, values []float64) []float64 {
	slices.Sort(values)
	both := make([]float64, 0, len(list)+len(values))
	for len(list) > 0 && len(values) > 0 {
		if list[0] <= values[0] {
			both, list = append(both, list[0]), list[1:]
		} else {
			both, values = append(both, values[0]), values[1:]
		}
	}
	return append(append(both, list...), values...)
}

// area is the mean over k of the share of the k most confident answers that is farther than km. Inside a tie the expected
// number of far ones grows evenly.
func area(sorted []Judged, km float64) float64 {
	sum, before := 0.0, 0.0
	for from := 0; from < len(sorted); {
		to := endOfTie(sorted, from)
		far := 0.0
		for _, j := range sorted[from:to] {
			if j.Metres > km*1000 {
				far++
			}
		}
		for k := from + 1; k <= to; k++ {
			sum += (before + far*float64(k-from)/float64(to-from)) / float64(k)
		}
		before += far
		from = to
	}
	return math.Min(sum/float64(len(sorted)), 1)
}
