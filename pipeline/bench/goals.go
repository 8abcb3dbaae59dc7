package bench

import "fmt"

// Goal is a measure that the worker is held to, and what this run gave.
type Goal struct {
	Measure string `json:"measure"`
	Goal    string `json:"goal"`
	Got     string `json:"got"`
	Met     bool   `json:"met"`
}

// goals holds a result against what is asked of the worker; what was not measured is not in the list.
func goals(r Result) []Goal {
	var list []Goal
	add := func(measure string, goal, got float64, format string, atLeast bool) {
		sign, met := "≥ ", got >= goal
		if !atLeast {
			sign, met = "≤ ", got <= goal
		}
		list = append(list, Goal{measure, sign + fmt.Sprintf(format, goal), fmt.Sprintf(format, got), met})
	}
	ratioGoals(r, add)
	if r.Ceiling != nil && r.Model == RealModel {
		add("share of the machine's ceiling reached", 90, 100*r.Share, "%.0f %%", true)
		add("decoding over reading the coefficients alone", 1.4, r.Ceiling.DecodeMS/r.Ceiling.CoefficientsMS, "%.2f ×", false)
	}
	for _, l := range r.Latency {
		if l.Load == 0.5 {
			add("p99 at 50 % load, batches wait 20 ms, to the answer", 100, l.Answered.P99, "%.0f ms", false)
		}
	}
	if r.Run != nil && r.Model == RealModel {
		add("garbage collection's share of processor time", 2, 100*r.Run.CPU.GCShare, "%.1f %%", false)
	}
	if r.Run != nil {
		if r.Run.Photos >= 20000 {
			add("photos/s of the last tenth over the first", 0.98, r.Run.LastTenth/r.Run.FirstTenth, "%.2f ×", true)
			add("memory that grows with photos (bytes a photo)", 16, r.Run.Memory.Slope, "%.0f", false)
		}
	}
	return list
}

// ratioGoals are those that a comparison answers.
func ratioGoals(r Result, add func(measure string, goal, got float64, format string, atLeast bool)) {
	for _, g := range []struct {
		key, measure string
		goal         float64
		format       string
	}{
		{"fp32", "photos/s over the peer's, same fp32 network", 1.4, "%.2f ×"},
		{"int8", "photos/s over the peer's, int8 bundle", 2.2, "%.2f ×"},
		{"null", "photos/s over the peer's, null network", 2.5, "%.2f ×"},
		{"exactly_once", "photos/s exactly once over at least once", 0.95, "%.2f ×"},
	} {
		if ratio, ok := r.Ratios[g.key]; ok {
			add(g.measure, g.goal, ratio.Median, g.format, true)
		}
	}
	if ratio, ok := r.Ratios["null"]; ok {
		add("processor time a photo outside the network over the peer's (null network)", 0.5, ratio.CPU, "%.2f ×", false)
	}
}
