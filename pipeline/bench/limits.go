package bench

import (
	"fmt"
	"slices"
	"strings"
)

// The limits that the machine sets are those of a worker to which everything is free but what nobody can do without: reading
// the coefficients of a JPEG and the network, each as measured alone in the same run, on all cores; and broker, store and feed
// take of the same cores what they took in the run.

// decodeGoal is what decoding may cost, over reading the coefficients alone; nullGoal what photos/s without a network are to be, over the
// peer's, and outsideGoal what processor time may be.
const (
	decodeGoal  = 1.4
	nullGoal    = 2.5
	outsideGoal = 0.5
)

// around is what broker, store and feed took a photo, in milliseconds, where they share the worker's cores.
func (r Result) around() float64 {
	if r.Run == nil {
		return 0
	}
	return r.Run.CPU.Around
}

// best is photos/s of such a worker with a network of so many milliseconds and a decoder at so many times the coefficients.
func (r Result) best(network, decoder float64) float64 {
	return float64(r.Machine.Cores) * 1e3 / (decoder*r.Ceiling.CoefficientsMS + network + r.around())
}

// allowed is a ratio's limit: the best worker's photos/s over what the peer reached. Ours over ours has none.
func (r Result) allowed(key string, decoder float64) float64 {
	ratio := r.Ratios[key]
	ours, peer := contestant(r.Comparison, ratio.Of), contestant(r.Comparison, ratio.Over)
	if r.Ceiling == nil || ours == nil || peer == nil || peer.NetworkMS > 0 {
		return unlimited
	}
	return r.best(ours.NetworkMS, decoder) / median(peer.PhotosPerSecond)
}

// outsideAllowed is the least processor time outside the network, over the peer's.
func (r Result) outsideAllowed() float64 {
	peer := contestant(r.Comparison, peerNull)
	if r.Ceiling == nil || peer == nil {
		return unlimited
	}
	return r.Ceiling.CoefficientsMS / median(peer.CPU)
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
	fmt.Fprintf(t, "\nThe machine allows what a worker would reach to which all is free but the coefficients (%.2f ms), the network and what broker, store and feed take of the same cores (%.2f ms a photo)",
		r.Ceiling.CoefficientsMS, r.around())
	var networks, strict []string
	for _, key := range []string{"fp32", "int8", "null"} {
		if ratio, ok := r.Ratios[key]; ok {
			networks = append(networks, fmt.Sprintf("%s %.2f ms", key, contestant(r.Comparison, ratio.Of).NetworkMS))
			strict = append(strict, fmt.Sprintf("%s %.2f ×", key, r.allowed(key, decodeGoal)))
		}
	}
	if len(networks) > 0 {
		fmt.Fprintf(t, "; networks alone: %s. Were its decoder just at the goal of %.2f × of the coefficients, it would be: %s", strings.Join(networks, ", "), decodeGoal, strings.Join(strict, ", "))
	}
	t.WriteString(".")
	if r.Ceiling.BareMS > 0 {
		fmt.Fprintf(t, " A bare loop of decoding and network on every core, with nothing beside it, does %.0f photos/s by the clock: %.0f %% of the ceiling; broker, store and feed leave %.0f %%.",
			float64(r.Machine.Cores)*1e3/r.Ceiling.BareMS, 100*(r.Ceiling.DecodeMS+r.Ceiling.NetworkMS)/r.Ceiling.BareMS, 100*r.shareAllowed(r.Ceiling.bare()))
	}
	if peer := contestant(r.Comparison, peerNull); peer != nil {
		r.writeClash(t, median(peer.PhotosPerSecond), median(peer.CPU))
	}
	t.WriteString("\n")
}

// writeClash holds the goals of a worker without a network against that of its decoder: what a photo may cost altogether, and what decoding it may.
func (r Result) writeClash(t *strings.Builder, rate, cpu float64) {
	all := float64(r.Machine.Cores) * 1e3 / (nullGoal * rate)
	decoder := decodeGoal * r.Ceiling.CoefficientsMS
	fmt.Fprintf(t, " Without a network %.2f × of the peer's %.0f photos/s leave %.2f ms a photo for everything; a decoder just at its goal (%.2f ms) with broker, store and feed (%.2f ms) takes %.2f ms%s.",
		nullGoal, rate, all, decoder, r.around(), decoder+r.around(), clash(decoder+r.around() > all))
	fmt.Fprintf(t, " %.2f × of the peer's %.2f ms of processor time are %.2f ms, of which that decoder alone takes %.2f ms%s.", outsideGoal, cpu, outsideGoal*cpu, decoder, clash(decoder > outsideGoal*cpu))
}

func clash(found bool) string {
	if found {
		return ": here the two goals contradict each other"
	}
	return ""
}
