package enrich

import "time"

// sameTown is within how many metres anchors are one place.
const sameTown = 1000

const (
	sceneGap  = 10 * time.Minute
	sceneMost = 50
)

// newChain cuts an album into stretches of so many photos.
func (e *earth) newChain(members []Member, stray float64, photos int) *chain {
	c := &chain{earth: e, members: members, stray: stray, towns: e.towns(members)}
	for lo := 0; lo < len(members); lo += photos {
		s := &stretch{lo: lo, hi: min(lo+photos, len(members)), moves: map[int][]float64{}}
		var tops [][]Candidate
		for _, m := range members[s.lo:s.hi] {
			tops = append(tops, m.Sight.Top)
		}
		s.spots = append(e.likeliest(tops, stretchSpots), c.towns.near(s.lo, s.hi)...)
		for i, m := range members[s.lo:s.hi] {
			s.seen = append(s.seen, c.look(s, m, c.towns.of[s.lo+i], c.scene(s.lo+i)))
		}
		c.stretches = append(c.stretches, s)
	}
	return c
}

// spotsOf are the spots that photo i may be at.
func (c *chain) spotsOf(i int) []spot { return c.stretches[i/stretchPhotos].spots }

// look is the evidence of one photo for the spots of its stretch: of an anchor,
// that it was there, else what it looks like, all photos of its scene counting
// for one. Either way it may stray, and then says nothing.
func (c *chain) look(s *stretch, m Member, town, photos int) []float64 {
	seen := c.evidence(m.Sight.Top, s.spots, c.travel.Evidence/float64(photos))
	for i := range seen {
		if m.Anchor != nil {
			seen[i] = 0
			if i < len(s.spots) && s.spots[i].id == -1-town {
				seen[i] = 1 / s.spots[i].share
			}
		}
		seen[i] = c.stray + (1-c.stray)*seen[i]
	}
	return seen
}

// scene is how many photos were taken within ten minutes of photo i: they mostly
// show the same, and are mistaken in the same way.
func (c *chain) scene(i int) int {
	n := 1
	for _, step := range []int{-1, 1} {
		for j := i + step; j >= 0 && j < len(c.members) && n < sceneMost; j += step {
			if c.members[j].TakenAt.IsZero() || c.members[i].TakenAt.IsZero() || gapOf(c.members[j], c.members[i]) > sceneGap {
				break
			}
			n++
		}
	}
	return n
}

// towns are the places of an album's anchors.
type towns struct {
	spots []spot
	of    []int // photo → its town, -1 without an anchor
}

// towns puts anchors in a row that are close to each other into one place.
func (e *earth) towns(members []Member) towns {
	t := towns{of: make([]int, len(members))}
	for i, m := range members {
		t.of[i] = -1
		if m.Anchor == nil {
			continue
		}
		here := e.place(*m.Anchor, len(t.spots))
		for n, s := range t.spots {
			if s.at.metres(here.at) <= min(sameTown, s.radius) {
				t.of[i] = n
				break
			}
		}
		if t.of[i] < 0 {
			t.of[i] = len(t.spots)
			t.spots = append(t.spots, here)
		}
	}
	return t
}

// near are the towns of photos [lo, hi), and of the last anchor before and the
// first after, so that a stretch without an anchor knows where it comes from.
func (t towns) near(lo, hi int) []spot {
	for lo > 0 {
		if lo--; t.of[lo] >= 0 {
			break
		}
	}
	for hi < len(t.of) {
		if hi++; t.of[hi-1] >= 0 {
			break
		}
	}
	var spots []spot
	taken := map[int]bool{}
	for _, n := range t.of[lo:hi] {
		if n >= 0 && !taken[n] {
			taken[n] = true
			spots = append(spots, t.spots[n])
		}
	}
	return spots
}
