package bench

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// Write prints a result as tables in Markdown, which a terminal shows as well.
func (r Result) Write(out io.Writer) error {
	var t strings.Builder
	m := r.Machine
	fmt.Fprintf(&t, "%d cores, %s, load %.1f before; %s. Kafka %s, S3 %s.\n", m.Cores, m.CPU, m.Load, m.Go, place(r.Kafka), place(r.S3))
	made := ""
	if r.Photos.Made {
		made = ", enlarged from smaller ones"
	}
	fmt.Fprintf(&t, "Bundle %s, network %s. %d JPEGs of %.2f megapixels and %.0f KB%s. Took %.0f s.\n",
		r.Bundle, r.Model, r.Photos.Files, r.Photos.Megapixels, float64(r.Photos.Bytes)/1e3/float64(r.Photos.Files), made, r.Took)
	r.writeComparison(&t)
	r.writeRun(&t)
	r.writeLatency(&t)
	r.writeScaling(&t)
	r.writeGoals(&t)
	r.writeLimits(&t)
	_, err := io.WriteString(out, t.String())
	return err
}

func (r Result) writeGoals(t *strings.Builder) {
	if len(r.Goals) == 0 {
		return
	}
	t.WriteString("\n| measure | goal | this run | the machine allows | met |\n|---|---|---|---|---|\n")
	for _, g := range r.Goals {
		met := "no"
		switch {
		case g.Met:
			met = "yes"
		case g.OutOfReach:
			met = "no: out of reach"
		}
		fmt.Fprintf(t, "| %s | %s | %s | %s | %s |\n", g.Measure, g.Goal, g.Got, g.Allowed, met)
	}
}

func (r Result) writeScaling(t *strings.Builder) {
	if len(r.Scaling) == 0 {
		return
	}
	t.WriteString("\n| processes on one topic | cores | photos/s | CPU ms/photo | references | locations |\n|---|---|---|---|---|---|\n")
	for _, s := range r.Scaling {
		fmt.Fprintf(t, "| %d | %d of %d | %.0f | %.1f | %d | %d |\n", s.Workers, s.Cores, r.Machine.Cores, s.PhotosPerSecond, s.CPU, s.References, s.Locations)
	}
}

// share is a part of a whole, 0 of one that was too small to be measured.
func share(part, whole float64) float64 {
	if whole == 0 {
		return 0
	}
	return part / whole
}

func place(address string) string {
	if address == embedded {
		return embedded
	}
	return "on this machine or another"
}

func (r Result) writeComparison(t *strings.Builder) {
	if len(r.Comparison) == 0 {
		return
	}
	fmt.Fprintf(t, "\n| contestant, %d alternated rounds | photos/s | CPU ms/photo | peak memory |\n|---|---|---|---|\n", len(r.Comparison[0].PhotosPerSecond))
	for _, c := range r.Comparison {
		fmt.Fprintf(t, "| %s | %s | %s | %.0f MB |\n", c.Name, spread(c.PhotosPerSecond, "%.0f"), spread(c.CPU, "%.1f"), float64(c.Memory)/1e6)
	}
	t.WriteString("\n| ratio of photos/s | median | least and most | ratio of CPU a photo |\n|---|---|---|---|\n")
	for _, key := range []string{"fp32", "int8", "null", "exactly_once"} {
		if ratio, ok := r.Ratios[key]; ok {
			fmt.Fprintf(t, "| %s ÷ %s | %.2f | %.2f to %.2f | %.2f |\n", ratio.Of, ratio.Over, ratio.Median, ratio.Least, ratio.Most, ratio.CPU)
		}
	}
}

func spread(list []float64, format string) string {
	return fmt.Sprintf(format+" ("+format+" to "+format+")", median(list), slices.Min(list), slices.Max(list))
}

func (r Result) writeRun(t *strings.Builder) {
	if r.Run == nil {
		return
	}
	run := *r.Run
	fmt.Fprintf(t, "\n%d photos at %.0f a second", run.Photos, run.PhotosPerSecond)
	if r.Ceiling != nil {
		fmt.Fprintf(t, ", %.0f %% of the ceiling of %.0f: %d cores ÷ (%.2f ms decode + %.2f ms network, each alone), and %.0f %% of what these two allow as they run (below). "+
			"Reading the coefficients alone takes libjpeg-turbo %.2f ms: the decoder is %.2f × of that. Decode and network are %.0f %% of all the processor time of a photo",
			100*r.Share, r.Ceiling.PhotosPerSecond, r.Machine.Cores, r.Ceiling.DecodeMS, r.Ceiling.NetworkMS, 100*r.Running, r.Ceiling.CoefficientsMS,
			r.Ceiling.DecodeMS/r.Ceiling.CoefficientsMS, 100*share(r.Ceiling.DecodeMS+r.Ceiling.NetworkMS, run.CPU.Total))
		if r.Ceiling.Accelerator > 0 {
			fmt.Fprintf(t, ". The accelerator alone does %.0f a second; the network's milliseconds are the host's part of it", r.Ceiling.Accelerator)
		}
	}
	fmt.Fprintf(t, ".\n\n| step | CPU ms/photo | share | time on the clock |\n|---|---|---|---|\n")
	for _, s := range run.Steps {
		wall := ""
		if s.Wall > 0 {
			wall = fmt.Sprintf("%.1f ms a %s", s.Wall, s.Of)
		}
		fmt.Fprintf(t, "| %s | %.2f | %.0f %% | %s |\n", s.Name, s.CPU, 100*share(s.CPU, run.CPU.Total), wall)
	}
	fmt.Fprintf(t, "| all | %.2f | | |\n\n", run.CPU.Total)
	fmt.Fprintf(t, "Beside it broker, store and feed took %.2f ms a photo. %d references led to %d locations.\n\n", run.CPU.Around, run.Photos, run.Locations)
	fmt.Fprintf(t, "%.1f photos a batch (%.0f %% full, no padding), %.0f photos a transaction, %.0f allocations a photo; peak memory %.0f MB, growing by %.0f bytes a photo; "+
		"%.0f photos/s in the first tenth, %.0f in the last.\n",
		run.Batches.Mean, 100*run.Batches.Fill, run.Transactions, run.Allocations, float64(run.Memory.Peak)/1e6, run.Memory.Slope, run.FirstTenth, run.LastTenth)
}

func (r Result) writeLatency(t *strings.Builder) {
	if len(r.Latency) == 0 {
		return
	}
	t.WriteString("\n| load | photos/s | to the answer: p50, p95, p99 ms | to a committed location: p50, p95, p99 ms |\n|---|---|---|---|\n")
	for _, l := range r.Latency {
		fmt.Fprintf(t, "| %.0f %% | %.0f | %.0f, %.0f, %.0f | %.0f, %.0f, %.0f |\n", 100*l.Load, l.Offered,
			l.Answered.P50, l.Answered.P95, l.Answered.P99, l.Visible.P50, l.Visible.P95, l.Visible.P99)
	}
}
