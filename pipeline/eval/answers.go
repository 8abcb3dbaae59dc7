package eval

import (
	"context"
	"fmt"

	"planetag/enrich"
	"planetag/enrich/cells"
)

// scoreAnswers adds the rows single, average, lstm and lstm_repeat, and the calibrated answers of single and of the
// mode the worker would publish.
func scoreAnswers(ctx context.Context, model *enrich.Model, division *cells.Cells, items []item, groups [][]int, mates []bool, r *Result) error {
	for _, mode := range append([]string{modeSingle}, albumModes()...) {
		if mode != modeSingle && !model.Offers(mode) {
			continue
		}
		readings, err := distributions(ctx, model, mode, items, groups)
		if err != nil {
			return err
		}
		judged := make([]Judged, len(items))
		metres := make([]float64, len(items))
		for i, it := range items {
			judged[i] = judge(model.AnswerAlbum(mode, readings[i]), it.row)
			cell, ok := division.Find(it.row.Lat, it.row.Lon)
			judged[i].Correct = ok && len(readings[i].Top) > 0 && readings[i].Top[0].Cell == cell
			metres[i] = judged[i].Metres
		}
		r.score(mode, metres, mates)
		if mode == modeSingle || mode == r.DefaultMode {
			r.Calibrated[mode] = Calibrate(judged)
		}
	}
	return nil
}

// distributions returns what is made of each item in the given mode.
func distributions(ctx context.Context, model *enrich.Model, mode string, items []item, groups [][]int) ([]enrich.Reading, error) {
	readings := make([]enrich.Reading, len(items))
	if mode == modeSingle {
		for i := range items {
			readings[i].Top = items[i].sight.Top
		}
		return readings, nil
	}
	for _, g := range groups {
		members := make([]enrich.Member, len(g))
		for k, i := range g {
			members[k] = enrich.Member{Sight: items[i].sight, TakenAt: items[i].row.TakenAt}
		}
		steps, err := model.Album(ctx, mode, members)
		if err != nil {
			return nil, fmt.Errorf("answer album %q in mode %s: %w", items[g[0]].row.Album, mode, err)
		}
		for k, i := range g {
			readings[i] = steps[k]
		}
	}
	return readings, nil
}

// judge compares one answer with the truth. Abstained answers keep their best guess: the uncalibrated rows score it,
// as everybody else's tables do.
func judge(a enrich.Answer, truth Row) Judged {
	return Judged{
		Confidence: a.Confidence,
		Abstained:  a.Abstained,
		Metres:     enrich.DistanceMetres(a.Lat, a.Lon, truth.Lat, truth.Lon),
		RadiusP50:  a.RadiusP50,
		RadiusP90:  a.RadiusP90,
	}
}

// priorErrors are the errors of always answering the cell with most training photos.
func priorErrors(model *enrich.Model, items []item) []float64 {
	lat, lon := model.Prior()
	metres := make([]float64, len(items))
	for i, it := range items {
		metres[i] = enrich.DistanceMetres(lat, lon, it.row.Lat, it.row.Lon)
	}
	return metres
}

// nearestErrors are the errors of answering the position of the nearest gallery photo. A photo that no gallery photo may
// answer is as wrong as one can be on this planet.
func nearestErrors(items, gallery []item) []float64 {
	const antipode = 20015e3
	metres := make([]float64, len(items))
	for i, g := range nearest(items, gallery) {
		metres[i] = antipode
		if g >= 0 {
			metres[i] = enrich.DistanceMetres(gallery[g].row.Lat, gallery[g].row.Lon, items[i].row.Lat, items[i].row.Lon)
		}
	}
	return metres
}
