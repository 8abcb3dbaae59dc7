package score

import (
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// oneUnitEach says that all photos are independent.
func oneUnitEach(n int) []int {
	units := make([]int, n)
	for i := range units {
		units[i] = i
	}
	return units
}

func TestIntervalOfAShareIsTheBinomialOne(t *testing.T) {
	// 100 independent photos, 30 of them within 25 km: the share's standard deviation is √(0.3·0.7/100) = 0.0458.
	metres := make([]float64, 100)
	for i := range metres {
		metres[i] = 1e6
		if i < 30 {
			metres[i] = 10e3
		}
	}
	row := Sample{Units: oneUnitEach(100), Metres: [][]float64{metres}}.Scores()[0]
	low, high := row.Within25kmCI[0], row.Within25kmCI[1]
	if math.Abs(low-(0.3-1.96*0.0458)) > 0.02 || math.Abs(high-(0.3+1.96*0.0458)) > 0.02 {
		t.Errorf("got %.3f to %.3f, want about 0.21 to 0.39", low, high)
	}
	if row.Within1kmCI != (Interval{}) || row.Within2500kmCI != (Interval{1, 1}) {
		t.Errorf("nothing within 1 km and all within 2500 km leave no doubt: %v, %v", row.Within1kmCI, row.Within2500kmCI)
	}
}

func TestPhotosOfOneAlbumAreNotIndependentWitnesses(t *testing.T) {
	// The same hundred errors, now from ten albums in which all photos share their fate: the interval is √10 times wider.
	metres, albums := make([]float64, 100), make([]int, 100)
	for i := range metres {
		albums[i] = i / 10
		metres[i] = 1e6
		if albums[i] < 3 {
			metres[i] = 10e3
		}
	}
	width := func(units []int) float64 {
		ci := Sample{Units: units, Metres: [][]float64{metres}}.Scores()[0].Within25kmCI
		return ci[1] - ci[0]
	}
	alone, together := width(oneUnitEach(100)), width(albums)
	if ratio := together / alone; ratio < 2.5 || ratio > 4 {
		t.Errorf("photos alone %.3f, albums %.3f: ratio %.2f, want about 3.2", alone, together, ratio)
	}
}

func TestOneUnitHasNoInterval(t *testing.T) {
	row := Sample{Units: []int{7, 7, 7}, Metres: [][]float64{{1, 2, 3}}}.Scores()[0]
	if row.N != 3 || row.Intervals != nil {
		t.Errorf("three photos of one album: %+v", row)
	}
	if rows := (Sample{Metres: [][]float64{nil}}).Scores(); rows[0].N != 0 || rows[0].Intervals != nil {
		t.Errorf("no photos: %+v", rows)
	}
}

func TestMedianOfADraw(t *testing.T) {
	a := prepare([]float64{50, 10, 40, 20, 30}, []int32{0, 1, 2, 0, 1}, 3)
	for _, row := range []struct {
		story  string
		counts []int32
		want   float64
	}{
		{"every unit once: all five", []int32{1, 1, 1}, 30},
		{"the first twice, the second not: 20 20 40 50 50", []int32{2, 0, 1}, 40},
		{"only the second, thrice: 10 10 10 30 30 30", []int32{0, 3, 0}, 20},
		{"even, the middle two differ: 10 20 30 50", []int32{1, 1, 0}, 25},
	} {
		total := 0
		for u, n := range row.counts {
			total += int(n) * int(a.tallies[u].n)
		}
		if got := a.median(row.counts, total); got != row.want {
			t.Errorf("%s: %g, want %g", row.story, got, row.want)
		}
	}
}

// Whatever the errors and units are: an interval lies among the figures of possible draws, its ends are in order, and
// neither the photos' order nor the units' numbers change it by more than the chance of other draws.
func TestSampleProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		metres := rapid.SliceOfN(rapid.Float64Range(0, 20e6), 1, 40).Draw(t, "metres")
		units := rapid.SliceOfN(rapid.IntRange(0, 9), len(metres), len(metres)).Draw(t, "units")
		rows := Sample{Units: units, Metres: [][]float64{metres, metres}}.Scores()
		if !reflect.DeepEqual(rows[0], rows[1]) {
			t.Fatalf("the same answer twice has two rows: %+v", rows)
		}
		if rows[0].Figures != Score(metres).Figures {
			t.Fatalf("the row itself is not Score's: %+v", rows[0])
		}
		if rows[0].Intervals == nil {
			return
		}
		ci := *rows[0].Intervals
		for _, share := range []Interval{ci.Within1kmCI, ci.Within25kmCI, ci.Within200kmCI, ci.Within750kmCI, ci.Within2500kmCI} {
			if share[0] > share[1] || share[0] < 0 || share[1] > 1+1e-12 {
				t.Fatalf("share from %g to %g", share[0], share[1])
			}
		}
		least, most := slices.Min(metres)/1000, slices.Max(metres)/1000
		for _, km := range []Interval{ci.MedianKmCI, ci.MeanKmCI} {
			if km[0] > km[1] || km[0] < least-1e-6 || km[1] > most+1e-6 {
				t.Fatalf("%g to %g km, errors are %g to %g km", km[0], km[1], least, most)
			}
		}
	})
}

func TestCompareIsPaired(t *testing.T) {
	// Photos differ a lot, the two answers little: apart, their intervals overlap; paired, the difference is beyond doubt.
	random := rand.New(rand.NewPCG(1, 2))
	first, second := make([]float64, 300), make([]float64, 300)
	for i := range first {
		hard := random.Float64() * 3e6
		first[i], second[i] = hard, hard*1.05+1
	}
	units := oneUnitEach(300)
	apart := Sample{Units: units, Metres: [][]float64{first, second}}.Scores()
	if apart[0].MeanKmCI[1] < apart[1].MeanKmCI[0] {
		t.Fatalf("the test needs overlapping intervals: %v, %v", apart[0].MeanKmCI, apart[1].MeanKmCI)
	}
	d := Compare(units, first, second)
	if d.N != 300 || d.Units != 300 || d.MeanKm.Difference >= 0 || d.MeanKm.CI[1] >= 0 || *d.MeanKm.FirstBetter != 1 {
		t.Errorf("mean: %+v", d.MeanKm)
	}
	if d.GeoScore.Difference <= 0 || d.GeoScore.CI[0] <= 0 || *d.GeoScore.FirstBetter != 1 {
		t.Errorf("geoscore: %+v", d.GeoScore)
	}
	turned := Compare(units, second, first)
	if turned.MeanKm.Difference != -d.MeanKm.Difference || *turned.MeanKm.FirstBetter != 0 || math.Abs(turned.MeanKm.CI[0]+d.MeanKm.CI[1]) > 1e-9 {
		t.Errorf("the other way round: %+v, %+v", turned.MeanKm, d.MeanKm)
	}
}

func TestCompareOfEqualsIsUndecided(t *testing.T) {
	metres := []float64{1e3, 30e3, 900e3}
	d := Compare(oneUnitEach(3), metres, metres)
	if d.Within25km.Difference != 0 || *d.Within25km.CI != (Interval{}) || *d.Within25km.FirstBetter != 0.5 {
		t.Errorf("got %+v", d.Within25km)
	}
	if alone := Compare([]int{1, 1, 1}, metres, metres); alone.MedianKm.CI != nil || alone.MedianKm.FirstBetter != nil || alone.Units != 1 {
		t.Errorf("one album cannot be drawn: %+v", alone)
	}
}

func BenchmarkScores(b *testing.B) {
	const n = 100_000
	random := rand.New(rand.NewPCG(1, 2))
	s := Sample{Units: make([]int, n), Metres: [][]float64{make([]float64, n)}}
	for i := range n {
		s.Units[i], s.Metres[0][i] = i/4, random.Float64()*2e7
	}
	for b.Loop() {
		s.Scores()
	}
}
