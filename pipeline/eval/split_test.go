package eval

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"planetag/enrich"
)

func TestParseSplit(t *testing.T) {
	for _, text := range []string{"album", "source", "spatial:25", "spatial:0.5"} {
		s, err := ParseSplit(text)
		if err != nil || s.String() != text {
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	if (Split{}).String() != "album" {
		t.Error("the zero split is by album")
	}
	for _, text := range []string{"", "photo", "spatial", "spatial:", "spatial:near", "spatial:0", "spatial:-1", "spatial:NaN", "spatial:1e9", "album:3"} {
		if _, err := ParseSplit(text); !errors.Is(err, ErrSplit) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// places around Paris: the Louvre, Notre-Dame 1.1 km from it, Versailles 18 km, and Rome.
func places() []Row {
	return []Row{
		{ID: "louvre", Lat: 48.8606, Lon: 2.3376, Album: "paris", Source: "anna", Line: 2},
		{ID: "notre-dame", Lat: 48.8530, Lon: 2.3499, Album: "paris", Source: "ben", Line: 3},
		{ID: "versailles", Lat: 48.8049, Lon: 2.1204, Source: "anna", Line: 4},
		{ID: "rome", Lat: 41.8902, Lon: 12.4922, Line: 5},
	}
}

func TestUnits(t *testing.T) {
	for _, row := range []struct {
		split string
		want  []int
	}{
		{"album", []int{0, 0, 1, 2}},
		{"source", []int{0, 1, 0, 2}},
		{"spatial:0.01", []int{0, 1, 2, 3}},
		{"spatial:500", []int{0, 0, 0, 1}},
	} {
		s, err := ParseSplit(row.split)
		if err != nil {
			t.Fatal(err)
		}
		got, count := s.units(places())
		if !reflect.DeepEqual(got, row.want) || count != row.want[len(row.want)-1]+1 {
			t.Errorf("%s: units %v (%d), want %v", row.split, got, count, row.want)
		}
	}
}

func TestApartLeavesOutWhatTheGalleryHolds(t *testing.T) {
	gallery := []Row{{ID: "g0", Lat: -33.9, Lon: 151.2}, {ID: "g1", Lat: 48.8530, Lon: 2.3499, Album: "paris", Source: "anna"}}
	for _, row := range []struct {
		split string
		out   []string
	}{
		{"album", []string{"louvre", "notre-dame"}},
		{"source", []string{"louvre", "versailles"}},
		{"spatial:0.1", []string{"notre-dame"}},
		{"spatial:2", []string{"louvre", "notre-dame"}},
		{"spatial:17.5", []string{"louvre", "notre-dame"}},
		{"spatial:18", []string{"louvre", "notre-dame", "versailles"}},
		{"spatial:3000", []string{"louvre", "notre-dame", "versailles", "rome"}},
	} {
		s, err := ParseSplit(row.split)
		if err != nil {
			t.Fatal(err)
		}
		kept, out := s.apart(places(), gallery)
		var ids []string
		for _, o := range out {
			ids = append(ids, o.ID)
			if o.Gallery != "g1" || o.Line == 0 || (o.DistanceKm == nil) != (o.Unit != "") {
				t.Errorf("%s: says too little: %+v", row.split, o)
			}
		}
		if !reflect.DeepEqual(ids, row.out) || len(kept)+len(out) != 4 {
			t.Errorf("%s: left out %v, want %v", row.split, ids, row.out)
		}
	}
}

func TestSplitOfPredictions(t *testing.T) {
	predictions := file(t, "p.csv", others)
	near := file(t, "train.csv", "id,file,lat,lon,album\nt1,t.jpg,48.86,2.36,\n")
	spatial, err := ParseSplit("spatial:5")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Run(context.Background(), Options{Predictions: predictions, Gallery: near, Split: spatial})
	if err != nil {
		t.Fatal(err)
	}
	// Both Paris photos are 1 km from a training photo; London and New York stay.
	if got.Photos != 4 || got.N != 2 || len(got.Split.LeftOut) != 2 || got.Split.LeftOut[0].ID != "spot" || got.Split.By != "spatial:5" {
		t.Errorf("n %d, split %+v", got.N, got.Split)
	}
	everywhere, _ := ParseSplit("spatial:20000")
	if _, err = Run(context.Background(), Options{Predictions: predictions, Gallery: near, Split: everywhere}); !errors.Is(err, ErrSplit) || !strings.Contains(err.Error(), "none is left") {
		t.Errorf("nothing is 20000 km away: %v", err)
	}
	source, _ := ParseSplit("source")
	if _, err = Run(context.Background(), Options{Predictions: predictions, Split: source}); !errors.Is(err, ErrSplit) || !strings.Contains(err.Error(), "source_repo") {
		t.Errorf("no column source: %v", err)
	}
}

// The neighbour in the band is the neighbour of all.
func TestNearestNeighbourIsTheNearest(t *testing.T) {
	degrees := func(limit float64) *rapid.Generator[float64] { return rapid.Float64Range(-limit, limit) }
	rapid.Check(t, func(t *rapid.T) {
		var list []Row
		for range rapid.IntRange(0, 30).Draw(t, "photos") {
			list = append(list, Row{Lat: degrees(90).Draw(t, "lat"), Lon: degrees(180).Draw(t, "lon")})
		}
		lat, lon := degrees(90).Draw(t, "lat"), degrees(180).Draw(t, "lon")
		limit := rapid.Float64Range(1, 20e6).Draw(t, "limit")
		best := math.Inf(1)
		for _, row := range list {
			best = min(best, enrich.DistanceMetres(lat, lon, row.Lat, row.Lon))
		}
		at, metres := newNeighbours(list).nearest(lat, lon, limit)
		switch {
		case best > limit+1 && at >= 0, best < limit-1 && at < 0:
			t.Fatalf("found %d at %g m within %g m, the nearest is %g m away", at, metres, limit, best)
		case at >= 0 && math.Abs(metres-best) > 1:
			t.Fatalf("found one %g m away, the nearest is %g m away", metres, best)
		}
	})
}
