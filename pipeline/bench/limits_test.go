package bench

import (
	"strings"
	"testing"
)

// On two cores, with 2 ms for decoding and 0.5 ms for broker and store, a worker with nothing else to do gives 800 photos a second,
// and 400 with a network of 2.5 ms.
func TestWhatTheMachineAllows(t *testing.T) {
	r := Result{
		Model: RealModel, Machine: Machine{Cores: 2}, Share: 0.8, Running: 0.92,
		Run:     &Run{CPU: CPU{Around: 0.5}},
		Ceiling: &Ceiling{DecodeMS: 2, CoefficientsMS: 2.5, NetworkMS: 7.5, BareMS: 10},
		Comparison: []Contestant{
			{Name: peerFP32, PhotosPerSecond: []float64{200, 100, 160}, CPU: []float64{12, 12, 12}},
			{Name: oursInt8, NetworkMS: 2.5, PhotosPerSecond: []float64{368}, CPU: []float64{5.5}},
			{Name: oursFP32, NetworkMS: 6.5, PhotosPerSecond: []float64{200}, CPU: []float64{10}},
			{Name: peerNull, PhotosPerSecond: []float64{400, 400, 400}, CPU: []float64{3, 5, 5}},
			{Name: oursNull, PhotosPerSecond: []float64{760}, CPU: []float64{3}},
		},
		Ratios: map[string]Ratio{
			"int8":         {Of: oursInt8, Over: peerFP32, Median: 2.3},
			"null":         {Of: oursNull, Over: peerNull, Median: 1.9, CPU: 0.6},
			"exactly_once": {Of: oursFP32, Over: atLeastOnce, Median: 1},
		},
	}
	r.Goals = goals(r)
	var text strings.Builder
	if err := r.Write(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"| photos/s over the peer's, int8 bundle | ≥ 2.20 × | 2.30 × | 2.50 × | yes |",
		"| photos/s over the peer's, null network | ≥ 2.50 × | 1.90 × | 2.00 × | no: out of reach |",
		"| photos/s exactly once over at least once | ≥ 0.95 × | 1.00 × |  | yes |",
		"(null network) | ≤ 0.50 × | 0.60 × | 0.40 × | no |",
		"| share of the ceiling reached, of decoding and network as they run | ≥ 90 % | 92 % | 95 % | yes |",
		"| share of the ceiling reached, of decoding and network each alone | ≥ 90 % | 80 % | 90 % | no |",
		"A bare loop of decoding and network on every core, with nothing beside it, does 200 photos/s by the clock: 95 % of the ceiling; broker, store and feed leave 90 %.",
		"| decoding over libjpeg-turbo's reading of the coefficients alone | ≤ 1.40 × | 0.80 × |  | yes |",
		"\nThe machine allows what a worker would reach to which all is free but decoding (2.00 ms), the network and what broker, store and feed " +
			"take of the same cores (0.50 ms a photo); networks alone: int8 2.50 ms, null 0.00 ms. A bare loop",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is not in\n%s", want, text.String())
		}
	}
}
