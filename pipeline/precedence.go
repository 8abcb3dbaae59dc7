package pipeline

import (
	"context"
	"slices"
	"sync"
	"time"

	"planetag/consumer"
)

// stageBackfill is the stage "photos" at work on the backfill topic: a consumer group of its own, and everything else shared.
const stageBackfill = "backfill"

// trickle is how long a photo of the backfill topic waits at most: live photos that cannot be finished, because their
// part of the store is away, must not hold up an archive for ever.
const trickle = time.Second

// admission lets a photo in before it takes any memory, and is told by leave that its walk is over. The error is the
// reason why ctx ended.
type admission func(ctx context.Context) (leave func(), err error)

// precedence of live photos over those of the backfill topic. While a live photo is on its way or waits for memory, one
// photo of the backfill topic is let in for each weight live ones that are finished; while there is none, all are. It
// decides before a photo takes memory, so whoever waits here holds nothing that a live photo could be waiting for.
type precedence struct {
	weight int

	mu      sync.Mutex
	walking int             // live photos
	credit  int             // live photos finished since a photo of the backfill topic was let in, at most weight
	waiting []chan struct{} // of the backfill topic, in the order in which they came
}

func newPrecedence(weight int) *precedence { return &precedence{weight: max(weight, 1)} }

// live is the admission of live photos: they never wait.
func (p *precedence) live(context.Context) (func(), error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.walking++
	return p.finished, nil
}

func (p *precedence) finished() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.walking--
	p.credit = min(p.credit+1, p.weight)
	switch {
	case p.walking == 0:
		for _, turn := range p.waiting {
			close(turn)
		}
		p.waiting = nil
	case p.credit == p.weight && len(p.waiting) > 0:
		p.credit = 0
		close(p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}

// backfill is the admission of the others.
func (p *precedence) backfill(ctx context.Context) (func(), error) {
	left := func() {}
	p.mu.Lock()
	if p.walking == 0 || len(p.waiting) == 0 && p.credit == p.weight {
		p.credit = 0
		p.mu.Unlock()
		return left, nil
	}
	turn := make(chan struct{})
	p.waiting = append(p.waiting, turn)
	p.mu.Unlock()

	patience := time.NewTimer(trickle)
	defer patience.Stop()
	select {
	case <-turn:
		return left, nil
	case <-patience.C:
	case <-ctx.Done():
	}
	p.mu.Lock()
	p.waiting = slices.DeleteFunc(p.waiting, func(c chan struct{}) bool { return c == turn })
	p.mu.Unlock()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	return left, nil
}

// board lets a record in when it is its turn, reserves what its photo takes at least, and puts it on the queue.
func (s *photoStage) board(ctx context.Context, rec consumer.Record, queue chan<- *flight) (f *flight, err error) {
	f = &flight{record: rec, hold: hold{budget: s.budget}, done: make(chan struct{})}
	if f.leave, err = s.admit(ctx); err != nil {
		return nil, err
	}
	if err := f.hold.take(ctx, photoReserve); err != nil {
		f.leave()
		return nil, err
	}
	select {
	case queue <- f:
		return f, nil
	case <-ctx.Done():
		f.leave()
		f.hold.set(0)
		return nil, ctx.Err()
	}
}

// Joins are the stages with the topic that each reads, as there are groups to join.
func (c Config) Joins() []string {
	joined := slices.Clone(c.Stages)
	if slices.Contains(joined, "photos") && c.Topics.Backfill != "" {
		joined = append(joined, stageBackfill)
	}
	return joined
}
