package score

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestRiskCoverageOfAKnownOrder(t *testing.T) {
	c := RiskCoverage([]Judged{
		{Confidence: 0.2, Metres: 3000e3},
		{Confidence: 0.9, Metres: 1e3},
		{Confidence: 0.4, Metres: 500e3},
		{Confidence: 0.8, Metres: 100e3},
	})
	want := []Point{
		{0.25, 0.9, 1, 1, 1, 1},
		{0.5, 0.8, 0.5, 1, 1, 50.5},
		{0.75, 0.4, 1.0 / 3, 2.0 / 3, 1, 100},
		{1, 0.2, 0.25, 0.5, 0.75, 300},
	}
	if len(c.Points) != len(want) {
		t.Fatalf("%d points: %+v", len(c.Points), c.Points)
	}
	for i, p := range c.Points {
		if p != want[i] {
			t.Errorf("point %d: %+v, want %+v", i, p, want[i])
		}
	}
	// Beyond 25 km are 0 of 1, 1 of 2, 2 of 3 and 3 of 4.
	if want := (0 + 1.0/2 + 2.0/3 + 3.0/4) / 4; math.Abs(c.Area25km-want) > 1e-12 {
		t.Errorf("area at 25 km: %g, want %g", c.Area25km, want)
	}
	if want := (0 + 0 + 1.0/3 + 2.0/4) / 4; math.Abs(c.Area200km-want) > 1e-12 {
		t.Errorf("area at 200 km: %g, want %g", c.Area200km, want)
	}
	if want := (1.0 / 4) / 4; math.Abs(c.Area750km-want) > 1e-12 {
		t.Errorf("area at 750 km: %g, want %g", c.Area750km, want)
	}
}

func TestConfidenceThatTellsNothing(t *testing.T) {
	// All the same: one point, and the area is the plain share of wrong answers.
	c := RiskCoverage([]Judged{{Confidence: 0.5, Metres: 1}, {Confidence: 0.5, Metres: 1e6}, {Confidence: 0.5, Metres: 1e6}, {Confidence: 0.5, Metres: 1}})
	if len(c.Points) != 1 || c.Points[0].Coverage != 1 || math.Abs(c.Area25km-0.5) > 1e-12 {
		t.Errorf("got %+v", c)
	}
	if none := RiskCoverage(nil); none.Points != nil || none.Area25km != 0 {
		t.Errorf("nothing: %+v", none)
	}
}

func TestRiskCoverageProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		judged := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) Judged {
			return Judged{Confidence: float64(rapid.IntRange(0, 20).Draw(t, "p")) / 20, Metres: rapid.Float64Range(0, 2e6).Draw(t, "m")}
		}), 1, 400).Draw(t, "judged")
		c := RiskCoverage(judged)
		last := c.Points[len(c.Points)-1]
		var metres []float64
		for _, j := range judged {
			metres = append(metres, j.Metres)
		}
		if all := Score(metres); last.Coverage != 1 || last.Within200km != all.Within200km || last.MedianKm != all.MedianKm {
			t.Fatalf("the last point is not all photos: %+v, %+v", last, all)
		}
		for i, p := range c.Points[1:] {
			if p.Coverage <= c.Points[i].Coverage || p.Confidence >= c.Points[i].Confidence {
				t.Fatalf("points %d and %d: %+v, %+v", i, i+1, c.Points[i], p)
			}
		}
		if c.Area25km < c.Area200km-1e-12 || c.Area200km < c.Area750km-1e-12 || c.Area25km > 1 {
			t.Fatalf("a farther distance has more risk: %+v", c)
		}
		turned := RiskCoverage(rapid.Permutation(judged).Draw(t, "turned"))
		if math.Abs(turned.Area200km-c.Area200km) > 1e-9 || len(turned.Points) != len(c.Points) || turned.Points[0] != c.Points[0] {
			t.Fatalf("the order of the photos changed the curve: %+v, %+v", c, turned)
		}
	})
}

func TestALongCurveHasAHundredPoints(t *testing.T) {
	judged := make([]Judged, 12_345)
	for i := range judged {
		judged[i] = Judged{Confidence: 1 - float64(i)/20_000, Metres: float64(i)}
	}
	if c := RiskCoverage(judged); len(c.Points) != 100 || math.Abs(c.Points[49].MedianKm-float64(6171)/2/1000) > 0.01 {
		t.Errorf("%d points, half of the photos: %+v", len(c.Points), c.Points[49])
	}
}

func BenchmarkRiskCoverage(b *testing.B) {
	judged := make([]Judged, 100_000)
	for i := range judged {
		judged[i] = Judged{Confidence: math.Mod(float64(i)*0.618, 1), Metres: math.Mod(float64(i)*7919, 2e7)}
	}
	for b.Loop() {
		RiskCoverage(judged)
	}
}
