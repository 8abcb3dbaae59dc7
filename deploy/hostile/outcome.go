package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// outcome is what a run found.
type outcome struct {
	o         options
	files     []*sent
	verdicts  map[string]verdict // the first, by photo id
	took      map[string]time.Duration
	crashes   []string
	problems  []string
	elapsed   time.Duration
	peak      int64
	share     int64
	children  int // at a time
	seen      int // altogether
	decodings []string
}

func (s *show) outcome(elapsed time.Duration, decodings []string) *outcome {
	out := &outcome{o: s.o, files: s.files, verdicts: s.ledger.first, took: s.took, crashes: s.worker.crashes, elapsed: elapsed, decodings: decodings}
	_, out.peak, out.share, out.children, out.seen = s.memory.figures()
	out.problems = append(judge(s.published(), s.ledger.verdicts), s.worker.crashes...)
	if s.fault != "" {
		out.problems = append(out.problems, s.fault)
	}
	for _, f := range out.slow(s.o.limit) {
		out.problems = append(out.problems, fmt.Sprintf("%s: took %.1f s", f.name, s.took[f.id].Seconds()))
	}
	if out.peak > s.o.memory<<20 {
		out.problems = append(out.problems, fmt.Sprintf("%d MiB resident, more than %d", out.peak>>20, s.o.memory))
	}
	return out
}

// published are the files that were sent, which is not all when the run was ended early.
func (s *show) published() (list []*sent) {
	for _, f := range s.files {
		_, waits := s.waiting[f.id]
		if _, done := s.ledger.first[f.id]; done || waits || s.fault == "" {
			list = append(list, f)
		}
	}
	return list
}

// slow are the files that took longer: those that were sent again by their time alone, all others by their time in the crowd.
func (out *outcome) slow(limit time.Duration) (list []*sent) {
	alone := map[string]bool{}
	for _, f := range out.files {
		if f.alone {
			alone[strings.Replace(f.id, "/alone/", "/", 1)] = true
		}
	}
	for _, f := range out.files {
		if !alone[f.id] && out.took[f.id] > limit {
			list = append(list, f)
		}
	}
	return list
}

// worst is the slowest file by that same rule.
func (out *outcome) worst() (slowest *sent) {
	for _, f := range out.slow(0) {
		if slowest == nil || out.took[f.id] > out.took[slowest.id] {
			slowest = f
		}
	}
	return slowest
}

// pages are what the worker's metrics say of decoding processes, one "name value" each; none when it says nothing.
func (w *world) pages(ctx context.Context) (lines []string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+w.metrics+"/metrics", nil)
	if err != nil {
		return nil
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil { // the worker has just ended; the table says so elsewhere
		return nil
	}
	defer answer.Body.Close()
	for scanner := bufio.NewScanner(answer.Body); scanner.Scan(); {
		if line := scanner.Text(); strings.HasPrefix(line, "planetag_decode") {
			lines = append(lines, line)
		}
	}
	return lines
}
