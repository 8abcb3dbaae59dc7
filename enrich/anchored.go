package enrich

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// anchored adds the evidence of the anchors to what a mode says of each photo.
func (e *earth) anchored(ctx context.Context, members []Member, tops [][]Candidate, k int) ([]Reading, error) {
	w := newWitnesses(members, e.towns(members))
	stray := e.distrust(members)
	readings := make([]Reading, len(members))
	for i := range members {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("read album: %w", err)
		}
		list := w.of(i)
		if len(list) == 0 {
			readings[i] = Reading{Top: tops[i]}
			continue
		}
		spots := e.known(tops[i], list)
		b := e.weigh(e.between(list, spots), spots, tops[i], members[i].Sight.Top, stray)
		readings[i] = e.reading(b, tops[i], k, list)
		readings[i].Anchors = w.others(i)
	}
	return readings, nil
}

// chained is the mode hmm. It puts the photos in the order of their times: those
// are what it goes by.
func (e *earth) chained(ctx context.Context, members []Member, k int) ([]Reading, error) {
	order := make([]int, len(members))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := members[a].TakenAt, members[b].TakenAt
		if x.IsZero() != y.IsZero() {
			if x.IsZero() {
				return 1
			}
			return -1
		}
		return x.Compare(y)
	})
	sorted := make([]Member, len(members))
	for i, from := range order {
		sorted[i] = members[from]
	}
	stray := e.distrust(sorted)
	c := e.newChain(sorted, stray, stretchPhotos)
	around, err := c.around(ctx)
	if err != nil {
		return nil, err
	}
	w := newWitnesses(sorted, c.towns)
	readings := make([]Reading, len(members))
	for i, m := range sorted {
		b := e.weigh(around[i], c.stretches[i/stretchPhotos].spots, m.Sight.Top, m.Sight.Top, stray)
		r := e.reading(b, m.Sight.Top, k, w.of(i))
		r.Anchors = w.others(i)
		readings[order[i]] = r
	}
	return readings, nil
}

// reading is what follows from the beliefs about one photo.
func (e *earth) reading(b beliefs, top []Candidate, k int, list []witness) Reading {
	r := Reading{Top: b.classes(top, k)}
	if len(list) == 0 {
		return r
	}
	r.Fix = e.fix(b, list, top)
	nearest := slices.MinFunc(list, func(a, b witness) int { return cmp.Compare(a.gap, b.gap) })
	r.Nearest = &NearestAnchor{Kind: nearest.anchor.Kind, Gap: nearest.gap, Timed: nearest.timed}
	return r
}
