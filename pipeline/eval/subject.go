package eval

import (
	"planetag/enrich"
	"planetag/pipeline/eval/score"
)

// answer is what was answered to one photo, beside the truth.
type answer struct {
	score.Judged
	lat, lon float64
}

// subject is one system under test and its answers to the same photos.
type subject struct {
	name      string // bundle@version, or the file of predictions
	sha256    string // of a bundle
	precision string // of its network: float or int8
	published string // the mode whose answers somebody would see
	modes     []string
	baselines []string
	rows      []Row
	answers   map[string][]answer // by mode or baseline, each as long as rows
	shuffled  map[string][]answer // by album mode, to albums in an order of chance
	// confident says that answers carry a confidence; calibrated, that they carry all that the worker publishes.
	confident, calibrated bool
}

// order is the order of a table's rows: baselines first, so that the eye compares with them.
func (s *subject) order() []string {
	return append(append([]string{}, s.baselines...), s.modes...)
}

// tableOrder is order with the row of an order of chance behind each album mode.
func (s *subject) tableOrder() []string {
	var list []string
	for _, mode := range s.order() {
		list = append(list, mode)
		if s.shuffled[mode] != nil {
			list = append(list, mode+shuffledRow)
		}
	}
	return list
}

// metres is the errors of one mode.
func (s *subject) metres(mode string) []float64 {
	list := make([]float64, len(s.rows))
	for i, a := range s.answers[mode] {
		list[i] = a.Metres
	}
	return list
}

func (s *subject) judged(mode string) []score.Judged {
	list := make([]score.Judged, len(s.rows))
	for i, a := range s.answers[mode] {
		list[i] = a.Judged
	}
	return list
}

// modePredictions is the one mode of a file of predictions.
const modePredictions = "predictions"

// predicted is the system whose predictions were read; of them, those to the photos of rows.
func predicted(p Predictions, rows []Row) *subject {
	wanted := make(map[string]bool, len(rows))
	for _, row := range rows {
		wanted[row.ID] = true
	}
	s := &subject{name: p.Name, published: modePredictions, modes: []string{modePredictions}, confident: p.Confident}
	var answers []answer
	for _, r := range p.Rows {
		if !wanted[r.ID] {
			continue
		}
		s.rows = append(s.rows, r.Row)
		a := answer{lat: r.PredLat, lon: r.PredLon}
		a.Confidence, a.Metres = r.Confidence, enrich.DistanceMetres(r.Lat, r.Lon, r.PredLat, r.PredLon)
		answers = append(answers, a)
	}
	s.answers = map[string][]answer{modePredictions: answers}
	return s
}
