package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// cost is a promise and what does without it, on one kind of work.
type cost struct {
	promise, without string // values of setting
	setting          string
	network, photo   string // bundle directory, object
	photos           int
}

// costs are measured where they show most, with the stand-in network, for which a photo costs next to nothing, and with the demo bundle.
func costs(set *stageSet) []cost {
	demo := filepath.Join(set.root, "bundles", "demo")
	return []cost{
		{"exactly_once", "at_least_once", "KAFKA_DELIVERY", set.bundle(), "red.jpg", 15000},
		{"exactly_once", "at_least_once", "KAFKA_DELIVERY", demo, "red.jpg", 1500},
		{"process", "none", "DECODE_ISOLATION", set.bundle(), "large.jpg", 1500},
		{"process", "none", "DECODE_ISOLATION", demo, "large.jpg", 600},
	}
}

// TestCosts prints what exactly_once costs against at_least_once, and decoding in processes against decoding in the worker, in alternating rounds of one
// run. It needs CHAOS=full; it holds no time against a limit.
func TestCosts(t *testing.T) {
	if os.Getenv("CHAOS") != "full" {
		t.Skip("takes minutes; CHAOS=full runs it")
	}
	set := build(t, 1)
	set.put(t, map[string]string{"large.jpg": large(t)})
	rounds := number("CHAOS_ROUNDS", 3)
	text := fmt.Sprintf("`make chaos-cost ROUNDS=%d`, flush_interval 100 ms, six partitions, one worker and the broker on the same %d cores; red.jpg is small, "+
		"large.jpg has 2 megapixels. Photos per second: median, least and greatest.\n\n"+
		"| promise | network | photos per round | with it | without | ratio |\n|---|---|---|---|---|---|\n", rounds, runtime.NumCPU())
	for i, c := range costs(set) {
		rates := map[string][]float64{}
		for round := range rounds {
			for _, value := range []string{c.promise, c.without} {
				rate := c.measure(t, set, fmt.Sprintf("cost-%d-%d-%s", i, round, strings.ReplaceAll(value, "_", "-")), value)
				rates[value] = append(rates[value], rate)
				t.Logf("%s %s, %s: %.0f photos/s", filepath.Base(c.network), c.photo, value, rate)
			}
		}
		with, without := rates[c.promise], rates[c.without]
		text += fmt.Sprintf("| `%s: %s`, not `%s` | %s | %d × %s | %s | %s | %.2f |\n", strings.ToLower(strings.Replace(c.setting, "_", ".", 1)), c.promise, c.without,
			filepath.Base(c.network), c.photos, c.photo, spread(with), spread(without), median(with)/median(without))
	}
	fmt.Println(text)
	set.report(t, "cost", text)
}

// measure returns photos per second between the first and the last photo-level answer that a reader sees.
func (c cost) measure(t *testing.T, set *stageSet, name, value string) float64 {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	s := &scene{t: t, set: set, names: namesOf(name), rng: rand.New(rand.NewPCG(1, 1)), ledger: newLedger(), counts: map[string]int{}}
	s.fleet = &fleet{t: t, binary: set.binary, log: filepath.Join(t.TempDir(), "workers.log"), env: s.environment(map[string]string{
		c.setting: value, "BUNDLE_PATH": c.network, "PHOTOS_IN_FLIGHT": "64", "PHOTOS_FLUSH_RECORDS": "500", "ALBUMS_MODE": "none",
	})}
	defer s.fleet.close()
	s.waitReady(ctx, s.fleet.start())
	s.fleet.terminate(s.fleet.running[0]) // the topics are made
	var err error
	if s.feed, err = newFeeder(set.addresses(), s.names.input); err != nil {
		t.Fatal(err)
	}
	defer s.feed.client.Close()
	for i := range c.photos {
		r := &reference{kind: good, id: fmt.Sprint(name, i)}
		r.value = r.render(c.photo, i)
		s.queue = append(s.queue, r)
	}
	s.release(ctx, c.photos)
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
	return s.rate(ctx, c.photos)
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
