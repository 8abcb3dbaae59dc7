package enrich

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"planetag/enrich/bundle"
)

// ErrMode says that the bundle has no such album mode.
var ErrMode = errors.New("bundle has no such album mode")

// Album is what the photos of one album, in capture order, make of each other:
// the most probable classes photo by photo, for Answer with the same mode.
//
//   - average: every photo gets the mean of the photos' probabilities;
//   - lstm: the album model reads the photos once;
//   - lstm_repeat: it reads them twice, so that the first photo, too, is
//     answered in the light of the last (PlaNet, arXiv 1602.05314 §4).
//
// The vectors of the sights are read, not kept. Errors: ErrMode, ErrOutput, the
// context's, infer.ErrClosed.
func (m *Model) Album(ctx context.Context, mode string, sights []Sight) ([][]Candidate, error) {
	if mode == bundle.None || !slices.Contains(m.info.Modes, mode) {
		return nil, fmt.Errorf("%w: %q, it has %v", ErrMode, mode, m.info.Modes)
	}
	if len(sights) == 0 {
		return nil, nil
	}
	if mode == bundle.Average {
		return slices.Repeat([][]Candidate{average(sights, m.info.TopK)}, len(sights)), nil
	}
	sequence := make([][]float32, 0, 2*len(sights))
	for i, s := range sights {
		// Inside the graph an activation may turn NaN into a number that looks
		// like any other.
		if err := checkEmbedding(s.Embedding); err != nil {
			return nil, fmt.Errorf("read album: photo %d of %d: %w", i+1, len(sights), err)
		}
		sequence = append(sequence, s.Embedding)
	}
	if mode == bundle.LSTMRepeat {
		sequence = append(sequence, sequence...)
	}
	outputs, err := m.album.Run(ctx, sequence)
	if err != nil {
		return nil, fmt.Errorf("read album: %w", err)
	}
	tops := make([][]Candidate, len(sights))
	for i, out := range outputs[len(outputs)-len(sights):] {
		if tops[i], err = topOf(out, m.info.Cells); err != nil {
			return nil, fmt.Errorf("read album: photo %d of %d: %w", i+1, len(sights), err)
		}
	}
	return tops, nil
}

// average is the mean of the photos' probabilities, the k greatest of them. A
// class outside a photo's list counts as zero there.
func average(sights []Sight, k int) []Candidate {
	sums := map[int]float64{}
	for _, s := range sights {
		for _, c := range s.Top {
			sums[c.Cell] += c.P
		}
	}
	mean := make([]Candidate, 0, len(sums))
	for cell, sum := range sums {
		mean = append(mean, Candidate{Cell: cell, P: sum / float64(len(sights))})
	}
	slices.SortFunc(mean, byProbability)
	return mean[:min(k, len(mean))]
}

// byProbability sorts the greatest first and equals by cell, so that the order
// never depends on chance.
func byProbability(a, b Candidate) int {
	return cmp.Or(cmp.Compare(b.P, a.P), cmp.Compare(a.Cell, b.Cell))
}
