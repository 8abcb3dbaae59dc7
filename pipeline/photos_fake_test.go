package pipeline

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"planetag/consumer"
	"planetag/enrich/decode"
)

// skipOrFail skips a test that needs what is not installed; `make test` installs everything and forbids skipping.
func skipOrFail(t testing.TB, why string) {
	t.Helper()
	if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
		t.Fatal(why)
	}
	t.Skip(why)
}

// partitionFake is one input partition: records go out in portions, commits are kept.
type partitionFake struct {
	mu       sync.Mutex
	records  []consumer.Record
	at       int
	commits  []commitSeen
	failing  error
	onCommit func()
}

type commitSeen struct {
	records []consumer.Record
	next    int64
}

func (p *partitionFake) Fetch(ctx context.Context) ([]consumer.Record, error) {
	p.mu.Lock()
	n := min(p.at+5, len(p.records))
	got := p.records[p.at:n]
	p.at = n
	p.mu.Unlock()
	if len(got) > 0 {
		return got, nil
	}
	select { // an empty poll
	case <-time.After(5 * time.Millisecond):
		return nil, ctx.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p *partitionFake) Commit(_ context.Context, records []consumer.Record, next int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failing != nil {
		return p.failing
	}
	p.commits = append(p.commits, commitSeen{records, next})
	if p.onCommit != nil {
		p.onCommit()
	}
	return nil
}

func (p *partitionFake) add(key, value string) {
	rec := consumer.Record{
		Topic: "photos", Partition: 2, Offset: int64(len(p.records)), Key: []byte(key), Value: []byte(value), Time: albumDay,
		Headers: []consumer.Header{{Key: "traceparent", Value: []byte("00-1")}},
	}
	if value == "" {
		rec.Value = nil
	}
	p.records = append(p.records, rec)
}

// committed is the offset that the group stands at.
func (p *partitionFake) committed() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.commits) == 0 {
		return 0
	}
	return p.commits[len(p.commits)-1].next
}

// fetchFunc is a store.
type fetchFunc func(ctx context.Context, ref Reference) (Object, error)

func (f fetchFunc) Get(ctx context.Context, ref Reference, sized func(int64)) (Object, error) {
	o, err := f(ctx, ref)
	sized(int64(len(o.Data)))
	return o, err
}

// paint is a photo of one colour, which is what the tiny bundle looks at: red is Rome, grey is anywhere.
func paint(t testing.TB, c color.Color) []byte {
	t.Helper()
	img := image.NewRGBA(image.Rect(0, 0, 48, 40))
	for i := range 48 * 40 {
		img.Set(i%48, i/48, c)
	}
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// startPhotoStage runs a batcher beside a stage and stops it when the test ends.
func startPhotoStage(t testing.TB, store fetcher) *photoStage {
	t.Helper()
	model := tinyModel(t)
	cfg := DefaultConfig()
	cfg.Topics.Embeddings, cfg.Topics.Locations, cfg.Topics.DeadLetters = "embeddings", "locations", "dead"
	cfg.Photos.FlushInterval = Duration(10 * time.Millisecond)
	metrics := NewMetrics(prometheus.NewRegistry())
	slots, err := decode.NewSlots(64, model.Info().InputBytes)
	if err != nil {
		t.Fatal(err)
	}
	s := &photoStage{
		cfg: cfg, model: model, decoder: model, turns: make(chan struct{}, 2), store: store, slots: slots, budget: NewBudget(1 << 30), metrics: metrics,
		batcher: NewBatcher(model, BatchConfig{MaxSize: 8, MaxDelay: Duration(time.Millisecond), Runners: 2}, metrics),
		health:  NewHealth(time.Hour), log: quiet(), stage: "photos", admit: newPrecedence(9).live,
	}
	ctx, cancel := context.WithCancel(context.Background())
	var batcher sync.WaitGroup
	batcher.Go(func() { _ = s.batcher.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		batcher.Wait()
		slots.Close()
		if used := s.budget.Used(); used != 0 {
			t.Errorf("%d bytes of the budget are still held", used)
		}
	})
	return s
}

// handleUntil runs the stage on p until the group stands at offset n, then ends it as a rebalance would.
func handleUntil(t *testing.T, s *photoStage, p *partitionFake, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	p.onCommit = func() {
		if p.commits[len(p.commits)-1].next >= int64(n) {
			cancel()
		}
	}
	if err := s.handle(ctx, p); !errors.Is(err, context.Canceled) {
		t.Fatalf("handle: %v", err)
	}
	if got := p.committed(); got != int64(n) {
		t.Fatalf("committed offset %d, want %d", got, n)
	}
}
