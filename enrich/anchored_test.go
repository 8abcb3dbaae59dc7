package enrich

import (
	"context"
	"slices"
	"testing"
	"time"
)

var (
	rome   = Anchor{Lat: 41.9028, Lon: 12.4964, Kind: "exif"}
	paris  = Anchor{Lat: 48.8566, Lon: 2.3522, Kind: "reference"}
	sydney = Anchor{Lat: -33.8688, Lon: 151.2093}
	noon   = time.Date(2019, 5, 1, 12, 0, 0, 0, time.UTC)
)

// everyMode runs a test in each mode that the tiny bundle has.
func everyMode(t *testing.T, m *Model, test func(t *testing.T, mode string)) {
	t.Helper()
	for _, mode := range []string{"average", "lstm", "lstm_repeat", "blstm", "hmm"} {
		if m.Offers(mode) {
			t.Run(mode, func(t *testing.T) { test(t, mode) })
		}
	}
}

func readAlbum(t *testing.T, m *Model, mode string, members []Member) ([]Reading, []Answer) {
	t.Helper()
	readings, err := m.Album(context.Background(), mode, members)
	if err != nil {
		t.Fatal(err)
	}
	if len(readings) != len(members) {
		t.Fatalf("%d readings of %d photos", len(readings), len(members))
	}
	answers := make([]Answer, len(readings))
	for i, r := range readings {
		if err := checkTop(r.Top, m.info.Cells); err != nil {
			t.Errorf("photo %d: %v: %v", i, r.Top, err)
		}
		answers[i] = m.AnswerAlbum(mode, r)
	}
	return readings, answers
}

func kmTo(a Answer, to Anchor) float64 { return DistanceMetres(a.Lat, a.Lon, to.Lat, to.Lon) / 1000 }

// TestAnchorsNearInTime: what lies between two photos of one town was taken there, whatever it looks like.
func TestAnchorsNearInTime(t *testing.T) {
	m := loadTiny(t)
	sights := see(t, m, grey, grey, grey)
	everyMode(t, m, func(t *testing.T, mode string) {
		town := Anchor{Lat: 43.7696, Lon: 11.2558, Kind: "exif"} // Florence: in no cell of the bundle
		readings, answers := readAlbum(t, m, mode, []Member{
			{Sight: sights[0], TakenAt: noon, Anchor: &town},
			{Sight: sights[1], TakenAt: noon.Add(20 * time.Minute)},
			{Sight: sights[2], TakenAt: noon.Add(50 * time.Minute), Anchor: &town},
		})
		a, r := answers[1], readings[1]
		if a.Abstained || kmTo(a, town) > 2 || a.RadiusP90 < a.RadiusP50 || a.RadiusP90 > 50e3 {
			t.Errorf("%.1f km off, %+v", kmTo(a, town), a)
		}
		if r.Anchors != 2 || r.Nearest == nil || r.Nearest.Gap != 20*time.Minute || r.Nearest.Kind != "exif" || !r.Nearest.Timed {
			t.Errorf("reading %+v, nearest %+v", r, r.Nearest)
		}
		if readings[0].Anchors != 1 {
			t.Errorf("an anchor counts itself: %d", readings[0].Anchors)
		}
		if a.Level > m.info.PrecisionCap {
			t.Errorf("level %d is finer than the cap", a.Level)
		}
	})
}

// TestAnchorsOfAnotherPerson: a photo that shows New York is not in Rome because a friend in Rome is in the album; and one
// that shows nothing has an honest radius.
func TestAnchorsOfAnotherPerson(t *testing.T) {
	m := loadTiny(t)
	sights := see(t, m, grey, blue, grey, blue, grey)
	everyMode(t, m, func(t *testing.T, mode string) {
		album := make([]Member, len(sights))
		for i, s := range sights {
			album[i] = Member{Sight: s, TakenAt: noon.Add(time.Duration(i) * 10 * time.Minute)}
			if i%2 == 0 {
				album[i].Anchor = &rome
			}
		}
		_, answers := readAlbum(t, m, mode, album)
		for _, i := range []int{1, 3} {
			a := answers[i]
			newYork := Anchor{Lat: 40.7128, Lon: -74.0060}
			if off := kmTo(a, newYork); !a.Abstained && off > a.RadiusP90/1000+5 {
				t.Errorf("photo %d: %.0f km from New York with a radius of %.0f km and confidence %.2f", i, off, a.RadiusP90/1000, a.Confidence)
			}
		}
	})
}

// TestAnchorsThatContradictEachOther: two people who both have positions make each other doubtful.
func TestAnchorsThatContradictEachOther(t *testing.T) {
	m := loadTiny(t)
	var album []Member
	for i := range 12 {
		member := Member{Sight: see(t, m, grey)[0], TakenAt: noon.Add(time.Duration(i) * 5 * time.Minute)}
		if i%3 == 0 {
			member.Anchor = &rome
		} else if i%3 == 1 {
			member.Anchor = &sydney
		}
		album = append(album, member)
	}
	if d := m.earth.ofAnchors(album); d.share(0.05) < 0.3 {
		t.Errorf("%+v, a share of %.2f, want it far above 0.05", d, d.share(0.05))
	}
	everyMode(t, m, func(t *testing.T, mode string) {
		_, answers := readAlbum(t, m, mode, album)
		for i, a := range answers {
			if album[i].Anchor == nil && !a.Abstained && a.RadiusP90 < 1000e3 {
				t.Errorf("photo %d: confidence %.2f within %.0f km", i, a.Confidence, a.RadiusP90/1000)
			}
		}
	})
}

// TestAnchorsOfAnotherClock: a camera whose clock is years off is not near in time, so its photos are where they look to be.
func TestAnchorsOfAnotherClock(t *testing.T) {
	m := loadTiny(t)
	for _, off := range []time.Duration{-10 * 365 * 24 * time.Hour, 80 * 365 * 24 * time.Hour} {
		everyMode(t, m, func(t *testing.T, mode string) {
			var album []Member
			for i, s := range see(t, m, grey, red, grey, red) {
				at := noon.Add(time.Duration(i) * time.Hour)
				if i%2 == 0 {
					album = append(album, Member{Sight: s, TakenAt: at, Anchor: &sydney})
				} else {
					album = append(album, Member{Sight: s, TakenAt: at.Add(off)})
				}
			}
			_, answers := readAlbum(t, m, mode, album)
			for _, i := range []int{1, 3} {
				if off := kmTo(answers[i], rome); !answers[i].Abstained && off > answers[i].RadiusP90/1000 {
					t.Errorf("photo %d: %.0f km from Rome, radius %.0f km", i, off, answers[i].RadiusP90/1000)
				}
			}
		})
	}
}

// TestAnchorsWithoutTimes are evidence for all photos alike.
func TestAnchorsWithoutTimes(t *testing.T) {
	m := loadTiny(t)
	sights := see(t, m, grey, grey, grey)
	everyMode(t, m, func(t *testing.T, mode string) {
		readings, answers := readAlbum(t, m, mode, []Member{
			{Sight: sights[0], TakenAt: noon},
			{Sight: sights[1], Anchor: &paris},
			{Sight: sights[2]},
		})
		for _, i := range []int{0, 2} {
			if kmTo(answers[i], paris) > 100 || readings[i].Nearest == nil || readings[i].Nearest.Timed {
				t.Errorf("photo %d: %+v, nearest %+v", i, answers[i], readings[i].Nearest)
			}
		}
	})
}

// TestAnAnchorDoesNotSeeItself: what the model makes of a photo with a position is its own opinion, to be compared.
func TestAnAnchorDoesNotSeeItself(t *testing.T) {
	m := loadTiny(t)
	sights := see(t, m, red, red, grey)
	everyMode(t, m, func(t *testing.T, mode string) {
		readings, answers := readAlbum(t, m, mode, []Member{
			{Sight: sights[0], TakenAt: noon, Anchor: &sydney},
			{Sight: sights[1], TakenAt: noon.Add(time.Minute)},
			{Sight: sights[2], TakenAt: noon.Add(2 * time.Minute)},
		})
		if r := readings[0]; r.Fix != nil || r.Nearest != nil || r.Anchors != 0 || kmTo(answers[0], rome) > 1 {
			t.Errorf("%+v, %.0f km from Rome", r, kmTo(answers[0], rome))
		}
	})
}

func TestTownsOfAStretch(t *testing.T) {
	m := loadTiny(t)
	near := Anchor{Lat: rome.Lat + 0.001, Lon: rome.Lon}
	album := make([]Member, 9)
	album[1].Anchor, album[3].Anchor, album[4].Anchor, album[7].Anchor, album[8].Anchor = &paris, &rome, &near, &sydney, &paris
	towns := m.earth.towns(album)
	if got, want := towns.of, []int{-1, 0, -1, 1, 1, -1, -1, 2, 0}; !slices.Equal(got, want) {
		t.Fatalf("towns %v, want %v", got, want)
	}
	for _, row := range []struct {
		lo, hi int
		want   []int
	}{
		{2, 3, []int{0, 1}},    // nobody knows where it was: the last before, the first after
		{4, 7, []int{1, 2}},    // the same town twice is one
		{0, 1, []int{0}},       // nothing before
		{8, 9, []int{2, 0}},    // nothing after
		{0, 9, []int{0, 1, 2}}, // all
		{5, 7, []int{1, 2}},    // one photo away on both sides
	} {
		var got []int
		for _, s := range towns.near(row.lo, row.hi) {
			got = append(got, -1-s.id)
		}
		if !slices.Equal(got, row.want) {
			t.Errorf("photos %d to %d know %v, want %v", row.lo, row.hi, got, row.want)
		}
	}
}

// TestAPlaceInAGapLooksLikeItsNeighbours, since photos there were not worth a class of their own.
func TestAPlaceInAGapLooksLikeItsNeighbours(t *testing.T) {
	m := loadTiny(t)
	for class, at := range map[int]Anchor{2: {Lat: -27, Lon: 153}, 1: {Lat: 50, Lon: 3}, 3: {Lat: 42, Lon: -71}} {
		if s := m.earth.place(at, 4); s.row != -1 || s.looks != class || s.id != -5 {
			t.Errorf("%+v is %+v, want it to look like class %d", at, s, class)
		}
	}
	if s := m.earth.place(rome, 0); s.row != 0 || s.looks != 0 || s.radius > placeRadius || s.share > 0.25 {
		t.Errorf("Rome is %+v", s)
	}
}
