package enrich

import (
	"slices"
	"sort"
	"time"
)

// witness is an anchor as evidence for one photo.
type witness struct {
	spot   spot
	at     vector
	anchor Anchor
	gap    time.Duration // to the photo
	timed  bool          // gap is known
}

// witnesses are the anchors of an album.
type witnesses struct {
	members []Member
	towns   towns
	timed   []int // photos with an anchor and a time, in the order of their times
	all     []int // photos with an anchor
}

func newWitnesses(members []Member, t towns) *witnesses {
	w := &witnesses{members: members, towns: t}
	for i, m := range members {
		if m.Anchor == nil {
			continue
		}
		w.all = append(w.all, i)
		if !m.TakenAt.IsZero() {
			w.timed = append(w.timed, i)
		}
	}
	slices.SortStableFunc(w.timed, func(a, b int) int { return members[a].TakenAt.Compare(members[b].TakenAt) })
	return w
}

// most is how many anchors without a known distance in time are asked.
const most = 32

// of are the other anchors that photo i listens to: the last one before it and
// the first one after. Without times all are equal, and some of all are asked.
func (w *witnesses) of(i int) []witness {
	m := w.members[i]
	var list []witness
	if !m.TakenAt.IsZero() && len(w.timed) > 0 {
		after := sort.Search(len(w.timed), func(k int) bool { return w.members[w.timed[k]].TakenAt.After(m.TakenAt) })
		for before := after - 1; before >= 0; before-- {
			if w.timed[before] != i {
				list = append(list, w.witness(i, w.timed[before], true))
				break
			}
		}
		if after < len(w.timed) {
			list = append(list, w.witness(i, w.timed[after], true))
		}
	}
	if len(list) > 0 {
		return list
	}
	step := max((len(w.all)+most-1)/most, 1)
	for k := 0; k < len(w.all); k += step {
		if w.all[k] != i {
			list = append(list, w.witness(i, w.all[k], false))
		}
	}
	return list
}

// others is how many anchors there are but that of photo i.
func (w *witnesses) others(i int) int {
	if w.members[i].Anchor != nil {
		return len(w.all) - 1
	}
	return len(w.all)
}

func (w *witnesses) witness(photo, anchor int, timed bool) witness {
	m := w.members[anchor]
	gap := unknownGap
	if timed {
		gap = gapOf(w.members[photo], m)
	}
	return witness{
		spot: w.towns.spots[w.towns.of[anchor]], at: vectorOf(m.Anchor.Lat, m.Anchor.Lon),
		anchor: *m.Anchor, gap: gap, timed: timed,
	}
}

// between is where the anchors alone say that a photo was taken: on the way from
// the one before to the one after. The way there counts like the way back, and both
// pull alike, so that of two anchors the nearer in time is the more probable.
func (e *earth) between(list []witness, spots []spot) []float64 {
	around, prior := make([]float64, len(spots)+1), (&stretch{spots: spots}).prior()
	row := make([]float64, len(spots)+1)
	product := len(list) == 2 && list[0].timed
	pulls := 0.0
	for _, w := range list {
		pulls += e.departure(w.spot, w.gap).pulls / float64(len(list))
	}
	for n, w := range list {
		d := departure{w.spot, e.scale(w.gap), pulls}
		row[len(spots)] = d.fill(spots, row[:len(spots)])
		for i, p := range row {
			switch {
			case !product || n == 0:
				around[i] += p
			case prior[i] > 0:
				around[i] *= p / prior[i]
			}
		}
	}
	scaleToOne(around)
	return around
}

// known are the classes a photo may be in and the places of its witnesses.
func (e *earth) known(top []Candidate, list []witness) []spot {
	spots := e.likeliest([][]Candidate{top}, len(top))
	taken := map[int]bool{}
	for _, w := range list {
		if !taken[w.spot.id] {
			taken[w.spot.id] = true
			spots = append(spots, w.spot)
		}
	}
	return spots
}
