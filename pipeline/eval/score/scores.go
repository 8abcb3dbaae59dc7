package score

import (
	"math"
	"slices"
)

// geoScoreScale is the distance in km over which a GeoGuessr score on the world map falls by a factor e: the published
// PIGEON and OSV-5M evaluations score 5000·exp(−d/1492.7 km).
const geoScoreScale = 1492.7

// thresholds are those of the geolocation literature since Im2GPS, in km: street, city, region, country, continent.
var thresholds = [...]float64{1, 25, 200, 750, 2500}

// Figures summarises the errors of some answers.
type Figures struct {
	Within1km    float64 `json:"within_1km"` // share, as the four below
	Within25km   float64 `json:"within_25km"`
	Within200km  float64 `json:"within_200km"`
	Within750km  float64 `json:"within_750km"`
	Within2500km float64 `json:"within_2500km"`
	MedianKm     float64 `json:"median_km"`
	MeanKm       float64 `json:"mean_km"`
	GeoScore     float64 `json:"geoscore"` // 0 to 5000
}

// Scores is one row of a table. Without intervals (see Sample) the pointer is nil.
type Scores struct {
	N int `json:"n"` // photos
	Figures
	*Intervals
}

// Score summarises errors given in metres. No errors give the zero Scores.
func Score(metres []float64) Scores {
	if len(metres) == 0 {
		return Scores{}
	}
	t := tally{}
	for _, m := range metres {
		t.add(m)
	}
	return Scores{N: len(metres), Figures: t.figures(Median(metres))}
}

// tally adds up what every figure but the median is made of.
type tally struct {
	n, km, points float64
	within        [len(thresholds)]float64
}

func (t *tally) add(metres float64) {
	t.n++
	t.km += metres / 1000
	t.points += GeoScore(metres)
	for i, limit := range thresholds {
		if metres <= limit*1000 {
			t.within[i]++
		}
	}
}

// times adds other, count times over.
func (t *tally) times(other *tally, count float64) {
	t.n += count * other.n
	t.km += count * other.km
	t.points += count * other.points
	for i := range t.within {
		t.within[i] += count * other.within[i]
	}
}

func (t *tally) figures(medianMetres float64) Figures {
	return Figures{
		Within1km: t.within[0] / t.n, Within25km: t.within[1] / t.n, Within200km: t.within[2] / t.n,
		Within750km: t.within[3] / t.n, Within2500km: t.within[4] / t.n,
		MedianKm: medianMetres / 1000, MeanKm: t.km / t.n, GeoScore: t.points / t.n,
	}
}

// Within is the share of errors (metres) that are at most km kilometres; 0 when there are none.
func Within(metres []float64, km float64) float64 {
	if len(metres) == 0 {
		return 0
	}
	n := 0
	for _, m := range metres {
		if m <= km*1000 {
			n++
		}
	}
	return float64(n) / float64(len(metres))
}

// Median is the middle value, or the mean of the two middle ones; NaN when there are none. The values stay as they are.
func Median(values []float64) float64 {
	return middle(slices.Sorted(slices.Values(values)))
}

// middle is the median of values that are sorted.
func middle(sorted []float64) float64 {
	n := len(sorted)
	if n == 0 {
		return math.NaN()
	}
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// GeoScore is the score of one guess that is metres away: 5000 at the spot, 5000/e at 1492.7 km.
func GeoScore(metres float64) float64 {
	return 5000 * math.Exp(-metres/1000/geoScoreScale)
}
