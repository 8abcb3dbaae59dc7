package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"planetag/enrich"
)

// ErrBatcherStopped is what a photo gets that was still waiting when the batcher's Run ended.
var ErrBatcherStopped = errors.New("batcher stopped")

// embedder is the CNN; *enrich.Model in production.
type embedder interface {
	Embed(ctx context.Context, pixels [][]byte) ([]enrich.Sight, error)
}

// Batcher puts the photos of all partitions together, so that the CNN sees batches although every photo walks alone.
//
// A runner takes what is waiting as soon as the batch is full or its oldest photo has waited for MaxDelay. Under load the
// oldest has waited that long before a runner is free, so batches are taken at once and are as full as the load makes
// them; only a photo that comes alone ever pays MaxDelay.
type Batcher struct {
	model    embedder
	size     int
	delay    time.Duration
	runners  int
	observe  *Metrics
	arrived  chan struct{} // holds one token when something was put into waiting
	assemble chan struct{} // holds the one token of the runner that assembles a batch, so that two do not share one

	mu      sync.Mutex
	waiting []*seat
	stopped bool
}

// seat is one photo on its way through the CNN; sight and err belong to the runner until done is closed.
type seat struct {
	pixels []byte
	since  time.Time
	sight  enrich.Sight
	err    error
	done   chan struct{}
}

// NewBatcher returns a batcher in front of m; it works while Run does.
func NewBatcher(m embedder, c BatchConfig, observe *Metrics) *Batcher {
	runners := c.Runners
	if runners == 0 {
		runners = runtime.GOMAXPROCS(0)
	}
	b := &Batcher{
		model: m, size: max(c.MaxSize, 1), delay: time.Duration(c.MaxDelay), runners: runners, observe: observe,
		arrived: make(chan struct{}, 1), assemble: make(chan struct{}, 1),
	}
	b.assemble <- struct{}{}
	return b
}

// Run lets the runners work until ctx ends. It returns nil, and only after every call of the model has returned; photos
// that no runner had taken by then fail with ErrBatcherStopped. It is called once.
func (b *Batcher) Run(ctx context.Context) error {
	var runners sync.WaitGroup
	for range b.runners {
		runners.Go(func() {
			for batch := b.take(ctx); batch != nil; batch = b.take(ctx) {
				b.run(ctx, batch)
			}
		})
	}
	runners.Wait()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	for _, s := range b.waiting {
		s.err = ErrBatcherStopped
		close(s.done)
	}
	b.waiting = nil
	return nil
}

// Embed shows one photo, Size×Size×3 bytes of RGB, to the CNN. The pixels may lie outside of Go's heap and are free for
// reuse as soon as Embed returns, whatever it returns: when ctx ends, a photo that no runner has taken is withdrawn at
// once, and for one that was taken Embed waits until the model has finished.
func (b *Batcher) Embed(ctx context.Context, pixels []byte) (enrich.Sight, error) {
	s := &seat{pixels: pixels, since: time.Now(), done: make(chan struct{})}
	if err := b.enter(s); err != nil {
		return enrich.Sight{}, fmt.Errorf("embed photo: %w", err)
	}
	select {
	case <-s.done:
	case <-ctx.Done():
		if b.leave(s) {
			return enrich.Sight{}, context.Cause(ctx)
		}
		<-s.done
	}
	if s.err != nil {
		return enrich.Sight{}, fmt.Errorf("embed photo: %w", s.err)
	}
	return s.sight, nil
}

func (b *Batcher) enter(s *seat) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.stopped {
		return ErrBatcherStopped
	}
	b.waiting = append(b.waiting, s)
	select {
	case b.arrived <- struct{}{}:
	default: // a runner that has yet to look will see this seat too
	}
	return nil
}

// leave withdraws a seat; false means that a runner has it.
func (b *Batcher) leave(s *seat) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := slices.Index(b.waiting, s)
	if at < 0 {
		return false
	}
	b.waiting = slices.Delete(b.waiting, at, at+1)
	return true
}

// take waits for the next batch; nil means that ctx ended.
func (b *Batcher) take(ctx context.Context) []*seat {
	select {
	case <-b.assemble:
	case <-ctx.Done():
		return nil
	}
	defer func() { b.assemble <- struct{}{} }()
	for ctx.Err() == nil {
		batch, wait := b.ripe()
		if batch != nil {
			return batch
		}
		var ripe <-chan time.Time
		if wait > 0 {
			ripe = time.After(wait)
		}
		select {
		case <-b.arrived:
		case <-ripe:
		case <-ctx.Done():
		}
	}
	return nil
}

// ripe returns a batch that is due, or how long the oldest photo may still wait; 0 means that there is none.
func (b *Batcher) ripe() ([]*seat, time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.waiting) == 0 {
		return nil, 0
	}
	wait := b.delay - time.Since(b.waiting[0].since)
	if wait > 0 && len(b.waiting) < b.size {
		return nil, wait
	}
	n := min(len(b.waiting), b.size)
	batch := slices.Clone(b.waiting[:n])
	b.waiting = slices.Delete(b.waiting, 0, n)
	return batch, 0
}

// run answers every seat of a batch. When the batch fails as a whole, each photo is tried alone: one that the model cannot
// stand must not fail its neighbours.
func (b *Batcher) run(ctx context.Context, batch []*seat) {
	defer func() {
		for _, s := range batch {
			close(s.done)
		}
	}()
	err := b.infer(ctx, batch)
	for _, s := range batch {
		s.err = err
		if err != nil && len(batch) > 1 && Judge(err) != Stop && ctx.Err() == nil {
			s.err = b.infer(ctx, []*seat{s})
		}
	}
}

func (b *Batcher) infer(ctx context.Context, batch []*seat) error {
	pixels := make([][]byte, len(batch))
	for i, s := range batch {
		pixels[i] = s.pixels
	}
	b.observe.Batch(len(batch))
	started := time.Now()
	sights, err := b.model.Embed(ctx, pixels)
	if err != nil {
		return err
	}
	b.observe.Stage("infer", time.Since(started))
	if len(sights) != len(batch) {
		return fmt.Errorf("run model: %d answers for %d photos", len(sights), len(batch))
	}
	for i, s := range batch {
		s.sight = sights[i]
	}
	return nil
}
