package enrich

import (
	"context"
	"math"
	"testing"
	"time"
)

// TestBetweenTwoAnchors: of two towns the nearer in time is the more probable, even where the other is in the middle of the
// class that both lie in.
func TestBetweenTwoAnchors(t *testing.T) {
	m := loadTiny(t)
	e := m.earth
	middle, edge := rome, Anchor{Lat: 41.80, Lon: 12.60}
	for _, towns := range [][2]Anchor{{middle, edge}, {edge, middle}, {rome, paris}, {paris, rome}, {paris, sydney}} {
		for _, gaps := range [][2]time.Duration{{time.Minute, time.Hour}, {time.Hour, 3 * time.Hour}, {3 * time.Hour, 9 * time.Hour}} {
			album := []Member{
				{TakenAt: noon, Anchor: &towns[0]},
				{TakenAt: noon.Add(gaps[0])},
				{TakenAt: noon.Add(gaps[0] + gaps[1]), Anchor: &towns[1]},
			}
			list := newWitnesses(album, e.towns(album)).of(1)
			if len(list) != 2 || list[0].gap != gaps[0] || list[1].gap != gaps[1] {
				t.Fatalf("witnesses %+v", list)
			}
			around := e.between(list, e.known(nil, list))
			if !(around[0] > 1.3*around[1]) {
				t.Errorf("%v after %+v and %v before %+v: %v", gaps[0], towns[0], gaps[1], towns[1], around)
			}
		}
	}
}

// TestBetweenTwoAnchorsOfOneWalk: a photo a quarter of the way from one to the other is put there.
func TestBetweenTwoAnchorsOfOneWalk(t *testing.T) {
	m := loadTiny(t, func(o *Options) { o.PrecisionCap = 12 })
	from, to := Anchor{Lat: 41.90, Lon: 12.40}, Anchor{Lat: 41.90, Lon: 12.56}
	sights := see(t, m, grey, grey, grey)
	readings, err := m.Album(context.Background(), "average", []Member{
		{Sight: sights[0], TakenAt: noon, Anchor: &from},
		{Sight: sights[1], TakenAt: noon.Add(15 * time.Minute)},
		{Sight: sights[2], TakenAt: noon.Add(time.Hour), Anchor: &to},
	})
	if err != nil {
		t.Fatal(err)
	}
	if f := readings[1].Fix; f == nil || math.Abs(f.Lat-41.90) > 0.001 || math.Abs(f.Lon-12.44) > 0.001 {
		t.Errorf("fix %+v, want 41.90, 12.44", f)
	}
}

// TestRadiusGrowsWithTheGap: nobody knows as well where one is a week later.
func TestRadiusGrowsWithTheGap(t *testing.T) {
	m := loadTiny(t)
	sights := see(t, m, red, red)
	everyMode(t, m, func(t *testing.T, mode string) {
		last := Answer{}
		for _, gap := range []time.Duration{time.Minute, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour} {
			_, answers := readAlbum(t, m, mode, []Member{{sights[0], noon, &rome, ""}, {sights[1], noon.Add(gap), nil, ""}})
			if a := answers[1]; a.RadiusP50 < last.RadiusP50 || a.RadiusP90 < last.RadiusP90 || a.Confidence > last.Confidence+0.01 && last.Confidence > 0 {
				t.Errorf("after %v: %+v, before that %+v", gap, a, last)
			}
			last = answers[1]
		}
	})
}

// TestAgreementDoesNotShrinkTheRadiusToNothing: two positions of one town, days apart, and a picture that fits say that one was there
// between, and not that one went nowhere else: a radius holds what the nearer of the two would hold on its own, but for some.
func TestAgreementDoesNotShrinkTheRadiusToNothing(t *testing.T) {
	m := loadTiny(t)
	sights := see(t, m, red, red, red)
	travel := m.earth.travel
	everyMode(t, m, func(t *testing.T, mode string) {
		for _, gap := range []time.Duration{5 * time.Minute, time.Hour, 20 * time.Hour, 48 * time.Hour} {
			readings, _ := readAlbum(t, m, mode, []Member{
				{Sight: sights[0], TakenAt: noon, Anchor: &rome},
				{Sight: sights[1], TakenAt: noon.Add(gap)},
				{Sight: sights[2], TakenAt: noon.Add(2 * gap), Anchor: &rome},
			})
			f, scale := readings[1].Fix, travel.RestMetres+travel.HourMetres*math.Pow(gap.Hours(), travel.Growth)
			if f == nil {
				t.Fatalf("%v: no place between two of one", gap)
			}
			if f.RadiusP50 < 0.5*scale || f.RadiusP90 < 4.5*scale { // of one anchor: 1 and 9
				t.Errorf("%v: radii of %.0f and %.0f m, alone the nearer has %.0f and %.0f", gap, f.RadiusP50, f.RadiusP90, scale, 9*scale)
			}
		}
	})
}
