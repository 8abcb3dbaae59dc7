package enrich

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestEvidence(t *testing.T) {
	m := loadTiny(t)
	e := m.earth
	nearRome, nearParis := e.place(Anchor{Lat: 41.7316, Lon: 12.2763}, 0), e.place(Anchor{Lat: 50, Lon: 3}, 1)
	spots := []spot{e.spots[0], e.spots[1], e.spots[2], nearRome, nearParis}
	got := e.evidence([]Candidate{{0, 0.9}, {1, 0.0001}}, spots, 1)
	// Four classes alike: 0.9 is 3.6 times the prior, and what is left is shared by two.
	for i, want := range []float64{3.6, 0.0004, 0.1998, 3.6, 0.1998, 0.1998} {
		if math.Abs(got[i]-want) > 1e-4 {
			t.Errorf("spot %d: %.4f, want %.4f (a place in a gap may look like its neighbours, but need not)", i, got[i], want)
		}
	}
}

// TestEvidenceIsOneOnAverage, so that what says nothing changes nothing; and nothing is impossible.
func TestEvidenceIsOneOnAverage(t *testing.T) {
	m := loadTiny(t)
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.Float64Range(0, 1).Draw(t, "p")
		top := []Candidate{{0, p}, {3, (1 - p) * rapid.Float64Range(0, 1).Draw(t, "second")}}
		got := m.earth.evidence(top, m.earth.spots, rapid.Float64Range(0.01, 4).Draw(t, "weight"))
		mean := 0.0
		for _, v := range got[:4] {
			if mean += v / 4; !(v > 0) {
				t.Fatalf("%v: %v", top, got)
			}
		}
		if math.Abs(mean-1) > 1e-9 {
			t.Fatalf("%v: %v, on average %v", top, got, mean)
		}
	})
}

// TestDoubtSpreads: two photos of New York among Roman positions make a third, which shows nothing, less certain.
func TestDoubtSpreads(t *testing.T) {
	m := loadTiny(t)
	sure := func(mode string, colours ...[3]byte) Answer {
		var album []Member
		for i, s := range see(t, m, colours...) {
			album = append(album, Member{Sight: s, TakenAt: noon.AddDate(0, 0, i/2)})
			if i%2 == 0 {
				album[i].Anchor = &rome
			}
		}
		_, answers := readAlbum(t, m, mode, album)
		return answers[1]
	}
	everyMode(t, m, func(t *testing.T, mode string) {
		alike, mixed := sure(mode, grey, grey, grey, grey, grey, grey), sure(mode, grey, grey, grey, blue, grey, blue)
		if !(mixed.Confidence < alike.Confidence-0.02) || mixed.RadiusP90 < alike.RadiusP90 {
			t.Errorf("among its like %.3f within %.0f km, among New York %.3f within %.0f km",
				alike.Confidence, alike.RadiusP90/1000, mixed.Confidence, mixed.RadiusP90/1000)
		}
	})
}
