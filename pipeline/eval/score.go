package eval

import (
	"math"
	"slices"
)

// geoScoreScale is the distance in km over which a GeoGuessr score on the world map falls by a factor e: the published
// PIGEON and OSV-5M evaluations score 5000·exp(−d/1492.7 km).
const geoScoreScale = 1492.7

// Scores summarises the errors of one mode. The thresholds are those of the geolocation literature since Im2GPS: street,
// city, region, country, continent.
type Scores struct {
	Photos       int     `json:"photos"`
	Within1km    float64 `json:"within_1km"`
	Within25km   float64 `json:"within_25km"`
	Within200km  float64 `json:"within_200km"`
	Within750km  float64 `json:"within_750km"`
	Within2500km float64 `json:"within_2500km"`
	MedianKm     float64 `json:"median_km"`
	MeanKm       float64 `json:"mean_km"`
	GeoScore     float64 `json:"geoscore"` // 0 to 5000
}

// Score summarises errors given in metres. No errors give the zero Scores.
func Score(metres []float64) Scores {
	if len(metres) == 0 {
		return Scores{}
	}
	sum, points := 0.0, 0.0
	for _, m := range metres {
		sum += m
		points += GeoScore(m)
	}
	n := float64(len(metres))
	return Scores{
		Photos:       len(metres),
		Within1km:    Within(metres, 1),
		Within25km:   Within(metres, 25),
		Within200km:  Within(metres, 200),
		Within750km:  Within(metres, 750),
		Within2500km: Within(metres, 2500),
		MedianKm:     Median(metres) / 1000,
		MeanKm:       sum / n / 1000,
		GeoScore:     points / n,
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
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(values))
	if n%2 == 1 {
		return sorted[n/2]
	}
	return (sorted[n/2-1] + sorted[n/2]) / 2
}

// GeoScore is the score of one guess that is metres away: 5000 at the spot, 5000/e at 1492.7 km.
func GeoScore(metres float64) float64 {
	return 5000 * math.Exp(-metres/1000/geoScoreScale)
}
