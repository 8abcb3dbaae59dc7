package demo

import (
	"slices"

	"planetag/enrich"
	"planetag/pipeline/eval/score"
)

// Summary is what happened to the photos. The error figures are over the estimated photos whose true position is known,
// and nil when there is none.
type Summary struct {
	Photos          int                  `json:"photos"` // references published
	Estimated       int                  `json:"estimated"`
	Abstained       int                  `json:"abstained"`
	Given           int                  `json:"given"`
	OptedOut        int                  `json:"opted_out"`
	DeadLetters     int                  `json:"dead_letters"`
	Albums          int                  `json:"albums"`
	Seconds         float64              `json:"seconds"` // from the first reference to the last final answer
	PhotosPerSecond float64              `json:"photos_per_second"`
	StartSeconds    float64              `json:"start_seconds"` // until the worker was ready
	KnownTruth      int                  `json:"known_truth"`   // photos behind the three figures below
	MedianErrorKm   *float64             `json:"median_error_km"`
	Within25km      *float64             `json:"within_25km"` // share, 0 to 1
	Within200km     *float64             `json:"within_200km"`
	Stages          map[string]StageTime `json:"stages"` // nil when the worker is somewhere else
	Bundle          string               `json:"bundle,omitempty"`
}

// summarise counts the settled answers and measures them against the truth.
func (l *ledger) summarise() Summary {
	s := Summary{Photos: len(l.sent)}
	albums := map[string]bool{}
	var metres []float64
	for id, p := range l.sent {
		if p.album != "" {
			albums[p.album] = true
		}
		a := l.settled[id]
		switch a.Status {
		case statusEstimated:
			s.Estimated++
			if m, ok := p.offBy(a); ok {
				metres = append(metres, m)
			}
		case statusAbstained:
			s.Abstained++
		case statusGiven:
			s.Given++
		case statusOptedOut:
			s.OptedOut++
		case statusDeadLetter:
			s.DeadLetters++
		}
	}
	s.Albums, s.KnownTruth = len(albums), len(metres)
	if len(metres) > 0 {
		s.MedianErrorKm = new(score.Median(metres) / 1000)
		s.Within25km, s.Within200km = new(score.Within(metres, 25)), new(score.Within(metres, 200))
	}
	return s
}

// offBy is the distance in metres between a located answer and the truth, when both are there.
func (p photo) offBy(a answer) (float64, bool) {
	if p.truth == nil || a.Location == nil {
		return 0, false
	}
	return enrich.DistanceMetres(p.truth.lat, p.truth.lon, a.Location.Lat, a.Location.Lon), true
}

func firstSorted(names []string, n int) []string {
	slices.Sort(names)
	return names[:min(n, len(names))]
}
