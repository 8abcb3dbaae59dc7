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
	lists, spots, around := make([][]witness, len(members)), make([][]spot, len(members)), make([][]float64, len(members))
	for i := range members {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("read album: %w", err)
		}
		if lists[i] = w.of(i); len(lists[i]) > 0 {
			spots[i] = e.known(tops[i], lists[i])
			around[i] = e.between(lists[i], spots[i])
		}
	}
	trust := e.ofAnchors(members)
	others := e.ofOthers(trust, members, func(i int) ([]float64, []spot) { return around[i], spots[i] })
	readings := make([]Reading, len(members))
	for i, m := range members {
		readings[i] = Reading{Top: tops[i]}
		if around[i] != nil {
			b := e.weigh(around[i], spots[i], tops[i], m.Sight.Top, doubt{trust.share(e.travel.Stray), 1})
			doubts := e.weigh(around[i], spots[i], tops[i], m.Sight.Top, doubt{others.share(e.travel.Stray), e.travel.Look})
			readings[i] = e.reading(b, doubts, tops[i], k, lists[i])
		}
		readings[i].Anchors = w.others(i)
	}
	return readings, nil
}

// chained is the mode hmm. It puts the photos in the order of their times: those
// are what it goes by.
func (e *earth) chained(ctx context.Context, members []Member, k int) ([]Reading, error) {
	order := byTime(members)
	sorted := make([]Member, len(members))
	for i, from := range order {
		sorted[i] = members[from]
	}
	trust := e.ofAnchors(sorted)
	c := e.newChain(sorted, trust.share(e.travel.Stray), stretchPhotos)
	around, err := c.around(ctx)
	if err != nil {
		return nil, err
	}
	w := newWitnesses(sorted, c.towns)
	others := e.ofOthers(trust, sorted, func(i int) ([]float64, []spot) { return around[i], c.spotsOf(i) })
	readings := make([]Reading, len(members))
	for i, m := range sorted {
		b := e.weigh(around[i], c.spotsOf(i), m.Sight.Top, m.Sight.Top, doubt{trust.share(e.travel.Stray), 1})
		doubts := e.weigh(around[i], c.spotsOf(i), m.Sight.Top, m.Sight.Top, doubt{others.share(e.travel.Stray), e.travel.Look})
		r := e.reading(b, doubts, m.Sight.Top, k, w.of(i))
		r.Anchors = w.others(i)
		readings[order[i]] = r
	}
	return readings, nil
}

// byTime lists the photos in the order of their times, those without one last.
func byTime(members []Member) []int {
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
	return order
}

// reading is what follows from the beliefs about one photo.
func (e *earth) reading(b, doubts beliefs, top []Candidate, k int, list []witness) Reading {
	r := Reading{Top: b.classes(top, k)}
	if len(list) == 0 {
		return r
	}
	r.Fix = e.fix(b, doubts, list, top)
	nearest := slices.MinFunc(list, func(a, b witness) int { return cmp.Compare(a.gap, b.gap) })
	r.Nearest = &NearestAnchor{Kind: nearest.anchor.Kind, Gap: nearest.gap, Timed: nearest.timed}
	return r
}
