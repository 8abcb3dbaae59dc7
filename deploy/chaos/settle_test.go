package chaos

import (
	"context"
	"time"
)

// patience is how long nothing may be written while work is left.
const patience = 45 * time.Second

// pulse tells how long the output topics have not grown. While the brokers cannot be asked, time does not count: nobody can work then.
type pulse struct {
	written int64
	since   time.Time
}

func (p *pulse) quiet(ctx context.Context, s *scene) time.Duration {
	now, err := written(ctx, s.set.addresses(), s.names)
	if err != nil || now != p.written || p.since.IsZero() {
		p.written, p.since = now, time.Now()
	}
	return time.Since(p.since)
}

// settle waits until all that was sent has its outcome, or nothing was written for too long, and then for the silence in which a
// zombie would speak. It returns what a reader finds who comes then.
func (s *scene) settle(ctx context.Context) findings {
	s.t.Helper()
	if err := s.feed.finish(ctx); err != nil {
		s.t.Fatal(err)
	}
	var p pulse
	for {
		s.fleet.tend()
		quiet := p.quiet(ctx, s)
		if over := quiet > patience; over || quiet > session+2*time.Second {
			l, err := final(ctx, s.set.addresses(), s.names)
			if err != nil && over {
				s.t.Fatal(err)
			}
			if err == nil {
				if f := l.judge(s.feed.sent); over || f.Lost == 0 && f.Wrong == 0 {
					return f
				}
			}
		}
		s.pause(ctx, time.Second)
	}
}

// waitWork returns when the workers write again, or after a minute in which they did not: the judge will tell why.
func (s *scene) waitWork(ctx context.Context) {
	var p pulse
	p.quiet(ctx, s)
	before := p.written
	for begun := time.Now(); time.Since(begun) < time.Minute; s.pause(ctx, 200*time.Millisecond) {
		if p.quiet(ctx, s); before == 0 {
			before = p.written
		} else if p.written > before {
			return
		}
	}
}
