package bench

import (
	"fmt"
	"math"
)

// Goal is a measure that the worker is held to, what this run gave, and what this machine would give the best of workers.
type Goal struct {
	Measure    string `json:"measure"`
	Goal       string `json:"goal"`
	Got        string `json:"got"`
	Allowed    string `json:"machine_allows,omitempty"` // "" = it sets no limit, or it was not measured; see limits
	Met        bool   `json:"met"`
	OutOfReach bool   `json:"out_of_reach,omitempty"` // the machine's limit is short of the goal
}

// unlimited is the limit of a measure that has none.
var unlimited = math.NaN()

// goalList is what is asked of the worker.
type goalList []Goal

// atLeast adds a goal that is met by more, and of which the machine allows at most limit.
func (l *goalList) atLeast(measure string, goal, got, limit float64, format string) {
	l.add(Goal{Measure: measure, Goal: "≥ " + fmt.Sprintf(format, goal), Met: got >= goal, OutOfReach: limit < goal}, got, limit, format)
}

// atMost adds a goal that is met by less, and of which the machine allows no less than limit.
func (l *goalList) atMost(measure string, goal, got, limit float64, format string) {
	l.add(Goal{Measure: measure, Goal: "≤ " + fmt.Sprintf(format, goal), Met: got <= goal, OutOfReach: limit > goal}, got, limit, format)
}

func (l *goalList) add(g Goal, got, limit float64, format string) {
	g.Got = fmt.Sprintf(format, got)
	if !math.IsNaN(limit) {
		g.Allowed = fmt.Sprintf(format, limit)
	}
	*l = append(*l, g)
}

// goals holds a result against what is asked of the worker; what was not measured is not in the list.
func goals(r Result) []Goal {
	var list goalList
	ratioGoals(r, &list)
	if r.Ceiling != nil && r.Model == RealModel {
		list.atLeast("share of the ceiling reached, of decoding and network as they run", 90, 100*r.Running, 100*r.shareAllowed(r.Ceiling.DecodeMS+r.Ceiling.NetworkMS), "%.0f %%")
		list.atLeast("share of the ceiling reached, of decoding and network each alone", 90, 100*r.Share, 100*r.shareAllowed(r.Ceiling.bare()), "%.0f %%")
		list.atMost("decoding over libjpeg-turbo's reading of the coefficients alone", 1.4, r.Ceiling.DecodeMS/r.Ceiling.CoefficientsMS, unlimited, "%.2f ×")
	}
	for _, l := range r.Latency {
		if l.Load == 0.5 {
			list.atMost("p99 at 50 % load, batches wait 20 ms, to the answer", 100, l.Answered.P99, unlimited, "%.0f ms")
		}
	}
	if r.Run != nil && r.Model == RealModel {
		list.atMost("garbage collection's share of processor time", 2, 100*r.Run.CPU.GCShare, unlimited, "%.1f %%")
	}
	if r.Run != nil && r.Run.Photos >= 20000 {
		list.atLeast("photos/s of the last tenth over the first", 0.98, r.Run.LastTenth/r.Run.FirstTenth, unlimited, "%.2f ×")
		list.atMost("memory that grows with photos (bytes a photo)", 16, r.Run.Memory.Slope, unlimited, "%.0f")
	}
	return list
}

// ratioGoals are those that a comparison answers.
func ratioGoals(r Result, list *goalList) {
	for _, g := range []struct {
		key, measure string
		goal         float64
	}{
		{"fp32", "photos/s over the peer's, same fp32 network", 1.4},
		{"int8", "photos/s over the peer's, int8 bundle", 2.2},
		{"null", "photos/s over the peer's, null network", 2.5},
		{"exactly_once", "photos/s exactly once over at least once", 0.95},
	} {
		if ratio, ok := r.Ratios[g.key]; ok {
			list.atLeast(g.measure, g.goal, ratio.Median, r.allowed(g.key), "%.2f ×")
		}
	}
	if ratio, ok := r.Ratios["null"]; ok {
		list.atMost("processor time a photo outside the network over the peer's (null network)", 0.5, ratio.CPU, r.outsideAllowed(), "%.2f ×")
	}
}
