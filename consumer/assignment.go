package consumer

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Assignment is one partition in the hands of one handler call.
//
// Fetch and Commit may run side by side, each in one goroutine at a time; the
// other methods may be called from anywhere. After Fetch or Commit returned an
// error other than that of their context, the assignment is of no more use and
// both return the same error again.
type Assignment struct {
	membership
	reader   *reader
	producer *producer
	// caughtUp is the high watermark when the assignment began.
	caughtUp int64

	mu        sync.Mutex
	committed int64
	dead      error
}

// Topic is the input topic.
func (a *Assignment) Topic() string { return a.topic }

// Partition is the number of the input partition.
func (a *Assignment) Partition() int { return int(a.reader.from.partition) }

// Position is the next offset to fetch.
func (a *Assignment) Position() int64 { return a.reader.position.Load() }

// CaughtUp reports whether everything has been passed that was written when the
// assignment began: fetched when it was committed, skipped when it was aborted.
// While a transaction from before then is open, it reports false.
func (a *Assignment) CaughtUp() bool { return a.Position() >= a.caughtUp }

// Committed is the group's offset as last known: the next offset that a new
// assignment would fetch.
func (a *Assignment) Committed() int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.committed
}

// Fetch returns the next committed records in order, or none when there are none
// within a quarter of a second. It returns the error of ctx when ctx ends.
func (a *Assignment) Fetch(ctx context.Context) ([]Record, error) {
	if err := a.usable(ctx); err != nil {
		return nil, err
	}
	records, err := a.reader.next(ctx)
	if err != nil && !ended(err) {
		return nil, a.fail(err)
	}
	return records, err
}

// Commit publishes records and moves the group's offset to next, both or
// neither (with [AtLeastOnce]: records first). records may be empty; their order
// is kept per partition. A transaction that has begun is brought to its end even
// when ctx ends meanwhile, within a few seconds.
//
// The error wraps [ErrRestart] when nothing is known to be committed but doing it
// again will help, and [ErrFenced] when the partition has another owner. Any
// other error will come again: a topic that is missing or forbidden, a record
// that the topic does not accept.
func (a *Assignment) Commit(ctx context.Context, records []Record, next int64) error {
	if err := a.usable(ctx); err != nil {
		return err
	}
	began := time.Now()
	err := a.commit(ctx, records, next)
	if err != nil {
		err = a.fail(fmt.Errorf("commit %d records of topic %q partition %d up to offset %d: %w",
			len(records), a.topic, a.Partition(), next, err))
	} else {
		a.mu.Lock()
		a.committed = next
		a.mu.Unlock()
		a.reader.report()
	}
	a.client.cfg.Observer.Transaction(a.stage, len(records), time.Since(began), err)
	return err
}

func (a *Assignment) commit(ctx context.Context, records []Record, next int64) error {
	ctx, cancel := a.client.patience(ctx)
	defer cancel()
	goods, err := a.producer.load(ctx, records)
	if err != nil {
		return err
	}
	if a.client.cfg.Delivery == ExactlyOnce {
		return a.transact(ctx, goods, next)
	}
	if err := a.producer.send(ctx, goods); err != nil {
		return err
	}
	return a.commitOffset(ctx, next)
}

func (a *Assignment) usable(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dead != nil {
		return a.dead
	}
	return ctx.Err()
}

// fail makes err the answer to every later call.
func (a *Assignment) fail(err error) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.dead == nil {
		a.dead = err
	}
	return a.dead
}

// lastWords is how long a transaction may still take after its caller was told
// to stop.
const lastWords = 5 * time.Second

// patience is the context of a transaction: not ended by the caller's, because
// half a transaction keeps every reader of its topics waiting, but bounded so
// that it is over before the broker aborts it.
func (c *Client) patience(ctx context.Context) (context.Context, context.CancelFunc) {
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.cfg.TransactionTimeout/2)
	forget := context.AfterFunc(ctx, func() { time.AfterFunc(lastWords, cancel) })
	return bounded, func() { forget(); cancel() }
}
