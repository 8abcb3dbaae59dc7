package enrich

// distrust is what speaks against an album's being of one person with one clock.
type distrust struct{ strays, photos float64 }

// share is how probable a photo strays. The bundle's share counts like eight
// photos seen before.
func (d distrust) share(bundles float64) float64 {
	const before = 8
	return min((before*bundles+d.strays)/(before+d.photos), 0.5)
}

// ofAnchors looks whether the anchors contradict each other: where they do (two
// people, two clocks), so may the rest.
func (e *earth) ofAnchors(members []Member) distrust {
	return e.ofPairs(members, func(Member, Member) bool { return true })
}

// ofPairs looks at some of the anchors that follow each other.
func (e *earth) ofPairs(members []Member, asked func(a, b Member) bool) distrust {
	const hopeless = 0.01 // the probability to get so far in the time
	var d distrust
	var last *Member
	for i := range members {
		m := &members[i]
		if m.Anchor == nil || m.TakenAt.IsZero() {
			continue
		}
		if last != nil && asked(*last, *m) {
			scale := e.scale(gapOf(*last, *m))
			metres := vectorOf(m.Anchor.Lat, m.Anchor.Lon).metres(vectorOf(last.Anchor.Lat, last.Anchor.Lon))
			if scale/(scale+metres) < hopeless {
				d.strays++
			}
			d.photos++
		}
		last = m
	}
	return d
}

// ofOthers adds the photos without a position: where some look like another
// part of the earth than the anchors around them, the others may be there, too.
// They are taken at the word of the CNN, without bundle.Travel's Look: what it
// is wrong about in one place it is wrong about in all photos of it, and with
// more weight they would turn a whole album away from its own positions. What is
// around a photo is asked for by its index.
func (e *earth) ofOthers(d distrust, members []Member, around func(i int) ([]float64, []spot)) distrust {
	before := doubt{d.share(e.travel.Stray), 1}
	for i, m := range members {
		if m.Anchor != nil {
			continue
		}
		if p, spots := around(i); p != nil {
			d.strays += e.strays(p, spots, m.Sight.Top, before)
			d.photos++
		}
	}
	return d
}
