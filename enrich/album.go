package enrich

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"planetag/enrich/bundle"
)

// ErrMode says that the bundle has no such album mode.
var ErrMode = errors.New("bundle has no such album mode")

// Album is what the photos of one album, in capture order, make of each other,
// photo by photo, for AnswerAlbum with the same mode.
//
//   - average: every photo gets the mean of the photos' probabilities;
//   - lstm: the album model reads the photos once;
//   - lstm_repeat: it reads them twice, so that the first photo, too, is
//     answered in the light of the last (PlaNet, arXiv 1602.05314 §4);
//   - blstm: another album model reads them in both directions;
//   - hmm: where one can have been at all those times, with bundle.Travel.
//
// Average and hmm need no album model and are there with every bundle, if only
// to be measured: an answer is published when it is calibrated.
//
// Photos with an anchor are evidence for the others in every mode, the nearer in
// time the more. Without anchors all modes but hmm do not look at the times.
//
// Cameras whose anchors contradict each other are read apart, as an album each. A
// camera without any anchor is trusted to be where the others are only as far as
// its photos look like it.
//
// Where a bundle has learned an archive and knows its days, the photos of an
// album without any anchor are first told where its owner was around then; a
// photo that has no album is by Alone.
//
// The vectors of the sights are read, not kept. Errors: ErrMode, ErrAnchor,
// ErrOutput, the context's, infer.ErrClosed.
func (m *Model) Album(ctx context.Context, mode string, members []Member) ([]Reading, error) {
	if !m.Offers(mode) {
		return nil, fmt.Errorf("%w: %q, it has %v", ErrMode, mode, m.info.Modes)
	}
	for i, p := range members {
		if err := m.Check(p); err != nil {
			return nil, fmt.Errorf("read album: photo %d of %d: %w", i+1, len(members), err)
		}
	}
	if len(members) == 0 {
		return nil, nil
	}
	members, told := m.diary.told(members)
	readings := make([]Reading, len(members))
	for _, hand := range m.earth.hands(members) {
		of := make([]Member, len(hand))
		for k, i := range hand {
			of[k] = members[i]
		}
		read, err := m.read(ctx, mode, of)
		if err != nil {
			return nil, err
		}
		for k, i := range hand {
			readings[i] = read[k]
			readings[i].FromDiary = told
		}
	}
	return readings, nil
}

// read is Album for photos that belong together.
func (m *Model) read(ctx context.Context, mode string, members []Member) ([]Reading, error) {
	if mode == bundle.HMM {
		return m.earth.chained(ctx, members, m.info.TopK)
	}
	tops, err := m.tops(ctx, mode, members)
	if err != nil {
		return nil, err
	}
	return m.earth.anchored(ctx, members, tops, m.info.TopK)
}

// Offers says whether Album has the mode.
func (m *Model) Offers(mode string) bool {
	return bundle.InEveryBundle(mode) || m.albums[mode] != nil && slices.Contains(m.info.Modes, mode)
}

// tops are the most probable classes of each photo in a mode without anchors.
func (m *Model) tops(ctx context.Context, mode string, members []Member) ([][]Candidate, error) {
	if mode == bundle.Average {
		return slices.Repeat([][]Candidate{average(members, m.info.TopK)}, len(members)), nil
	}
	sequence, gaps := make([][]float32, 0, 2*len(members)), make([]float32, 0, 2*len(members))
	for i, p := range members {
		sequence = append(sequence, p.Sight.Embedding)
		gaps = append(gaps, logGap(members, i))
	}
	if mode == bundle.LSTMRepeat {
		sequence, gaps = append(sequence, sequence...), append(gaps, gaps...)
	}
	outputs, err := m.albums[mode].Run(ctx, sequence, gaps)
	if err != nil {
		return nil, fmt.Errorf("read album: %w", err)
	}
	tops := make([][]Candidate, len(members))
	for i, out := range outputs[len(outputs)-len(members):] {
		if tops[i], err = topOf(out, m.info.Cells); err != nil {
			return nil, fmt.Errorf("read album: photo %d of %d: %w", i+1, len(members), err)
		}
	}
	return tops, nil
}

// logGap is the gap before photo i as infer.Album takes it.
func logGap(members []Member, i int) float32 {
	switch {
	case i == 0:
		return 0
	case members[i].TakenAt.IsZero() || members[i-1].TakenAt.IsZero():
		return -1
	}
	return float32(math.Log1p(gapOf(members[i-1], members[i]).Seconds()))
}

// average is the mean of the photos' probabilities, the k greatest of them. A
// class outside a photo's list counts as zero there.
func average(members []Member, k int) []Candidate {
	sums := map[int]float64{}
	for _, m := range members {
		for _, c := range m.Sight.Top {
			sums[c.Cell] += c.P / float64(len(members))
		}
	}
	return greatest(sums, k)
}

// greatest are the k greatest of the sums.
func greatest(sums map[int]float64, k int) []Candidate {
	list := make([]Candidate, 0, len(sums))
	for cell, sum := range sums {
		list = append(list, Candidate{Cell: cell, P: sum})
	}
	slices.SortFunc(list, byProbability)
	return list[:min(k, len(list))]
}

// byProbability sorts the greatest first and equals by cell, so that the order
// never depends on chance.
func byProbability(a, b Candidate) int {
	return cmp.Or(cmp.Compare(b.P, a.P), cmp.Compare(a.Cell, b.Cell))
}
