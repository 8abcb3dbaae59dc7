package search

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/deploy/report"
	"planetag/pipeline"
	"planetag/pipeline/index"
)

// benchDocuments is how many documents are written, each once, by as many writers as the topic has partitions. benchBatch is
// about what index.batch_bytes comes to with them.
const (
	benchDocuments = 50_000
	benchBatch     = 1500
	benchWriters   = 3
	benchRounds    = 6
)

// TestThroughput prints what `planetag index` writes a second, and what the server takes of ready-made requests: of documents
// that are new, bulk requests without versions and COPY; of documents that replace others, bulk requests again, and the
// database's own upsert of rows that it holds already. Rounds alternate, because a machine is not always equally fast.
func TestThroughput(t *testing.T) {
	only := os.Getenv("BENCH_INDEX")
	if only == "" {
		t.Skip("`make bench-index` runs this")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Minute)
	defer cancel()
	w := newWorld(t)
	w.cfg.Index.BatchBytes = 4 << 20
	newer := w.cfg
	newer.Topics.Locations = "planetag.locations.newer"
	w.bench(ctx, t, w.cfg.Topics.Locations, 1000)
	w.bench(ctx, t, newer.Topics.Locations, 2000)
	table := "| index | documents | indexed from Kafka, documents/s | ready-made, documents/s | share |\n|---|---|---|---|---|\n"
	for _, to := range targets(t) {
		if only != "1" && only != to.name() {
			continue
		}
		var first, again rates
		for round := range benchRounds {
			t.Run(fmt.Sprintf("%s, round %d", to.name(), round), func(t *testing.T) { // which closes its connections
				into, ceiling := anew(to, fmt.Sprintf("indexed_%d", round)), anew(to, fmt.Sprintf("ceiling_%d", round))
				indexed := measured(ctx, t, into, w.cfg)
				add, replace := readyMade(ctx, t, into, ceiling)
				first.note(round, indexed, atMost(t, add))
				indexed = measured(ctx, t, into, newer)
				again.note(round, indexed, atMost(t, replace(ctx, t)))
			})
		}
		if t.Failed() {
			return
		}
		for what, r := range map[string]rates{"new": first, "that replace others": again} {
			t.Logf("%s, documents %s: indexed from Kafka %.0f a second, ready-made %.0f a second", to.name(), what, r.indexed, r.ceiling)
		}
		table += first.row(to.name(), "new") + again.row(to.name(), "that replace others")
	}
	t.Log(table)
	if os.Getenv("SEARCH_REPORT") != "" {
		if err := report.Section(page(t), "throughput", table); err != nil {
			t.Fatal(err)
		}
	}
}

// bench publishes all documents in one revision.
func (w *world) bench(ctx context.Context, t *testing.T, topic string, revision int64) {
	t.Helper()
	records := make([]consumer.Record, benchDocuments)
	for i := range records {
		records[i] = located(t, fmt.Sprintf("photos/%06d.jpg", i), float64(i%170)-85, float64(i%340)-170, func(l *pipeline.Location) { l.Revision = revision })
		records[i].Topic = topic
	}
	err := w.client.EnsureTopics(ctx, []consumer.Topic{{Name: topic, Partitions: benchWriters, Replication: 1}}, true)
	if err == nil {
		err = w.client.Publish(ctx, records)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// rates are documents a second, round by round.
type rates struct{ indexed, ceiling []float64 }

// note leaves out the first round, which warms the server up.
func (r *rates) note(round int, indexed, ceiling float64) {
	if round > 0 {
		r.indexed, r.ceiling = append(r.indexed, indexed), append(r.ceiling, ceiling)
	}
}

// row has the medians of the rounds, and of their shares.
func (r rates) row(sink, documents string) string {
	var shares []float64
	for i := range r.indexed {
		shares = append(shares, r.indexed[i]/r.ceiling[i])
	}
	return fmt.Sprintf("| %s | %s | %.0f | %.0f | %.0f %% |\n", sink, documents, median(r.indexed), median(r.ceiling), 100*median(shares))
}

func median(of []float64) float64 {
	return slices.Sorted(slices.Values(of))[len(of)/2]
}

// timed is a sink that knows when the first request began and the last one ended: the joining of the group before it is no
// throughput.
type timed struct {
	index.Sink

	mu          sync.Mutex
	first, last time.Time
}

func (s *timed) Write(ctx context.Context, docs []*index.Document) ([]index.Outcome, error) {
	s.mu.Lock()
	if s.first.IsZero() {
		s.first = time.Now()
	}
	s.mu.Unlock()
	outcomes, err := s.Sink.Write(ctx, docs)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = time.Now()
	return outcomes, err
}

// measured is how many documents a second the indexer writes.
func measured(ctx context.Context, t *testing.T, to target, cfg pipeline.Config) float64 {
	t.Helper()
	sink := &timed{Sink: to.open(ctx, t, cfg)}
	f, err := index.Run(ctx, index.Options{
		Config: cfg, Sink: sink, Target: to.name() + to.index(), Once: true, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil || f.Written != benchDocuments {
		t.Fatalf("index into %s: %v, %+v", to.name(), err, f)
	}
	return benchDocuments / sink.last.Sub(sink.first).Seconds()
}

// atMost is how many documents a second the server takes.
func atMost(t *testing.T, batches []func() error) float64 {
	t.Helper()
	var next atomic.Int64
	var writers sync.WaitGroup
	began := time.Now()
	for range benchWriters {
		writers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(batches); i = next.Add(1) - 1 {
				if err := batches[i](); err != nil {
					t.Error(err)
				}
			}
		})
	}
	writers.Wait()
	return benchDocuments / time.Since(began).Seconds()
}
