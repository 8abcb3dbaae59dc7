package consumer

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
	"github.com/segmentio/kafka-go/protocol/leavegroup"
)

// membership is one member in one generation of its group.
type membership struct {
	client              *Client
	group, stage, topic string
	generation          int32
	member              string
}

func (m membership) coordinator() coordinatorKey {
	return coordinatorKey{kafka.CoordinatorKeyTypeConsumer, m.group}
}

// open begins the work on a partition: take over its producer, then read where
// to go on. In this order nobody can move the offset after it was read.
func (m membership) open(ctx context.Context, partition int) (*Assignment, error) {
	ctx, cancel := m.client.patience(ctx)
	defer cancel()
	from := topicPartition{m.topic, int32(partition)}
	a := &Assignment{
		membership: m,
		reader:     &reader{client: m.client, from: from, stage: m.stage},
		producer:   &producer{client: m.client, keyless: partition},
	}
	if m.client.cfg.Delivery == ExactlyOnce {
		a.producer.transaction = fmt.Sprintf("%s/%s/%s/%d", m.group, m.stage, m.topic, partition)
	}
	if err := a.producer.take(ctx); err != nil {
		return nil, err
	}
	if err := a.locate(ctx); err != nil {
		return nil, err
	}
	return a, nil
}

// locate finds where to begin and how far there is to go.
func (a *Assignment) locate(ctx context.Context) error {
	from := a.reader.from
	what := attempt{
		what:        fmt.Sprintf("read offsets of topic %q partition %d", from.topic, from.partition),
		coordinator: a.coordinator(), needs: a.rightsToRead(),
	}
	return a.client.persist(ctx, what, func(ctx context.Context) error {
		committed, err := a.committedOffset(ctx)
		if err != nil {
			return err
		}
		if committed < 0 {
			if committed, err = a.client.offsetAt(ctx, from, atStart); err != nil {
				return err
			}
		}
		// Not the last stable offset: another producer's open transaction holds
		// that back, before records that the last owner committed. Whoever took
		// those for not written would write them again.
		if a.caughtUp, err = a.client.offsetAt(ctx, from, atEnd); err != nil {
			return err
		}
		a.committed = committed
		a.reader.position.Store(committed)
		a.reader.end.Store(a.caughtUp)
		return nil
	})
}

// committedOffset is -1 where the group has none.
func (a *Assignment) committedOffset(ctx context.Context) (int64, error) {
	found, err := a.client.committedOffsets(ctx, a.group, a.topic, []int32{a.reader.from.partition})
	if err != nil {
		return 0, err
	}
	return found[0], nil
}

// stands asks whether the generation is still the group's. A member that slept
// through its own removal must learn it before it takes a producer over: it
// would fence the rightful owner.
func (m membership) stands(ctx context.Context) error {
	ctx, cancel := m.client.patience(ctx)
	defer cancel()
	step := attempt{what: "confirm membership", coordinator: m.coordinator(), needs: m.rightsToRead()}
	return m.client.persist(ctx, step, func(ctx context.Context) error {
		answer, err := call[*heartbeat.Response](ctx, m.client, &heartbeat.Request{
			GroupID: m.group, GenerationID: m.generation, MemberID: m.member,
		})
		if err != nil {
			return err
		}
		return codeError(answer.ErrorCode)
	})
}

// leave ends the membership, for when the group's own connection cannot.
func (m membership) leave(ctx context.Context) error {
	if m.member == "" {
		return nil
	}
	step := attempt{what: "leave group", coordinator: m.coordinator(), needs: m.rightsToRead()}
	err := m.client.persist(ctx, step, func(ctx context.Context) error {
		answer, err := call[*leavegroup.Response](ctx, m.client, &leavegroup.Request{
			GroupID: m.group, MemberID: m.member,
		})
		if err != nil {
			return err
		}
		return codeError(answer.ErrorCode)
	})
	if errors.Is(err, kafka.UnknownMemberId) {
		return nil
	}
	return err
}
