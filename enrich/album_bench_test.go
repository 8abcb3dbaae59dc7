package enrich

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"

	"github.com/golang/geo/s2"
)

// level6 is a division about as fine as PlaNet's: every cell of level 6, 24,576 of them.
func level6(tb testing.TB) *cells.Cells {
	tb.Helper()
	var rows []cells.Cell
	for id := s2.CellIDFromFace(0).ChildBeginAtLevel(6); id != s2.CellIDFromFace(5).ChildEndAtLevel(6); id = id.Next() {
		lat, lon := cells.Centre(id)
		rows = append(rows, cells.Cell{ID: id, Lat: lat, Lon: lon, Photos: 1})
	}
	table, err := cells.New(rows)
	if err != nil {
		tb.Fatal(err)
	}
	return table
}

// wander is an album of somebody who moves on a little with every photo, seen by a network that is right at times; every
// nth photo has a position.
func wander(table *cells.Cells, photos, nth int) []Member {
	random := rand.New(rand.NewPCG(1, 2))
	members := make([]Member, photos)
	lat, lon := 45.0, 10.0
	at := time.Date(2019, 5, 1, 9, 0, 0, 0, time.UTC)
	for i := range members {
		lat, lon = lat+random.NormFloat64()/50, lon+random.NormFloat64()/50
		at = at.Add(time.Duration(random.ExpFloat64() * float64(time.Hour)))
		here, _ := table.Find(lat, lon)
		top := []Candidate{{here, 0.1}}
		for k := range 31 {
			top = append(top, Candidate{random.IntN(table.Len()), 0.3 / float64(k+31)})
		}
		members[i] = Member{Sight: Sight{Top: top}, TakenAt: at}
		if nth > 0 && i%nth == 0 {
			members[i].Anchor = &Anchor{Lat: lat, Lon: lon}
		}
	}
	return members
}

func BenchmarkAlbum(b *testing.B) {
	table := level6(b)
	e := newEarth(table, bundle.DefaultTravel())
	for _, photos := range []int{14, 100, 1000, 5000} {
		for _, nth := range []int{0, 2} {
			members := wander(table, photos, nth)
			tops := make([][]Candidate, photos)
			for i, m := range members {
				tops[i] = m.Sight.Top
			}
			b.Run(fmt.Sprintf("hmm/photos=%d/anchors=%t", photos, nth > 0), func(b *testing.B) {
				for b.Loop() {
					if _, err := e.chained(context.Background(), members, 32); err != nil {
						b.Fatal(err)
					}
				}
			})
			if nth == 0 {
				continue
			}
			b.Run(fmt.Sprintf("anchors/photos=%d", photos), func(b *testing.B) {
				for b.Loop() {
					if _, err := e.anchored(context.Background(), members, tops, 32); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
