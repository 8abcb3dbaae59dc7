package consumer

import (
	"cmp"
	"context"
	"fmt"
	"slices"
)

// latestBack is how far before its end a partition is looked at: some of what is
// there may be the markers of transactions and not records.
const latestBack = 50

// Latest reads up to n of the newest records of a topic, the newest first, as no
// member of any group, and commits nothing.
func (c *Client) Latest(ctx context.Context, topic string, n int) ([]Record, error) {
	partitions, err := c.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	var found []Record
	for partition := range partitions {
		tail, err := c.newest(ctx, topicPartition{topic, int32(partition)}, n)
		if err != nil {
			return nil, fmt.Errorf("read the end of topic %q partition %d: %w", topic, partition, err)
		}
		found = append(found, tail...)
		slices.SortStableFunc(found, func(a, b Record) int { return cmp.Or(b.Time.Compare(a.Time), cmp.Compare(b.Offset, a.Offset)) })
		found = found[:min(n, len(found))]
	}
	return found, nil
}

// newest are the last records of a partition, n at most.
func (c *Client) newest(ctx context.Context, from topicPartition, n int) (records []Record, err error) {
	start, err := c.offsetAt(ctx, from, atStart)
	if err != nil {
		return nil, c.explain(err, []right{onTopic("Read", from.topic)})
	}
	end, err := c.offsetAt(ctx, from, atEnd)
	if err != nil {
		return nil, err
	}
	limit := int32(fetchBytes)
	for at := max(start, end-max(latestBack, int64(n))); at < end; {
		answer, err := c.fetch(ctx, from, at, limit)
		if err == nil {
			err = codeError(answer.code)
		}
		if err != nil {
			return nil, c.explain(err, []right{onTopic("Read", from.topic)})
		}
		page, next, err := answer.visible(from, at)
		if err != nil {
			return nil, err
		}
		if next == at {
			if limit >= maxAnswer/2 || at >= answer.stable {
				break // an open transaction, or nothing that can be read
			}
			limit *= 2
		}
		at = next
		records = append(records, page...)
		records = records[max(0, len(records)-n):]
	}
	return records, nil
}
