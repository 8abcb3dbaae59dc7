package decode

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

// PoolOptions say how photos are decoded in processes of their own. A field
// that is zero takes its default.
type PoolOptions struct {
	Processes int           // photos at a time; default GOMAXPROCS
	Deadline  time.Duration // of one photo, in processor time; default 4 s
	Memory    int64         // bytes that one process may take for decoding; default 1 GiB
	Observer  Observer      // default nobody

	command []string // default childCommand
}

// Observer is told what happens to the processes. It is called from many
// goroutines.
type Observer interface {
	// ChildStarted: confined says whether its system calls are filtered.
	ChildStarted(confined bool)
	// ChildCrashed: it died, answered nonsense or ran out of memory.
	ChildCrashed(err error)
	// ChildTooSlow: it was killed at the deadline.
	ChildTooSlow(err error)
}

// nobody observes nothing.
type nobody struct{}

func (nobody) ChildStarted(bool)  {}
func (nobody) ChildCrashed(error) {}
func (nobody) ChildTooSlow(error) {}

// childCommand starts this program as a decoder. The option comes first because
// it ends at once any test binary that is not prepared to be a decoder, where a
// bare word would run all its tests.
func childCommand() []string { return []string{os.Args[0], "--log-level=error", ChildName} }

// ChildName is the last argument of a process that is to call RunChild.
const ChildName = "decode-child"

// Pool decodes photos in supervised processes, which are this same program: a
// crash, a hang or a memory bomb costs one photo. It is safe for concurrent use.
type Pool struct {
	options PoolOptions
	limits  Limits
	setup   setup
	turns   chan struct{} // as many as processes
	closed  chan struct{}

	mu   sync.Mutex
	idle []*child // the last one used is the next
	once sync.Once
}

// NewPool starts nothing yet: a process is started by the first photo that
// finds none. The geometry is that of all photos.
func NewPool(l Limits, g Geometry, o PoolOptions) (*Pool, error) {
	l, err := l.withDefaults()
	if err == nil {
		err = g.Validate()
	}
	if err != nil {
		return nil, err
	}
	if o.Processes < 0 || o.Deadline < 0 || o.Memory < 0 {
		return nil, fmt.Errorf("check pool: %d processes, deadline %v, memory %d: one is below zero", o.Processes, o.Deadline, o.Memory)
	}
	if o.Processes == 0 {
		o.Processes = runtime.GOMAXPROCS(0)
	}
	if o.Deadline == 0 {
		o.Deadline = 4 * time.Second
	}
	if o.Memory == 0 {
		o.Memory = 1 << 30
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	if o.command == nil {
		o.command = childCommand()
	}
	return &Pool{
		options: o, limits: l, setup: setupOf(l, g, o.Memory),
		turns: make(chan struct{}, o.Processes), closed: make(chan struct{}),
	}, nil
}

// Photo is [Decoder.Photo] in another process: the same pixels in dst, Info,
// Exif and errors, and [ErrCrashed], [ErrTooSlow], [ErrChild] and [ErrClosed].
// When ctx ends it fails at once with ctx's cause, and the process is killed.
func (p *Pool) Photo(ctx context.Context, data []byte, g Geometry, dst []byte) (Photo, error) {
	if g != p.setup.geometry() || len(dst) != g.Bytes() {
		panic(fmt.Sprintf("internal error: %d bytes for %+v in a pool for %+v", len(dst), g, p.setup.geometry()))
	}
	if int64(len(data)) > p.limits.MaxBytes {
		f, err := sniff(data)
		if err == nil {
			err = p.limits.tooBig(f, len(data))
		}
		return Photo{Info: Info{Format: string(f)}}, err
	}
	if err := p.turn(ctx); err != nil {
		return Photo{}, err
	}
	defer func() { <-p.turns }()
	a, err := p.try(ctx, data, dst)
	if errors.Is(err, ErrCrashed) { // an older photo may have hurt this process
		a, err = p.try(ctx, data, dst)
	}
	if err != nil {
		return Photo{}, err
	}
	return a.photo, a.err
}

// turn waits until less than the allowed number of photos are being decoded.
func (p *Pool) turn(ctx context.Context) error {
	select {
	case <-p.closed:
		return ErrClosed
	default:
	}
	select {
	case p.turns <- struct{}{}:
		return nil
	case <-p.closed:
		return ErrClosed
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// try has one process decode the photo. Its error says that this process is no
// more.
func (p *Pool) try(ctx context.Context, data, dst []byte) (answer, error) {
	if ctx.Err() != nil {
		return answer{}, context.Cause(ctx)
	}
	c, err := p.take(ctx)
	if err != nil {
		return answer{}, err
	}
	a, err := c.ask(ctx, data, dst, p.options.Deadline)
	if err == nil {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.idle = append(p.idle, c)
		return a, nil
	}
	c.end()
	switch {
	case errors.Is(err, ErrTooSlow):
		p.options.Observer.ChildTooSlow(err)
	case errors.Is(err, ErrCrashed):
		p.options.Observer.ChildCrashed(err)
	}
	return answer{}, err
}

// take is the process used last, or a new one when none is idle.
func (p *Pool) take(ctx context.Context) (*child, error) {
	for {
		p.mu.Lock()
		last := len(p.idle) - 1
		if last < 0 {
			p.mu.Unlock()
			break
		}
		c := p.idle[last]
		p.idle = p.idle[:last]
		p.mu.Unlock()
		if c.alive() {
			return c, nil
		}
		p.options.Observer.ChildCrashed(fmt.Errorf("%w between photos: %s", ErrCrashed, c.end()))
	}
	return p.start(ctx)
}

// start starts a process; it gives up after three that never got ready.
func (p *Pool) start(ctx context.Context) (*child, error) {
	const attempts = 3
	for attempt := 1; ; attempt++ {
		c, err := startChild(ctx, p.options.command, p.setup)
		switch {
		case err == nil:
			p.options.Observer.ChildStarted(c.confined)
			return c, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case attempt == attempts:
			return nil, fmt.Errorf("%w: %w; set decode.isolation to none to do without", ErrChild, err)
		}
	}
}

// Close waits for the photos in progress and ends the processes.
func (p *Pool) Close() error {
	p.once.Do(func() {
		close(p.closed)
		for range cap(p.turns) {
			p.turns <- struct{}{}
		}
		for _, c := range p.idle {
			c.end()
		}
		p.idle = nil
	})
	return nil
}
