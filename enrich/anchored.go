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
	r := e.newReader(w, e.ofAnchors(members), func(i int) ([]float64, []spot) { return around[i], spots[i] })
	readings := make([]Reading, len(members))
	for i := range members {
		readings[i] = r.read(i, tops[i], k, lists[i])
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
	r := e.newReader(w, trust, func(i int) ([]float64, []spot) { return around[i], c.spotsOf(i) })
	readings := make([]Reading, len(members))
	for i, m := range sorted {
		readings[order[i]] = r.read(i, m.Sight.Top, k, w.of(i))
	}
	return readings, nil
}

// byTime lists the photos in the order of their times, those without one last.
func byTime(members []Member) []int {
	order := make([]int, len(members))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return CaptureOrder(members[a].TakenAt, members[b].TakenAt) })
	return order
}

// reader reads the photos of one album, once it is known what is around each.
type reader struct {
	*earth
	witnesses *witnesses
	around    func(i int) ([]float64, []spot) // nil where nothing is
	trust     doubt                           // by how the anchors agree with each other
	caution   doubt                           // and by how the looks of the other photos agree with them
	strange   []float64                       // how probable the camera of a photo was somewhere else; 0 where one of its photos has a position
}

func (e *earth) newReader(w *witnesses, anchors distrust, around func(i int) ([]float64, []spot)) *reader {
	others := e.ofOthers(anchors, w.members, around)
	return &reader{
		e, w, around,
		doubt{anchors.share(e.travel.Stray), 1},
		doubt{others.share(e.travel.Stray), e.travel.Look},
		e.strangers(w.members, around),
	}
}

// doubts are those about one photo.
func (r *reader) doubts(i int) (trust, caution doubt) {
	trust, caution = r.trust, r.caution
	trust.stray, caution.stray = max(trust.stray, r.strange[i]), max(caution.stray, r.strange[i])
	return trust, caution
}

// read is what follows for photo i, of which the mode says top, with the anchors
// it listens to.
func (r *reader) read(i int, top []Candidate, k int, list []witness) Reading {
	reading := Reading{Top: top, Anchors: r.witnesses.others(i)}
	around, spots := r.around(i)
	if around == nil {
		return reading
	}
	own, w := r.witnesses.members[i].Sight.Top, r.weigh(around, spots, top)
	trust, caution := r.doubts(i)
	b := beliefs{w, r.strays(around, spots, own, trust)}
	reading.Top = b.classes(top, k)
	if len(list) == 0 {
		return reading
	}
	reading.Fix = r.fix(b, beliefs{w, r.strays(around, spots, own, caution)}, list, top)
	nearest := slices.MinFunc(list, func(a, b witness) int { return cmp.Compare(a.gap, b.gap) })
	reading.Nearest = &NearestAnchor{Kind: nearest.anchor.Kind, Gap: nearest.gap, Timed: nearest.timed}
	return reading
}
