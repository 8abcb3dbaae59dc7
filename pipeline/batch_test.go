package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"
	"go.uber.org/goleak"

	"planetag/enrich"
)

// fakeCNN answers each photo with its first byte. It takes its time, and while it does it keeps looking at its pixels, as
// C code would.
type fakeCNN struct {
	takes time.Duration
	fail  func(pixels [][]byte) error

	mu      sync.Mutex
	batches []int
	running int
	peak    int
}

func (f *fakeCNN) Embed(ctx context.Context, pixels [][]byte) ([]enrich.Sight, error) {
	f.mu.Lock()
	f.batches = append(f.batches, len(pixels))
	f.running++
	f.peak = max(f.peak, f.running)
	f.mu.Unlock()
	var sights []enrich.Sight
	before := make([][]byte, len(pixels))
	for i, p := range pixels {
		before[i] = bytes.Clone(p)
		sights = append(sights, enrich.Sight{Embedding: []float32{float32(p[0])}})
	}
	time.Sleep(f.takes) // an inference is not interrupted
	for i, p := range pixels {
		if !bytes.Equal(p, before[i]) {
			panic("pixels changed under the model")
		}
	}
	f.mu.Lock()
	f.running--
	f.mu.Unlock()
	if f.fail != nil {
		if err := f.fail(pixels); err != nil {
			return nil, err
		}
	}
	return sights, nil
}

// running starts a batcher and returns it with a function that ends it and waits.
func running(t *testing.T, m embedder, c BatchConfig) (*Batcher, func()) {
	t.Helper()
	b := NewBatcher(m, c, NewMetrics(prometheus.NewRegistry()))
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- b.Run(ctx) }()
	return b, func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("batcher ended with %v", err)
		}
	}
}

// embedAll embeds photos 1 to n at the same time and waits for all.
func embedAll(t *testing.T, b *Batcher, n int) {
	t.Helper()
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			sight, err := b.Embed(t.Context(), []byte{byte(i + 1)})
			if err != nil || len(sight.Embedding) != 1 || sight.Embedding[0] != float32(i+1) {
				t.Errorf("photo %d got %v, %v", i+1, sight.Embedding, err)
			}
		})
	}
	all.Wait()
}

func TestBatcherFillsBatches(t *testing.T) {
	delay := 10 * time.Millisecond
	for _, row := range []struct {
		name    string
		photos  int
		batches []int
		takes   time.Duration
	}{
		{"a photo that comes alone waits for company, but not for long", 1, []int{1}, delay},
		{"a few go together when the first has waited long enough", 5, []int{5}, delay},
		{"a full batch does not wait", 8, []int{8}, 0},
		{"what is left over has waited while the first batch ran", 11, []int{8, 3}, 100 * time.Millisecond},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				model := &fakeCNN{takes: 100 * time.Millisecond}
				b, stop := running(t, model, BatchConfig{MaxSize: 8, MaxDelay: Duration(delay), Runners: 1})
				started := time.Now()
				embedAll(t, b, row.photos)
				if took := time.Since(started) - model.takes; took != row.takes {
					t.Errorf("took %s beside the last inference, want %s", took, row.takes)
				}
				if !slices.Equal(model.batches, row.batches) {
					t.Errorf("batches of %v, want %v", model.batches, row.batches)
				}
				stop()
			})
		})
	}
}

func TestBatcherKeepsAllRunnersBusy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := &fakeCNN{takes: 100 * time.Millisecond}
		b, stop := running(t, model, BatchConfig{MaxSize: 4, MaxDelay: Duration(time.Millisecond), Runners: 3})
		started := time.Now()
		embedAll(t, b, 24)
		if took := time.Since(started); took != 200*time.Millisecond || model.peak != 3 {
			t.Errorf("24 photos took %s with %d runners at once, want 2 rounds of 3", took, model.peak)
		}
		stop()
	})
}

func TestBatcherSavesTheNeighboursOfABadPhoto(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad := errors.New("cannot stand 3")
		model := &fakeCNN{fail: func(pixels [][]byte) error {
			if slices.ContainsFunc(pixels, func(p []byte) bool { return p[0] == 3 }) {
				return bad
			}
			return nil
		}}
		b, stop := running(t, model, BatchConfig{MaxSize: 5, MaxDelay: Duration(time.Second), Runners: 1})
		var all sync.WaitGroup
		for i := range 5 {
			all.Go(func() {
				sight, err := b.Embed(t.Context(), []byte{byte(i)})
				switch {
				case i == 3 && !errors.Is(err, bad):
					t.Errorf("the bad photo got %v, %v", sight, err)
				case i != 3 && (err != nil || sight.Embedding[0] != float32(i)):
					t.Errorf("neighbour %d got %v, %v", i, sight, err)
				}
			})
		}
		all.Wait()
		if want := []int{5, 1, 1, 1, 1, 1}; !slices.Equal(model.batches, want) {
			t.Errorf("batches of %v, want %v", model.batches, want)
		}
		stop()
	})
}

func TestBatcherRefusesAnAnswerTooFew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b, stop := running(t, lazyCNN{}, BatchConfig{MaxSize: 1, Runners: 1})
		if _, err := b.Embed(t.Context(), []byte{1}); err == nil {
			t.Error("a photo without an answer has no error")
		}
		stop()
	})
}

type lazyCNN struct{}

func (lazyCNN) Embed(context.Context, [][]byte) ([]enrich.Sight, error) { return nil, nil }

// TestBatcherServesManyPartitions lets 16 partitions of 50 photos meet, some of which leave early.
func TestBatcherServesManyPartitions(t *testing.T) {
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	model := &fakeCNN{takes: 200 * time.Microsecond}
	b, stop := running(t, model, BatchConfig{MaxSize: 8, MaxDelay: Duration(time.Millisecond), Runners: 2})
	var partitions sync.WaitGroup
	for p := range 16 {
		partitions.Go(func() {
			for i := range 50 {
				ctx, cancel := context.WithCancel(t.Context())
				if i%7 == 0 {
					time.AfterFunc(100*time.Microsecond, cancel)
				}
				pixels := []byte{byte(p), byte(i)}
				sight, err := b.Embed(ctx, pixels)
				pixels[0] = 0xff
				if err == nil && sight.Embedding[0] != float32(p) || err != nil && ctx.Err() == nil {
					t.Errorf("photo %d of partition %d got %v, %v", i, p, sight.Embedding, err)
				}
				cancel()
			}
		})
	}
	partitions.Wait()
	stop()
	if model.peak > 2 || slices.Max(model.batches) > 8 {
		t.Errorf("%d calls at once, batches up to %d", model.peak, slices.Max(model.batches))
	}
}

func TestBatcherShowsItsBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reg := prometheus.NewRegistry()
		b := NewBatcher(&fakeCNN{}, BatchConfig{MaxSize: 4, MaxDelay: Duration(time.Millisecond)}, NewMetrics(reg))
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- b.Run(ctx) }()
		embedAll(t, b, 4)
		embedAll(t, b, 3)
		cancel()
		<-ended
		want := "planetag_batch_size_sum 7\nplanetag_batch_size_count 2\n"
		if err := testutil.GatherAndCompare(reg, bytes.NewBufferString(batchHistogram(want)), "planetag_batch_size"); err != nil {
			t.Error(err)
		}
	})
}

// batchHistogram is the exposition of a batch of 3 and one of 4.
func batchHistogram(sums string) string {
	text := "# HELP planetag_batch_size Photos per call of the CNN.\n# TYPE planetag_batch_size histogram\n"
	for _, bucket := range []struct {
		le string
		n  int
	}{{"1", 0}, {"2", 0}, {"4", 2}, {"8", 2}, {"16", 2}, {"32", 2}, {"64", 2}, {"+Inf", 2}} {
		text += fmt.Sprintf("planetag_batch_size_bucket{le=%q} %d\n", bucket.le, bucket.n)
	}
	return text + sums
}
