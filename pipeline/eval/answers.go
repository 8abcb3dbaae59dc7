package eval

import (
	"context"
	"fmt"
	"slices"

	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// witness is a loaded bundle.
type witness struct {
	model    *enrich.Model
	division *cells.Cells
}

// answer has every photo answered in every mode of the bundle, and by the prior.
func (w *witness) answer(ctx context.Context, items []item, s *subject) error {
	groups := albums(s.rows)
	for _, mode := range s.modes {
		readings, err := w.readings(ctx, mode, items, groups)
		if err != nil {
			return err
		}
		answers := w.judged(mode, items, readings)
		for i, it := range items {
			cell, ok := w.division.Find(it.row.Lat, it.row.Lon)
			answers[i].Correct = ok && len(readings[i].Top) > 0 && readings[i].Top[0].Cell == cell
		}
		s.answers[mode] = answers
	}
	lat, lon := w.model.Prior()
	for _, row := range s.rows {
		s.answers[modePrior] = append(s.answers[modePrior], judge(enrich.Answer{Lat: lat, Lon: lon}, row))
	}
	return nil
}

// readings is what the model makes of each item in the given mode, in groups in their order.
func (w *witness) readings(ctx context.Context, mode string, items []item, groups [][]int) ([]enrich.Reading, error) {
	if !alone(mode) {
		return w.albums(ctx, mode, items, groups, nil)
	}
	readings := make([]enrich.Reading, len(items))
	for i, it := range items {
		if readings[i].Top = it.sight.Top; mode == bundle.Single {
			readings[i] = w.model.Alone(it.sight.Top, it.row.TakenAt)
		}
	}
	return readings, nil
}

// alone is true for modes that look at no other photo.
func alone(mode string) bool { return mode == bundle.Single || mode == modePicture }

// told says whether the bundle tells any of the photos, alone, of its day.
func (w *witness) told(rows []Row) bool {
	return slices.ContainsFunc(rows, func(row Row) bool { return w.model.Alone(nil, row.TakenAt).FromDiary })
}

// albums is readings of albums of which the model sees the positions of the photos shown.
func (w *witness) albums(ctx context.Context, mode string, items []item, groups [][]int, shown map[int]bool) ([]enrich.Reading, error) {
	readings := make([]enrich.Reading, len(items))
	for _, g := range groups {
		members := make([]enrich.Member, len(g))
		for k, i := range g {
			row := items[i].row
			members[k] = enrich.Member{Sight: items[i].sight, TakenAt: row.TakenAt, Camera: items[i].camera}
			if shown[i] {
				members[k].Anchor = &enrich.Anchor{Lat: row.Lat, Lon: row.Lon, Kind: "manifest"}
			}
		}
		steps, err := w.model.Album(ctx, mode, members)
		if err != nil {
			return nil, fmt.Errorf("answer album %q in mode %s: %w", items[g[0]].row.Album, mode, err)
		}
		for k, i := range g {
			readings[i] = steps[k]
		}
	}
	return readings, nil
}

// judged are the answers that follow from readings in a mode.
func (w *witness) judged(mode string, items []item, readings []enrich.Reading) []answer {
	answers := make([]answer, len(items))
	for i, it := range items {
		if alone(mode) {
			answers[i] = judge(w.model.AnswerAlone(readings[i]), it.row)
		} else {
			answers[i] = judge(w.model.AnswerAlbum(mode, readings[i]), it.row)
		}
	}
	return answers
}

// judge compares one answer with the truth. Abstained answers keep their best guess: the uncalibrated rows score it,
// as everybody else's tables do.
func judge(given enrich.Answer, truth Row) answer {
	a := answer{lat: given.Lat, lon: given.Lon}
	a.Confidence, a.Abstained = given.Confidence, given.Abstained
	a.RadiusP50, a.RadiusP90 = given.RadiusP50, given.RadiusP90
	a.Metres = enrich.DistanceMetres(given.Lat, given.Lon, truth.Lat, truth.Lon)
	return a
}

// nearestAnswers are the positions of the nearest gallery photos. A photo that no gallery photo may answer is as wrong as
// one can be on this planet.
func nearestAnswers(items, gallery []item, found []match) []answer {
	answers := make([]answer, len(items))
	for i, m := range found {
		truth := items[i].row
		given := enrich.Answer{Lat: -truth.Lat, Lon: truth.Lon + 180}
		if truth.Lon > 0 {
			given.Lon = truth.Lon - 180
		}
		if m.nearest >= 0 {
			given.Lat, given.Lon = gallery[m.nearest].row.Lat, gallery[m.nearest].row.Lon
		}
		answers[i] = judge(given, truth)
	}
	return answers
}
