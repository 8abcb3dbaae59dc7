package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// Publish writes records and waits until every in-sync replica has them. It is
// for seeding and tools: calls are made one after another and are not part of
// any transaction. After an error some of the records may have been written.
func (c *Client) Publish(ctx context.Context, records []Record) error {
	if len(records) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	c.publishing.Lock()
	defer c.publishing.Unlock()
	if c.publisher == nil {
		p := &producer{client: c}
		if err := p.take(ctx); err != nil {
			return fmt.Errorf("publish %d records: %w", len(records), err)
		}
		c.publisher = p
	}
	goods, err := c.publisher.load(ctx, records)
	if err == nil {
		err = c.publisher.send(ctx, goods)
	}
	if err != nil {
		c.publisher = nil // its sequence numbers are ahead of what was written
		return fmt.Errorf("publish %d records: %w", len(records), err)
	}
	return nil
}

// Tail reads every partition of a topic from its start on, committed records
// only, and calls fn with each, one at a time. Records of one partition come in
// order. It returns nil when fn returns [ErrStop], the error of fn or of the
// reading, or that of ctx.
func (c *Client) Tail(ctx context.Context, topic string, fn func(Record) error) error {
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
			cancel(c.walk(ctx, topicPartition{topic, int32(partition)}, atStart, -1, func(r Record) error {
				one.Lock()
				defer one.Unlock()
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				return fn(r)
			}))
		})
	}
	reading.Wait()
	if err := context.Cause(ctx); !errors.Is(err, ErrStop) {
		return err
	}
	return nil
}
