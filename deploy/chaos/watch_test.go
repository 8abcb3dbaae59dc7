package chaos

import (
	"bytes"
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// allWorkedSince tells whether every input partition has published since then, and how long after then the slowest did.
func (l *ledger) allWorkedSince(then time.Time) (time.Duration, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var slowest time.Duration
	for p := range int32(partitions) {
		if !l.newest[p].After(then) {
			return 0, false
		}
		slowest = max(slowest, l.newest[p].Sub(then))
	}
	return slowest, true
}

// uncommitted sees album answers when they are written, before they are committed.
type uncommitted struct {
	seen chan struct{}
	stop func()
}

// watchUncommitted reads the locations topic from its end, open transactions included.
func (s *scene) watchUncommitted(ctx context.Context) *uncommitted {
	s.t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.set.addresses()...), kgo.ConsumeTopics(s.names.locations),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtEnd()), kgo.FetchIsolationLevel(kgo.ReadUncommitted()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		s.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	u := &uncommitted{seen: make(chan struct{}, 1)}
	var reading sync.WaitGroup
	reading.Go(func() {
		defer client.Close()
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(func(r *kgo.Record) {
				if !bytes.Contains(r.Value, []byte(`"stage":"album"`)) {
					return
				}
				select {
				case u.seen <- struct{}{}:
				default:
				}
			})
		}
	})
	u.stop = func() { cancel(); reading.Wait() }
	return u
}

// albumAnswer waits for the next album answer to be written.
func (u *uncommitted) albumAnswer(ctx context.Context, patience time.Duration) bool {
	select {
	case <-u.seen: // an old one
	default:
	}
	select {
	case <-u.seen:
		return true
	case <-time.After(patience):
	case <-ctx.Done():
	}
	return false
}
