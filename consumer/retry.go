package consumer

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"

	"github.com/segmentio/kafka-go"
)

// attempt describes a request to persist.
type attempt struct {
	// what begins the error, as in "commit transaction".
	what string
	// coordinator is who answers, if a coordinator does.
	coordinator coordinatorKey
	// final forbids a second copy of a request that may have been carried out.
	final bool
	// needs are the rights that the request needs, for when one is missing.
	needs []right
}

// persist calls request until it succeeds, until its error says that repeating
// is useless, or until ctx ends. Its error is a *failure.
func (c *Client) persist(ctx context.Context, a attempt, request func(context.Context) error) error {
	doubt := false
	for n := 0; ; n++ {
		err := request(ctx)
		if err == nil {
			return nil
		}
		doubt = doubt || uncertain(err)
		act := judge(err, a.final)
		switch {
		case act == proceed:
			return nil
		case act >= restart:
			return failed(a.what, act, c.explain(err, a.needs), doubt)
		case act == askCoordinator:
			c.coordinators.forget(a.coordinator)
		case act == askLeader:
			c.refresh(ctx)
		}
		if !pause(ctx, backoff(err, n)) {
			return failed(a.what, act, err, doubt)
		}
	}
}

// backoff is the pause before attempt n+1. The broker closes a transaction within
// milliseconds after it has answered the commit, and throughput is bounded by
// this pause; everything else is an outage and deserves patience.
func backoff(err error, n int) time.Duration {
	first, most := 20*time.Millisecond, 500*time.Millisecond
	if errors.Is(err, kafka.ConcurrentTransactions) {
		first, most = time.Millisecond, 50*time.Millisecond
	}
	d := min(first<<min(n, 10), most)
	return d/2 + rand.N(d/2+1)
}

// pause waits for d; it returns false when ctx ended or would end first.
func pause(ctx context.Context, d time.Duration) bool {
	if deadline, ok := ctx.Deadline(); ok && time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
