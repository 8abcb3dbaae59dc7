package index

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"planetag/consumer"
)

// assignment is what a partition's work needs of a consumer.Assignment.
type assignment interface {
	Fetch(ctx context.Context) ([]consumer.Record, error)
	Commit(ctx context.Context, records []consumer.Record, next int64) error
	CaughtUp() bool
}

// handle works one partition until ctx ends or something fails: one goroutine reads, this one gathers what was read into
// batches and writes them, one after the other.
func (r *run) handle(ctx context.Context, a assignment, partition int) error {
	ctx, cancel := context.WithCancelCause(ctx)
	chunks := make(chan chunk, 16)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(chunks)
		cancel(r.read(ctx, a, chunks))
	})
	err := r.gather(ctx, a, partition, chunks)
	cancel(err)
	for c := range chunks {
		r.budget.Release(c.bytes)
	}
	reader.Wait()
	if err == nil || errors.Is(err, context.Canceled) {
		err = context.Cause(ctx)
	}
	return err
}

// chunk is what one fetch brought. One without records says that all was read that was there at the start.
type chunk struct {
	records []consumer.Record
	bytes   int64
}

func (r *run) read(ctx context.Context, a assignment, chunks chan<- chunk) error {
	for told := false; ; {
		records, err := a.Fetch(ctx)
		if err != nil {
			return fmt.Errorf("fetch locations: %w", err)
		}
		for len(records) > 0 {
			var c chunk
			c, records = r.cut(records)
			if err := r.pass(ctx, c, chunks); err != nil {
				return err
			}
		}
		if !told && a.CaughtUp() {
			told = true
			if err := r.pass(ctx, chunk{}, chunks); err != nil {
				return err
			}
		}
	}
}

// cut takes at most a batch off the records.
func (r *run) cut(records []consumer.Record) (c chunk, rest []consumer.Record) {
	n := 0
	for n < len(records) && c.bytes < int64(r.cfg.Index.BatchBytes) {
		c.bytes += int64(size(records[n]))
		n++
	}
	c.records = slices.Clip(records[:n]) // whoever appends must not write into the rest
	return c, records[n:]
}

// pass takes the memory that a chunk needs until it is committed. Whoever gathers writes in any case when its time is over, so
// that the budget never waits for itself.
func (r *run) pass(ctx context.Context, c chunk, chunks chan<- chunk) error {
	if err := r.budget.Acquire(ctx, c.bytes); err != nil {
		return err
	}
	if len(c.records) > 0 {
		r.progress.read(c.records[0].Partition, len(c.records), c.records[0].Time)
	}
	select {
	case chunks <- c:
		return nil
	case <-ctx.Done():
		r.budget.Release(c.bytes)
		return context.Cause(ctx)
	}
}

// gather makes batches of at most index.batch_bytes that wait for at most index.batch_delay.
func (r *run) gather(ctx context.Context, a assignment, partition int, chunks <-chan chunk) error {
	var batch chunk
	defer func() { r.budget.Release(batch.bytes) }()
	var due <-chan time.Time
	flush := func() error {
		err := r.settle(ctx, a, batch.records)
		if err == nil {
			r.budget.Release(batch.bytes)
			batch, due = chunk{}, nil
		}
		return err
	}
	for {
		caughtUp := false
		select {
		case c, ok := <-chunks:
			if !ok {
				return context.Cause(ctx)
			}
			if len(batch.records) == 0 {
				due = time.After(time.Duration(r.cfg.Index.BatchDelay))
			}
			if batch.bytes += c.bytes; len(batch.records) == 0 {
				batch.records = c.records
			} else {
				batch.records = append(batch.records, c.records...)
			}
			if caughtUp = len(c.records) == 0; !caughtUp && batch.bytes < int64(r.cfg.Index.BatchBytes) {
				continue
			}
		case <-due:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		if err := flush(); err != nil {
			return err
		}
		if caughtUp {
			r.caughtUp(partition)
		}
	}
}

// settle writes a batch and lets the group's offset pass it, together with its dead letters.
func (r *run) settle(ctx context.Context, a assignment, records []consumer.Record) error {
	if len(records) == 0 {
		return nil
	}
	dead, err := r.writer.write(ctx, records)
	if err != nil {
		return fmt.Errorf("write %d locations: %w", len(records), err)
	}
	last := records[len(records)-1]
	if err := a.Commit(ctx, dead, last.Offset+1); err != nil {
		return fmt.Errorf("commit %d indexed locations: %w", len(records), err)
	}
	r.progress.settled(last.Partition, len(records), last.Time)
	return nil
}
