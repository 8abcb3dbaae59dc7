package score

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// Ten errors in km, so that every share can be counted by eye.
func tenErrors() []float64 {
	var m []float64
	for _, km := range []float64{0.2, 1, 24, 25, 26, 199, 700, 800, 2500, 9000} {
		m = append(m, km*1000)
	}
	return m
}

func TestScoreOfAKnownTable(t *testing.T) {
	got := Score(tenErrors())
	want := Scores{N: 10, Figures: Figures{
		Within1km: 0.2, Within25km: 0.4, Within200km: 0.6, Within750km: 0.7, Within2500km: 0.9,
		MedianKm: (26 + 199) / 2.0, MeanKm: 1327.52,
	}}
	want.GeoScore = got.GeoScore // has its own test
	if math.Abs(got.MeanKm-want.MeanKm) < 1e-9 {
		want.MeanKm = got.MeanKm
	}
	if got != want {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

func TestGeoScore(t *testing.T) {
	for _, row := range []struct {
		story string
		km    float64
		want  float64
	}{
		{"on the spot", 0, 5000},
		{"one scale away", 1492.7, 5000 / math.E},
		{"two scales away", 2 * 1492.7, 5000 / math.E / math.E},
		{"the next city, worked by hand", 25, 4916.957},
		{"the other side of the earth", 20015, 0.00751},
	} {
		if got := GeoScore(row.km * 1000); math.Abs(got-row.want) > 1e-3*math.Max(row.want, 1e-3) {
			t.Errorf("%s: %g, want %g", row.story, got, row.want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, row := range []struct {
		story  string
		values []float64
		want   float64
	}{
		{"one value is its own median", []float64{7}, 7},
		{"odd: the middle one", []float64{9, 1, 5}, 5},
		{"even: between the two middle ones", []float64{1, 100, 3, 4}, 3.5},
	} {
		before := append([]float64(nil), row.values...)
		if got := Median(row.values); got != row.want {
			t.Errorf("%s: %g, want %g", row.story, got, row.want)
		}
		for i := range before {
			if before[i] != row.values[i] {
				t.Errorf("%s: the caller's slice was reordered", row.story)
			}
		}
	}
	if !math.IsNaN(Median(nil)) {
		t.Error("the median of nothing must not look like a distance")
	}
}

func TestScoreOfNothingIsZero(t *testing.T) {
	if got := Score(nil); got != (Scores{}) {
		t.Errorf("got %+v", got)
	}
}

// Whatever the errors are: shares grow with the distance, stay between 0 and 1, and the order of photos is irrelevant.
func TestScoreProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		metres := rapid.SliceOfN(rapid.Float64Range(0, 20.1e6), 1, 60).Draw(t, "metres")
		s := Score(metres)
		last := 0.0
		for _, share := range []float64{s.Within1km, s.Within25km, s.Within200km, s.Within750km, s.Within2500km} {
			if share < last || share > 1 {
				t.Fatalf("shares not increasing within 0…1: %+v", s)
			}
			last = share
		}
		if s.GeoScore <= 0 || s.GeoScore > 5000 {
			t.Fatalf("geoscore %g", s.GeoScore)
		}
		below := 0
		for _, m := range metres {
			if m/1000 <= s.MedianKm+1e-9 {
				below++
			}
		}
		if 2*below < len(metres) {
			t.Fatalf("only %d of %d are at most the median %g", below, len(metres), s.MedianKm)
		}
		turned := rapid.Permutation(metres).Draw(t, "turned")
		if other := Score(turned); math.Abs(other.MeanKm-s.MeanKm) > 1e-6 || other.MedianKm != s.MedianKm || other.Within200km != s.Within200km {
			t.Fatalf("order changed the figures: %+v, %+v", s, other)
		}
	})
}
