package consumer

import (
	"context"
	"errors"
	"sync"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/addoffsetstotxn"
	"github.com/segmentio/kafka-go/protocol/offsetcommit"
	"github.com/segmentio/kafka-go/protocol/txnoffsetcommit"
)

// transact writes goods and the offset in one transaction. The order of its
// steps is the guarantee: nothing is visible before the last one, and the last
// one is not reached unless every other was acknowledged.
func (a *Assignment) transact(ctx context.Context, goods cargo, next int64) error {
	err := a.steps(ctx, goods, next)
	if err != nil {
		a.producer.giveUp(ctx, err)
	}
	return err
}

func (a *Assignment) steps(ctx context.Context, goods cargo, next int64) error {
	if err := a.producer.addPartitions(ctx, goods); err != nil {
		return err
	}
	// The offsets may be announced while the records travel.
	var announced error
	var announcing sync.WaitGroup
	announcing.Go(func() { announced = a.addOffsets(ctx) })
	err := a.producer.send(ctx, goods)
	announcing.Wait()
	if err := graver(err, announced); err != nil {
		return err
	}
	if err := a.commitOffsetInTransaction(ctx, next); err != nil {
		return err
	}
	return a.producer.end(ctx, true)
}

// giveUp aborts a transaction that failed with err, where that is safe: readers
// need not wait for the next owner. Should this fail too, the next owner or the
// broker's clock ends the transaction.
func (p *producer) giveUp(ctx context.Context, err error) {
	if !mayAbort(err) {
		return
	}
	short, cancel := context.WithTimeout(context.WithoutCancel(ctx), requestTimeout)
	defer cancel()
	_ = p.end(short, false)
}

// mayAbort reports whether the open transaction may be aborted under the epoch
// in which it failed. It may not while a copy of one of its requests can still
// arrive: it would belong to no transaction, or to the next one. Taking over
// again aborts too, and raises the epoch against such a straggler.
func mayAbort(err error) bool {
	var f *failure
	return errors.As(err, &f) && !f.doubt &&
		!errors.Is(err, kafka.ProducerFenced) && !errors.Is(err, kafka.InvalidProducerEpoch)
}

func (a *Assignment) addOffsets(ctx context.Context) error {
	request := &addoffsetstotxn.Request{
		TransactionalID: a.producer.transaction,
		ProducerID:      a.producer.identity.id, ProducerEpoch: a.producer.identity.epoch,
		GroupID: a.group,
	}
	step := attempt{
		what: "add offsets to transaction", coordinator: a.producer.coordinator(),
		needs: []right{onTransactions(a.producer.transaction), onGroup("Read", a.group)},
	}
	return a.client.persist(ctx, step, func(ctx context.Context) error {
		answer, err := call[*addoffsetstotxn.Response](ctx, a.client, request)
		if err != nil {
			return err
		}
		return codeError(answer.ErrorCode)
	})
}

// commitOffsetInTransaction also proves that the generation still stands.
func (a *Assignment) commitOffsetInTransaction(ctx context.Context, next int64) error {
	request := &txnoffsetcommit.Request{
		TransactionalID: a.producer.transaction,
		ProducerID:      a.producer.identity.id, ProducerEpoch: a.producer.identity.epoch,
		GroupID: a.group, GenerationID: a.generation, MemberID: a.member,
		Topics: []txnoffsetcommit.RequestTopic{{Name: a.topic, Partitions: []txnoffsetcommit.RequestPartition{{
			Partition: a.reader.from.partition, CommittedOffset: next, CommittedLeaderEpoch: -1,
		}}}},
	}
	step := attempt{
		what: "commit offset in transaction", coordinator: a.coordinator(), final: true,
		needs: append(a.rightsToRead(), onTransactions(a.producer.transaction)),
	}
	return a.client.persist(ctx, step, func(ctx context.Context) error {
		answer, err := call[*txnoffsetcommit.Response](ctx, a.client, request)
		if err != nil {
			return err
		}
		var codes []int16
		for _, topic := range answer.Topics {
			for _, p := range topic.Partitions {
				codes = append(codes, p.ErrorCode)
			}
		}
		return gravest(codes)
	})
}

// commitOffset moves the offset outside of a transaction.
func (a *Assignment) commitOffset(ctx context.Context, next int64) error {
	request := &offsetcommit.Request{
		GroupID: a.group, GenerationID: a.generation, MemberID: a.member, RetentionTimeMs: -1,
		Topics: []offsetcommit.RequestTopic{{Name: a.topic, Partitions: []offsetcommit.RequestPartition{{
			PartitionIndex: a.reader.from.partition, CommittedOffset: next, CommittedLeaderEpoch: -1,
		}}}},
	}
	step := attempt{what: "commit offset", coordinator: a.coordinator(), needs: a.rightsToRead()}
	return a.client.persist(ctx, step, func(ctx context.Context) error {
		answer, err := call[*offsetcommit.Response](ctx, a.client, request)
		if err != nil {
			return err
		}
		var codes []int16
		for _, topic := range answer.Topics {
			for _, p := range topic.Partitions {
				codes = append(codes, p.ErrorCode)
			}
		}
		return gravest(codes)
	})
}

// gravest is the error of the code that asks for the gravest action.
func gravest(codes []int16) (worst error) {
	for _, code := range codes {
		if err := codeError(code); err != nil && (worst == nil || judge(err, false) > judge(worst, false)) {
			worst = err
		}
	}
	return worst
}
