package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Range says which records of a topic [Client.Look] shows. The zero value is all that there are.
type Range struct {
	// From is the offset to begin at, in each partition; what is before its start begins there.
	From int64
	// Last, if not 0, begins so many offsets before the end of each partition instead.
	Last int64
	// New begins at the end instead: only what is written from now on.
	New bool
	// Follow goes on with what is written later; otherwise Look returns at the end as it was when it began.
	Follow bool
}

// Look reads every partition of a topic, committed records only, without a group, and calls fn with each, one at a time.
// Records of one partition come in order. It returns nil at the end of the range or when fn returns [ErrStop], or the
// error of fn, of the reading, or of ctx. Nothing is committed, and nobody's position moves.
func (c *Client) Look(ctx context.Context, topic string, which Range, fn func(Record) error) error {
	count, err := c.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	err = together(ctx, count, fn, func(ctx context.Context, partition int, fn func(Record) error) error {
		return c.look(ctx, topicPartition{topic, int32(partition)}, which, fn)
	})
	if errors.Is(err, ErrStop) {
		return nil
	}
	return err
}

// together reads so many partitions side by side and calls fn with one record at a time. The first error ends all of it.
func together(ctx context.Context, partitions int, fn func(Record) error, read func(context.Context, int, func(Record) error) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var reading sync.WaitGroup
	var one sync.Mutex
	for partition := range partitions {
		reading.Go(func() {
			err := read(ctx, partition, func(r Record) error {
				one.Lock()
				defer one.Unlock()
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				return fn(r)
			})
			if err != nil {
				cancel(err)
			}
		})
	}
	reading.Wait()
	return context.Cause(ctx)
}

// look reads one partition's part of the range.
func (c *Client) look(ctx context.Context, from topicPartition, which Range, fn func(Record) error) error {
	r := &reader{client: c, from: from}
	var end int64
	what := attempt{what: fmt.Sprintf("read topic %q partition %d", from.topic, from.partition), needs: []right{onTopic("Read", from.topic)}}
	err := c.persist(ctx, what, func(ctx context.Context) error {
		start, err := c.offsetAt(ctx, from, atStart)
		if err != nil {
			return err
		}
		end, err = c.offsetAt(ctx, from, atEnd)
		r.position.Store(which.begin(start, end))
		return err
	})
	if err != nil {
		return err
	}
	for idle := 0; which.Follow || r.position.Load() < end; {
		before := r.position.Load()
		records, err := r.next(ctx)
		if err != nil {
			return err
		}
		for _, record := range records {
			if !which.Follow && record.Offset >= end {
				return nil
			}
			if err := fn(record); err != nil {
				return err
			}
		}
		// Behind an open transaction nothing can be read until it ends: what there is to see has been seen.
		if idle++; r.position.Load() > before || !r.troubled.IsZero() {
			idle = 0
		}
		if !which.Follow && idle > 1 {
			return nil
		}
	}
	return nil
}

func (w Range) begin(start, end int64) int64 {
	switch {
	case w.New:
		return end
	case w.Last > 0:
		return max(start, end-w.Last)
	}
	return min(max(start, w.From), end)
}
