package consumer

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
)

// Committed is how far a group has committed a topic, by partition: the next
// offset, 0 where it has committed none. It is for tools that watch a group from
// outside.
func (c *Client) Committed(ctx context.Context, group, topic string) ([]int64, error) {
	count, err := c.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	asked := make([]int32, count)
	for i := range asked {
		asked[i] = int32(i)
	}
	offsets := make([]int64, count)
	step := attempt{
		what: fmt.Sprintf("read the offsets of group %q", group), coordinator: coordinatorKey{kafka.CoordinatorKeyTypeConsumer, group},
		needs: []right{onGroup("Describe", group)},
	}
	err = c.persist(ctx, step, func(ctx context.Context) error {
		answer, err := call[*offsetfetch.Response](ctx, c, &offsetfetch.Request{
			GroupID: group, Topics: []offsetfetch.RequestTopic{{Name: topic, PartitionIndexes: asked}},
		})
		if err != nil {
			return err
		}
		if code := kafka.Error(answer.ErrorCode); code != 0 && code != kafka.GroupIdNotFound {
			return code
		}
		for _, t := range answer.Topics {
			for _, p := range t.Partitions {
				if int(p.PartitionIndex) < count {
					offsets[p.PartitionIndex] = max(p.CommittedOffset, 0)
				}
			}
		}
		return nil
	})
	return offsets, err
}
