package main

import (
	"fmt"
	"os"
	"strings"
	"time"
)

// bar shows how far a long command is on one line of a terminal; a log file gets
// a line for each phase.
type bar struct {
	out     *os.File // nil: shows nothing
	phase   string
	started time.Time
	drawn   time.Time
}

func newBar(std streams) *bar {
	return &bar{out: std.err}
}

// show is told how much of a phase is done, as often as one likes. Total is 0
// where nobody knows.
func (b *bar) show(phase string, done, total int64) {
	now := time.Now()
	if phase != b.phase {
		b.end()
		b.phase, b.started = phase, now
		if !isTerminal(b.out) {
			fmt.Fprintf(b.out, "%s …\n", phase)
		}
	}
	if !isTerminal(b.out) || now.Sub(b.drawn) < 100*time.Millisecond && done != total {
		return
	}
	b.drawn = now
	fmt.Fprintf(b.out, "\r\033[K%s", line(phase, done, total, now.Sub(b.started)))
}

// end finishes the line.
func (b *bar) end() {
	if b.phase != "" && isTerminal(b.out) {
		fmt.Fprintln(b.out)
	}
	b.phase = ""
}

// line is the bar with rate and time left.
func line(phase string, done, total int64, passed time.Duration) string {
	const width = 24
	rate := float64(done) / max(passed.Seconds(), 1e-3)
	if total <= 0 {
		return fmt.Sprintf("%-5s %s, %s/s", phase, amount(float64(done)), amount(rate))
	}
	full := int(width * min(done, total) / total)
	left := time.Duration(float64(total-min(done, total)) / max(rate, 1) * float64(time.Second))
	return fmt.Sprintf("%-5s %s%s %3d %%  %s/s  %s left", phase, strings.Repeat("█", full), strings.Repeat("░", width-full),
		100*min(done, total)/total, amount(rate), left.Round(time.Second))
}

// amount writes a large number short.
func amount(n float64) string {
	for _, unit := range []struct {
		size float64
		name string
	}{{1e9, "G"}, {1e6, "M"}, {1e3, "k"}} {
		if n >= unit.size {
			return fmt.Sprintf("%.1f %s", n/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%.0f", n)
}
