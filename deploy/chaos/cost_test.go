package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestTransactionCost prints what exactly_once costs against at_least_once, in alternating rounds of one run: with the stand-in network, where a photo
// costs next to nothing and the transactions show most, and with the demo bundle. It needs CHAOS=full; it holds no time against a limit.
func TestTransactionCost(t *testing.T) {
	if os.Getenv("CHAOS") != "full" {
		t.Skip("takes minutes; CHAOS=full runs it")
	}
	set := build(t, 1)
	rounds := number("CHAOS_ROUNDS", 3)
	text := fmt.Sprintf("`make chaos-cost ROUNDS=%d`, flush_interval 100 ms, six partitions, one worker and the broker on the same cores:\n\n"+
		"| network | photos per round | exactly_once, photos/s | at_least_once, photos/s | ratio |\n|---|---|---|---|---|\n", rounds)
	for _, of := range []struct {
		name, bundle string
		photos       int
	}{{"stand-in", set.bundle(), 15000}, {"demo bundle", filepath.Join(set.root, "bundles", "demo"), 1500}} {
		rates := map[string][]float64{}
		for round := range rounds {
			for _, delivery := range []string{"exactly_once", "at_least_once"} {
				rate := measure(t, set, fmt.Sprintf("cost-%s-%d-%s", of.bundle[len(of.bundle)-4:], round, strings.ReplaceAll(delivery, "_", "-")), delivery, of.bundle, of.photos)
				rates[delivery] = append(rates[delivery], rate)
				t.Logf("%s, %s: %.0f photos/s", of.name, delivery, rate)
			}
		}
		exactly, least := median(rates["exactly_once"]), median(rates["at_least_once"])
		text += fmt.Sprintf("| %s | %d | %s | %s | %.2f |\n", of.name, of.photos, spread(rates["exactly_once"]), spread(rates["at_least_once"]), exactly/least)
	}
	fmt.Println(text)
	if report := os.Getenv("CHAOS_REPORT"); report != "" {
		if err := section(filepath.Join(set.root, report), "cost", text); err != nil {
			t.Error(err)
		}
	}
}

// measure returns photos per second between the first and the last photo-level answer that a reader sees.
func measure(t *testing.T, set *stageSet, name, delivery, bundle string, photos int) float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	s := &scene{t: t, set: set, names: namesOf(name), rng: rand.New(rand.NewPCG(1, 1)), ledger: newLedger(), counts: map[string]int{}}
	s.fleet = &fleet{t: t, binary: set.binary, log: filepath.Join(t.TempDir(), "workers.log"), env: s.environment(map[string]string{
		"KAFKA_DELIVERY": delivery, "BUNDLE_PATH": bundle, "PHOTOS_IN_FLIGHT": "64", "PHOTOS_FLUSH_RECORDS": "500", "ALBUMS_MODE": "none",
	})}
	defer s.fleet.close()
	s.waitReady(ctx, s.fleet.start())
	s.fleet.terminate(s.fleet.running[0]) // the topics are made
	var err error
	if s.feed, err = newFeeder(set.addresses(), s.names.input); err != nil {
		t.Fatal(err)
	}
	defer s.feed.client.Close()
	for i := range photos {
		s.queue = append(s.queue, s.photo(fmt.Sprint(name, i), "", i))
	}
	s.release(ctx, photos)
	if err := s.feed.finish(ctx); err != nil {
		t.Fatal(err)
	}
	reading, stop := context.WithCancel(ctx)
	var reader sync.WaitGroup
	reader.Go(func() {
		if err := s.ledger.follow(reading, set.addresses(), s.names); err != nil {
			t.Error(err)
		}
	})
	defer reader.Wait()
	defer stop()
	s.fleet.start()
	return s.rate(ctx, photos)
}

func (s *scene) rate(ctx context.Context, photos int) float64 {
	s.t.Helper()
	var first time.Time
	already := 0
	for {
		s.ledger.mu.Lock()
		n, last := len(s.ledger.photos), s.ledger.changed
		s.ledger.mu.Unlock()
		if first.IsZero() && n > 0 {
			first, already = last, n
		}
		if n == photos {
			return float64(n-already) / last.Sub(first).Seconds()
		}
		s.pause(ctx, 5*time.Millisecond)
	}
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

func spread(list []float64) string {
	return fmt.Sprintf("%.0f (%.0f to %.0f)", median(list), slices.Min(list), slices.Max(list))
}
