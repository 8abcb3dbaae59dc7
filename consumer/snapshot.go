package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
)

// Snapshot reads every partition of a topic from its start to where it ended when it was asked, committed records only, and
// calls fn with each, one at a time. Records of one partition come in order. While a transaction from before then is open, it
// waits for it. It returns the error of fn, of the reading, or that of ctx.
func (c *Client) Snapshot(ctx context.Context, topic string, fn func(Record) error) error {
	count, err := c.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var reading sync.WaitGroup
	var one sync.Mutex
	for partition := range count {
		reading.Go(func() {
			err := c.snapshot(ctx, topicPartition{topic, int32(partition)}, func(r Record) error {
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

// snapshot reads one partition up to its end.
func (c *Client) snapshot(ctx context.Context, from topicPartition, fn func(Record) error) error {
	var start, end int64
	what := attempt{what: fmt.Sprintf("read topic %q partition %d", from.topic, from.partition), needs: []right{onTopic("Read", from.topic)}}
	err := c.persist(ctx, what, func(ctx context.Context) (err error) {
		start, err = c.offsetAt(ctx, from, atStart)
		if err == nil {
			end, err = c.offsetAt(ctx, from, atEnd)
		}
		return err
	})
	r := &reader{client: c, from: from}
	r.position.Store(start)
	for err == nil && r.position.Load() < end {
		var records []Record
		records, err = r.next(ctx)
		for _, record := range records {
			if record.Offset < end && err == nil {
				err = fn(record)
			}
		}
	}
	if err != nil && ctx.Err() != nil && !errors.Is(err, context.Cause(ctx)) {
		return context.Cause(ctx)
	}
	return err
}
