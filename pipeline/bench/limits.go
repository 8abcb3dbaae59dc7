package bench

import (
	"fmt"
	"slices"
	"strings"
)

// The limits that the machine sets are those of a worker to which everything is free but what it is there for: decoding and the
// network, each as measured alone in the same run, on all cores; and broker, store and feed take of the same cores what they took
// in the run.

// around is what broker, store and feed took a photo, in milliseconds, where they share the worker's cores.
func (r Result) around() float64 {
	if r.Run == nil {
		return 0
	}
	return r.Run.CPU.Around
}

// best is photos/s of such a worker with a network of so many milliseconds.
func (r Result) best(network float64) float64 {
	return float64(r.Machine.Cores) * 1e3 / (r.Ceiling.DecodeMS + network + r.around())
}

// allowed is a ratio's limit: the best worker's photos/s over what the peer reached. Ours over ours has none.
func (r Result) allowed(key string) float64 {
	ratio := r.Ratios[key]
	ours, peer := contestant(r.Comparison, ratio.Of), contestant(r.Comparison, ratio.Over)
	if r.Ceiling == nil || ours == nil || peer == nil || peer.NetworkMS > 0 {
		return unlimited
	}
	return r.best(ours.NetworkMS) / median(peer.PhotosPerSecond)
}

// outsideAllowed is the least processor time outside the network, over the peer's.
func (r Result) outsideAllowed() float64 {
	peer := contestant(r.Comparison, peerNull)
	if r.Ceiling == nil || peer == nil {
		return unlimited
	}
	return r.Ceiling.DecodeMS / median(peer.CPU)
}

// shareAllowed is the ceiling's share that broker, store and feed leave to a worker of which a photo takes so many milliseconds of the cores.
func (r Result) shareAllowed(least float64) float64 {
	return (r.Ceiling.DecodeMS + r.Ceiling.NetworkMS) / (least + r.around())
}

// bare is what a photo takes of the cores where they do nothing but decode and run the network, in turns.
func (c Ceiling) bare() float64 { return max(c.BareMS, c.DecodeMS+c.NetworkMS) }

// writeLimits says where the limits come from.
func (r Result) writeLimits(t *strings.Builder) {
	if !slices.ContainsFunc(r.Goals, func(g Goal) bool { return g.Allowed != "" }) {
		return
	}
	fmt.Fprintf(t, "\nThe machine allows what a worker would reach to which all is free but decoding (%.2f ms), the network and what broker, store and feed take of the same cores (%.2f ms a photo)",
		r.Ceiling.DecodeMS, r.around())
	var networks []string
	for _, key := range []string{"fp32", "int8", "null"} {
		if ratio, ok := r.Ratios[key]; ok {
			networks = append(networks, fmt.Sprintf("%s %.2f ms", key, contestant(r.Comparison, ratio.Of).NetworkMS))
		}
	}
	if len(networks) > 0 {
		fmt.Fprintf(t, "; networks alone: %s", strings.Join(networks, ", "))
	}
	t.WriteString(".")
	if r.Ceiling.BareMS > 0 {
		fmt.Fprintf(t, " A bare loop of decoding and network on every core, with nothing beside it, does %.0f photos/s by the clock: %.0f %% of the ceiling; broker, store and feed leave %.0f %%.",
			float64(r.Machine.Cores)*1e3/r.Ceiling.BareMS, 100*(r.Ceiling.DecodeMS+r.Ceiling.NetworkMS)/r.Ceiling.BareMS, 100*r.shareAllowed(r.Ceiling.bare()))
	}
	t.WriteString("\n")
}
