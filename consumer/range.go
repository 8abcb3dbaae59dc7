package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
)

// Read reads a topic once: every partition from its offset in from, or from its
// start where from is nil, to its end as it was when Read was called, committed
// records only. It calls fn with each, one at a time; records of one partition
// come in order. next is where another Read goes on. Transactions that were open
// then are waited for. The error is that of fn, of the reading, or of ctx.
func (c *Client) Read(ctx context.Context, topic string, from []int64, fn func(Record) error) (next []int64, err error) {
	ends, err := c.Ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	return ends, together(ctx, len(ends), fn, func(ctx context.Context, partition int, fn func(Record) error) error {
		start := int64(atStart)
		if partition < len(from) {
			start = from[partition]
		}
		if start == ends[partition] {
			return nil
		}
		return c.walk(ctx, topicPartition{topic, int32(partition)}, start, ends[partition], fn)
	})
}

// walk reads one partition from start (atStart: its start) until its end.
func (c *Client) walk(ctx context.Context, from topicPartition, start, end int64, fn func(Record) error) error {
	r := &reader{client: c, from: from}
	r.position.Store(start)
	var err error
	if start == atStart {
		what := attempt{what: fmt.Sprintf("read topic %q partition %d", from.topic, from.partition), needs: []right{onTopic("Read", from.topic)}}
		err = c.persist(ctx, what, func(ctx context.Context) error {
			first, err := c.offsetAt(ctx, from, atStart)
			r.position.Store(first)
			return err
		})
	}
	for err == nil && r.position.Load() < end {
		var records []Record
		if records, err = r.next(ctx); err != nil {
			break
		}
		for _, record := range records {
			if record.Offset >= end {
				return nil
			}
			if err := fn(record); err != nil {
				return err
			}
		}
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// Ends are the ends of a topic's partitions: the offsets behind everything that
// is written, also what is not yet committed.
func (c *Client) Ends(ctx context.Context, topic string) ([]int64, error) {
	count, err := c.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	ends := make([]int64, count)
	for partition := range ends {
		what := attempt{what: fmt.Sprintf("read the end of topic %q partition %d", topic, partition), needs: []right{onTopic("Describe", topic)}}
		err := c.persist(ctx, what, func(ctx context.Context) (err error) {
			ends[partition], err = c.offsetAt(ctx, topicPartition{topic, int32(partition)}, atEnd)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return ends, nil
}

// Committed are a group's offsets for a topic's partitions; -1 where it has none.
func (c *Client) Committed(ctx context.Context, group, topic string) (offsets []int64, err error) {
	count, err := c.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	partitions := make([]int32, count)
	for i := range partitions {
		partitions[i] = int32(i)
	}
	what := attempt{
		what: fmt.Sprintf("read the offsets of group %q", group), coordinator: coordinatorKey{kafka.CoordinatorKeyTypeConsumer, group},
		needs: []right{onGroup("Describe", group)},
	}
	err = c.persist(ctx, what, func(ctx context.Context) (err error) {
		offsets, err = c.committedOffsets(ctx, group, topic, partitions)
		return err
	})
	return offsets, err
}

// committedOffsets are -1 where the group has none.
func (c *Client) committedOffsets(ctx context.Context, group, topic string, partitions []int32) ([]int64, error) {
	answer, err := call[*offsetfetch.Response](ctx, c, &offsetfetch.Request{
		GroupID: group, Topics: []offsetfetch.RequestTopic{{Name: topic, PartitionIndexes: partitions}},
	})
	if err != nil {
		return nil, err
	}
	offsets := slices.Repeat([]int64{-1}, len(partitions))
	if code := kafka.Error(answer.ErrorCode); code == kafka.GroupIdNotFound {
		return offsets, nil // no group yet, no offsets
	} else if code != 0 {
		return nil, code
	}
	if len(answer.Topics) != 1 || len(answer.Topics[0].Partitions) != len(partitions) {
		return nil, fmt.Errorf("answer to offset fetch lacks a partition: %w", kafka.NetworkException)
	}
	var errs error
	for _, found := range answer.Topics[0].Partitions {
		if at := slices.Index(partitions, found.PartitionIndex); at >= 0 {
			offsets[at] = found.CommittedOffset
		}
		errs = errors.Join(errs, codeError(found.ErrorCode))
	}
	return offsets, errs
}
