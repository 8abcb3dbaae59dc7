package chaos

import (
	"context"
	"time"
)

// settle waits until all that was sent has its outcome, or nothing was published for as long as the row is patient, and then for the silence in which a
// zombie would speak. It returns what a reader finds who comes then.
func (s *scene) settle(ctx context.Context) findings {
	s.t.Helper()
	if err := s.feed.finish(ctx); err != nil {
		s.t.Fatal(err)
	}
	for {
		s.fleet.tend()
		over := s.ledger.quietFor(s.patience)
		if over || s.ledger.quietFor(session+2*time.Second) {
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
