package pipeline

import (
	"context"
	"io"
	"sync"
	"time"
)

// pace ends an attempt that does not get on: when its answer has not begun within the time limit, and then whenever its
// body brought less than the least rate for as long. So a large object on a slow line may take its time, and one that
// trickles does not keep its place.
type pace struct {
	ctx    context.Context
	cancel context.CancelCauseFunc
	limit  time.Duration
	least  int64 // bytes within limit

	mu     sync.Mutex
	timer  *time.Timer
	inBody bool
	ended  bool
	fresh  int64 // bytes since the timer was set
}

// pace begins an attempt; its end must be called.
func (s *Store) pace(ctx context.Context) (context.Context, *pace) {
	p := &pace{limit: s.timeout, least: int64(float64(s.minRate) * s.timeout.Seconds())}
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.timer = time.AfterFunc(p.limit, p.check)
	return p.ctx, p
}

func (p *pace) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.ended:
	case !p.inBody:
		p.cancel(errAttemptTimeout)
	case p.fresh < p.least:
		p.cancel(errSlowBody)
	default:
		getsOn(p.ctx)
		p.fresh = 0
		p.timer.Reset(p.limit)
	}
}

// of is a body whose bytes count.
func (p *pace) of(body io.Reader) io.Reader {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.inBody = true
	p.timer.Reset(p.limit)
	return pacedBody{body, p}
}

func (p *pace) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
	p.timer.Stop()
	p.cancel(nil)
}

type pacedBody struct {
	io.Reader
	pace *pace
}

func (b pacedBody) Read(to []byte) (int, error) {
	n, err := b.Reader.Read(to)
	b.pace.mu.Lock()
	b.pace.fresh += int64(n)
	b.pace.mu.Unlock()
	return n, err
}
