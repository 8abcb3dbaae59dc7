package score

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestCalibrateCountsOnlyWhatWasAnswered(t *testing.T) {
	judged := []Judged{
		{Confidence: 0.9, Correct: true, Metres: 3e3, RadiusP50: 5e3, RadiusP90: 20e3},      // inside both
		{Confidence: 0.9, Correct: true, Metres: 15e3, RadiusP50: 5e3, RadiusP90: 20e3},     // inside p90 only
		{Confidence: 0.5, Correct: false, Metres: 100e3, RadiusP50: 50e3, RadiusP90: 200e3}, // inside p90 only
		{Confidence: 0.5, Correct: false, Metres: 900e3, RadiusP50: 50e3, RadiusP90: 200e3}, // outside both
		{Confidence: 0.1, Abstained: true, Metres: 1, RadiusP50: 1e7, RadiusP90: 1e7},       // near, but nobody was told
	}
	got := Calibrate(judged, oneUnitEach(len(judged)))
	if got.N != 5 || got.Answered != 4 || got.Coverage != 0.8 {
		t.Errorf("counts: %+v", got)
	}
	for name, pair := range map[string][2]float64{
		"within 25 km": {*got.Within25km, 0.5}, "within 200 km": {*got.Within200km, 0.75},
		"inside p50": {*got.RadiusP50Coverage, 0.25}, "inside p90": {*got.RadiusP90Coverage, 0.75},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %g, want %g", name, pair[0], pair[1])
		}
	}
}

func TestCalibrateHasIntervals(t *testing.T) {
	// 200 photos in 100 albums; half of the albums are answered, of those half lie inside p50 and all inside p90.
	var judged []Judged
	var albums []int
	for i := range 200 {
		album := i / 2
		j := Judged{Confidence: 0.5, Abstained: album%2 == 0, Metres: 100, RadiusP50: 50, RadiusP90: 1000}
		if album%4 == 1 {
			j.Metres = 10
		}
		judged, albums = append(judged, j), append(albums, album)
	}
	c := Calibrate(judged, albums)
	if *c.RadiusP50Coverage != 0.5 || c.Coverage != 0.5 || *c.RadiusP90CI != (Interval{1, 1}) {
		t.Fatalf("got %+v", c)
	}
	// The standard deviation of a share of 100 albums is 0.05, of the 50 answered ones 0.07.
	for name, row := range map[string]struct {
		ci   Interval
		half float64
	}{"coverage": {*c.CoverageCI, 0.098}, "inside p50": {*c.RadiusP50CI, 0.139}} {
		if math.Abs(row.ci[0]-(0.5-row.half)) > 0.02 || math.Abs(row.ci[1]-(0.5+row.half)) > 0.02 {
			t.Errorf("%s: %v, want 0.5 ± %g", name, row.ci, row.half)
		}
	}
	if one := Calibrate(judged, make([]int, 200)); one.CoverageCI != nil || *one.RadiusP50Coverage != 0.5 {
		t.Errorf("one album has no interval: %+v", one)
	}
}

func TestCalibrateWithoutAnswersHasNoShares(t *testing.T) {
	got := Calibrate([]Judged{{Confidence: 0.1, Abstained: true}, {Abstained: true}}, []int{1, 2})
	if got.Coverage != 0 || got.Within25km != nil || got.RadiusP90Coverage != nil || got.RadiusP90CI != nil || *got.CoverageCI != (Interval{}) {
		t.Errorf("a share of nothing must stay empty: %+v", got)
	}
	if empty := Calibrate(nil, nil); empty.N != 0 || empty.Coverage != 0 {
		t.Errorf("nothing judged: %+v", empty)
	}
}

func TestReliabilityNamesItsBins(t *testing.T) {
	diagram := Reliability([]Judged{
		{Confidence: 0}, {Confidence: 1.0 / 15, Correct: true}, // both ends of the first bin
		{Confidence: 0.5, Correct: true}, {Confidence: 0.52}, {Confidence: 0.53, Correct: true}, // the middle one, 7/15 to 8/15
	})
	if len(diagram) != 15 || diagram[0].From != 0 || diagram[14].To != 1 {
		t.Fatalf("not 15 bins from 0 to 1: %+v", diagram)
	}
	for i, want := range map[int]Bin{
		0: {N: 2, Confidence: 0.5 / 15, Correct: 0.5},
		7: {N: 3, Confidence: (0.5 + 0.52 + 0.53) / 3, Correct: 2.0 / 3},
		9: {},
	} {
		got := diagram[i]
		if got.N != want.N || math.Abs(got.Confidence-want.Confidence) > 1e-12 || math.Abs(got.Correct-want.Correct) > 1e-12 {
			t.Errorf("bin %d: %+v, want %+v", i, got, want)
		}
	}
}

func TestECE(t *testing.T) {
	right := func(c float64) Judged { return Judged{Confidence: c, Correct: true} }
	wrong := func(c float64) Judged { return Judged{Confidence: c} }
	for _, row := range []struct {
		story  string
		judged []Judged
		want   float64
	}{
		{"sure and right", []Judged{right(1), right(1)}, 0},
		{"sure and wrong", []Judged{wrong(1), wrong(1)}, 1},
		{"half sure, right half of the time", []Judged{right(0.5), wrong(0.5)}, 0},
		{"claims 0.8, is right in one of four", []Judged{right(0.8), wrong(0.8), wrong(0.8), wrong(0.8)}, 0.55},
		// One bin would cancel these two; two bins must not.
		{"doubts when right, boasts when wrong", []Judged{right(0.2), wrong(0.8)}, 0.8},
		{"bins are closed above: 1/15 is still the first", []Judged{wrong(1.0 / 15), right(0.5 / 15)}, (1 - 1.5/15) / 2},
		{"zero confidence has a bin", []Judged{wrong(0)}, 0},
		{"nothing", nil, 0},
	} {
		if got := ECE(row.judged); math.Abs(got-row.want) > 1e-12 {
			t.Errorf("%s: %g, want %g", row.story, got, row.want)
		}
	}
}

func TestECEIsAtMostTheWorstGap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		judged := rapid.SliceOf(rapid.Custom(func(t *rapid.T) Judged {
			return Judged{Confidence: rapid.Float64Range(0, 1).Draw(t, "p"), Correct: rapid.Bool().Draw(t, "correct")}
		})).Draw(t, "judged")
		worst, confident, correct := 0.0, 0.0, 0.0
		for _, j := range judged {
			hit := 0.0
			if j.Correct {
				hit = 1
			}
			worst = max(worst, math.Abs(j.Confidence-hit))
			confident, correct = confident+j.Confidence, correct+hit
		}
		got := ECE(judged)
		if got < 0 || got > worst+1e-9 {
			t.Fatalf("ece %g, worst single gap %g", got, worst)
		}
		// Splitting into bins can only reveal gaps, never hide the overall one.
		if n := float64(len(judged)); n > 0 && got < math.Abs(confident-correct)/n-1e-9 {
			t.Fatalf("ece %g is below the overall gap %g", got, math.Abs(confident-correct)/n)
		}
	})
}
