package enrich

import (
	"context"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/golang/geo/s2"

	"planetag/enrich/cells"
)

func TestAlbumsOfEveryKind(t *testing.T) {
	m := loadTiny(t)
	one := see(t, m, red)[0]
	now := noon.AddDate(200, 0, 0) // in the future of whoever reads this
	for _, row := range []struct {
		story   string
		members []Member
	}{
		{"one photo", []Member{{Sight: one}}},
		{"one photo, with its position", []Member{{Sight: one, TakenAt: noon, Anchor: &rome}}},
		{"all have a position", []Member{{one, noon, &rome, ""}, {one, noon, &rome, ""}, {one, noon.Add(time.Hour), &paris, ""}}},
		{"times in the future", []Member{{one, now, &rome, ""}, {one, now.Add(time.Minute), nil, ""}}},
		{"the oldest and the newest time there is", []Member{{one, time.Unix(-1<<40, 0), &rome, ""}, {one, time.Unix(1<<40, 0), nil, ""}}},
		{"backwards", []Member{{one, noon, nil, ""}, {one, noon.Add(-time.Hour), &rome, ""}, {one, noon.Add(-2 * time.Hour), nil, ""}}},
		{"both names of the antimeridian", []Member{{one, noon, &Anchor{Lat: -17, Lon: 180}, ""}, {one, noon, &Anchor{Lat: -17, Lon: -180}, ""}, {one, noon, nil, ""}}},
		{"a pole", []Member{{one, noon, &Anchor{Lat: 90, Lon: 7}, ""}, {one, noon, nil, ""}}},
	} {
		t.Run(row.story, func(t *testing.T) {
			everyMode(t, m, func(t *testing.T, mode string) {
				_, answers := readAlbum(t, m, mode, row.members)
				for i, a := range answers {
					if !cells.Valid(a.Lat, a.Lon) || !(a.RadiusP90 >= a.RadiusP50) || !(a.RadiusP50 > 0) || math.IsNaN(a.Confidence) {
						t.Errorf("photo %d: %+v", i, a)
					}
				}
			})
		})
	}
}

func TestAlbumOfFiveThousand(t *testing.T) {
	m := loadTiny(t)
	s := see(t, m, red, grey)
	members := make([]Member, 5000)
	for i := range members {
		members[i] = Member{Sight: s[i%2], TakenAt: noon.Add(time.Duration(i) * time.Minute)}
		if i%100 == 0 {
			members[i].Anchor = &rome
		}
	}
	everyMode(t, m, func(t *testing.T, mode string) {
		_, answers := readAlbum(t, m, mode, members)
		for _, i := range []int{0, 127, 128, 2501, 4999} {
			if kmTo(answers[i], rome) > 25 {
				t.Errorf("photo %d is %+v", i, answers[i])
			}
		}
	})
}

func TestAlbumRefusesAnchorsOffTheEarth(t *testing.T) {
	m := loadTiny(t)
	s := see(t, m, red)[0]
	for _, bad := range []Anchor{{Lat: 91}, {Lon: 180.5}, {Lat: math.NaN()}, {Lon: math.Inf(1)}} {
		everyMode(t, m, func(t *testing.T, mode string) {
			if _, err := m.Album(context.Background(), mode, []Member{{Sight: s}, {Sight: s, Anchor: &bad}}); !errors.Is(err, ErrAnchor) {
				t.Errorf("%+v: %v", bad, err)
			}
		})
	}
}

func TestAlbumRefusesNumbersThatAreNone(t *testing.T) {
	m := loadTiny(t)
	everyMode(t, m, func(t *testing.T, mode string) {
		for _, spoil := range []func(*Sight){
			func(s *Sight) { s.Embedding[3] = float32(math.NaN()) },
			func(s *Sight) { s.Top[0].P = math.NaN() },
			func(s *Sight) { s.Top[0].Cell = 4 },
		} {
			s := see(t, m, red, red)
			spoil(&s[1])
			if _, err := m.Album(context.Background(), mode, membersOf(s)); !errors.Is(err, ErrOutput) {
				t.Errorf("got %v, want ErrOutput", err)
			}
		}
	})
}

// TestFixIsNoFinerThanTheCap: the place that follows from one photo's position must not tell it to the metre.
func TestFixIsNoFinerThanTheCap(t *testing.T) {
	for _, level := range []int{12, 9, 5} {
		m := loadTiny(t, func(o *Options) { o.PrecisionCap = level })
		for _, at := range []Anchor{rome, {Lat: 43.7696, Lon: 11.2558}} { // in a cell, and in none
			a := m.AnswerAlbum("average", Reading{Top: []Candidate{{0, 0.9}}, Fix: &Fix{Lat: at.Lat, Lon: at.Lon, P: 0.9, RadiusP50: 10, RadiusP90: 20}})
			leaf, _ := cells.Leaf(at.Lat, at.Lon)
			lat, lon := cells.Centre(leaf.Parent(level))
			if a.Lat != lat || a.Lon != lon || a.RadiusP50 < cells.HalfDiagonal(leaf.Parent(level)) || a.Level > level {
				t.Errorf("cap %d: %+v", level, a)
			}
			if !s2.CellIDFromToken(a.Cell).Contains(leaf) {
				t.Errorf("cap %d: cell %s does not hold %+v", level, a.Cell, at)
			}
		}
	}
}

func TestFixWithoutEnoughBehindItAbstains(t *testing.T) {
	m := loadTiny(t)
	for p, want := range map[float64]bool{0.49: true, 0.5: false, 1: false} {
		a := m.AnswerAlbum("average", Reading{Top: []Candidate{{0, 0.9}}, Fix: &Fix{Lat: 1, Lon: 2, P: p, RadiusP50: 1, RadiusP90: 2}})
		if a.Abstained != want || a.Confidence != p {
			t.Errorf("P = %v: %+v", p, a)
		}
	}
}

// TestModesNobodyCalibrated are there to be measured, and never published.
func TestModesNobodyCalibrated(t *testing.T) {
	m := loadTiny(t)
	delete(m.placer.calibration, "hmm")
	_, answers := readAlbum(t, m, "hmm", membersOf(see(t, m, red, red)))
	for _, a := range answers {
		if !a.Abstained || a.Place.Country != "Italy" {
			t.Errorf("got %+v", a)
		}
	}
	if got := fmt.Sprint(m.Offers("hmm"), m.Offers("average"), m.Offers("none"), m.Offers("single")); got != "true true false false" {
		t.Error(got)
	}
}
