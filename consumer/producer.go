package consumer

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/endtxn"
	"github.com/segmentio/kafka-go/protocol/initproducerid"
)

// topicPartition names one partition of one topic.
type topicPartition struct {
	topic     string
	partition int32
}

// producer writes batches under one producer id. It is used by one goroutine at
// a time.
type producer struct {
	client *Client
	// transaction is the transactional id; empty for an idempotent producer
	// without transactions.
	transaction string
	// keyless is where records without a key go, modulo the partition count.
	keyless   int
	identity  identity
	sequences map[topicPartition]int32
}

func (p *producer) coordinator() coordinatorKey {
	return coordinatorKey{kafka.CoordinatorKeyTypeTransaction, p.transaction}
}

// take obtains a producer id with a new epoch, which ends the previous holder of
// the transactional id and what it left open.
func (p *producer) take(ctx context.Context) error {
	request := &initproducerid.Request{
		TransactionalID:      p.transaction,
		TransactionTimeoutMs: int32(p.client.cfg.TransactionTimeout.Milliseconds()),
		// "No producer id yet". Zeros would claim producer 0.
		ProducerID: -1, ProducerEpoch: -1,
	}
	step := attempt{
		what: fmt.Sprintf("take over producer %q", p.transaction), coordinator: p.coordinator(),
		needs: []right{onTransactions(p.transaction), onCluster("IdempotentWrite")},
	}
	err := p.client.persist(ctx, step, func(ctx context.Context) error {
		answer, err := call[*initproducerid.Response](ctx, p.client, request)
		if err != nil {
			return err
		}
		p.identity = identity{answer.ProducerID, answer.ProducerEpoch, p.transaction != ""}
		return codeError(answer.ErrorCode)
	})
	p.sequences = make(map[topicPartition]int32)
	if err != nil || p.transaction == "" {
		return err
	}
	// A Kafka broker has aborted the open transaction by now and refuses this;
	// brokers exist that hand out the new epoch and leave the transaction open,
	// so that its records would become visible with the next commit.
	return p.end(ctx, false)
}

// end commits or aborts the open transaction. Repeating an abort is harmless and
// having nothing to abort is success; the outcome of a commit whose answer is
// lost is not known.
func (p *producer) end(ctx context.Context, commit bool) error {
	step := attempt{what: "abort transaction", coordinator: p.coordinator(), final: commit, needs: []right{onTransactions(p.transaction)}}
	if commit {
		step.what = "commit transaction"
	}
	return p.client.persist(ctx, step, func(ctx context.Context) error {
		answer, err := call[*endtxn.Response](ctx, p.client, &endtxn.Request{
			TransactionalID: p.transaction,
			ProducerID:      p.identity.id, ProducerEpoch: p.identity.epoch,
			Committed: commit,
		})
		if err != nil {
			return err
		}
		if err = codeError(answer.ErrorCode); !commit && errors.Is(err, kafka.InvalidTransactionState) {
			return nil
		}
		return err
	})
}

// codeError is the error of a Kafka error code, nil for 0.
func codeError(code int16) error {
	if code == 0 {
		return nil
	}
	return kafka.Error(code)
}
