package chaos

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// TestChaos runs the rows. The environment says how much: CHAOS=full for all of them, CHAOS_BROKERS, CHAOS_SEED, CHAOS_ROWS (names, comma-separated) and
// CHAOS_REPORT, the document whose table is written.
func TestChaos(t *testing.T) {
	short, brokers, seed := os.Getenv("CHAOS") != "full", number("CHAOS_BROKERS", 1), uint64(number("CHAOS_SEED", int(time.Now().UnixNano()%1e9)))
	if short && testing.Short() {
		t.Skip("needs minutes")
	}
	t.Logf("seed %d; repeat with CHAOS_SEED=%d", seed, seed)
	set := build(t, brokers)
	var results []result
	for _, r := range rows(short) {
		if only := os.Getenv("CHAOS_ROWS"); only != "" && !strings.Contains(","+only+",", ","+r.name+",") {
			continue
		}
		t.Run(r.name, func(t *testing.T) { results = append(results, play(t, set, r, seed)) })
	}
	text := fmt.Sprintf("`make chaos BROKERS=%d SEED=%d`, Apache Kafka 4.4.0, %s.\n\n%s", brokers, seed, time.Now().UTC().Format(time.DateOnly), table(results))
	fmt.Println(text)
	set.report(t, fmt.Sprintf("chaos %d", brokers), text)
}

// play runs one row to its end and wants nothing lost, nothing twice, nothing wrong.
func play(t *testing.T, set *stageSet, r row, seed uint64) result {
	t.Helper()
	out, fleet := perform(t, set, r, seed)
	for _, text := range out.findings.Texts {
		t.Error(text)
	}
	if !out.findings.clean() {
		t.Errorf("seed %d: %d lost, %d twice, %d wrong", seed, out.findings.Lost, out.findings.Twice, out.findings.Wrong)
	}
	for _, end := range fleet.ended {
		t.Errorf("a worker ended %s", end)
	}
	return out
}

// perform runs one row until everything has its outcome, or nothing comes any more, and returns what the ledger says.
func perform(t *testing.T, set *stageSet, r row, seed uint64) (result, *fleet) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Minute)
	defer cancel()
	begun := time.Now()
	s := enter(ctx, t, set, r, seed)
	r.strike(ctx, s, r.faults)
	s.release(ctx, len(s.queue))
	s.settle(ctx)
	s.feed.release(ctx, s.late)
	found := s.settle(ctx)
	s.counts["late photo"], s.counts["photo sent twice"] = len(s.late), repeated(s.feed.sent)
	if r.check != nil {
		r.check(s)
	}
	s.stop()
	for _, w := range s.fleet.running {
		s.fleet.sample(w)
	}
	if s.fleet.turned > 0 {
		s.note("%d workers ended at their start with status %d, because no broker answered, and were started again", s.fleet.turned, unavailable)
	}
	out := result{row: r, findings: found, injected: s.counts, notes: s.notes, peak: s.fleet.peak, took: time.Since(begun)}
	for len(s.fleet.running) > 0 {
		s.fleet.terminate(s.fleet.running[0])
	}
	return out, s.fleet
}

func number(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return n
	}
	return otherwise
}
