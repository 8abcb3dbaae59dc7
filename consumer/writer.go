package consumer

import (
	"context"
	"errors"
	"fmt"

	"github.com/segmentio/kafka-go/protocol/addpartitionstotxn"
)

// ErrDelivery says that something needs transactions and the client is not
// configured for them.
var ErrDelivery = errors.New("transactions are needed")

// Writer writes records in transactions that belong to no group: for work whose
// progress is not an offset. Progress is a record too, written in the same
// transaction, and read back after the next Writer of the same name was made.
// One goroutine uses it at a time.
type Writer struct {
	producer *producer
	dead     error
}

// NewWriter takes the transactional id over. Whatever an earlier holder left open
// is aborted when it returns, and the earlier holder can commit nothing more; so
// what a read_committed reader sees from now on is what that one has done.
// Errors: [ErrDelivery], [ErrRestart], [ErrFenced], missing rights.
func (c *Client) NewWriter(ctx context.Context, transactionalID string) (*Writer, error) {
	if c.cfg.Delivery != ExactlyOnce {
		return nil, fmt.Errorf("%w: kafka.delivery is %s; set it to %s", ErrDelivery, c.cfg.Delivery, ExactlyOnce)
	}
	ctx, cancel := c.patience(ctx)
	defer cancel()
	w := &Writer{producer: &producer{client: c, transaction: transactionalID}}
	if err := w.producer.take(ctx); err != nil {
		return nil, err
	}
	return w, nil
}

// Write writes all of the records in one transaction, or none. Once begun, it is
// brought to its end even when ctx ends meanwhile, within a few seconds.
//
// After an error the Writer is of no more use. With [ErrRestart] nobody knows
// whether the transaction was committed: make a new Writer and read back. With
// [ErrFenced] somebody else holds the transactional id now.
func (w *Writer) Write(ctx context.Context, records []Record) error {
	if w.dead != nil {
		return w.dead
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(records) == 0 {
		return nil
	}
	ctx, cancel := w.producer.client.patience(ctx)
	defer cancel()
	if err := w.producer.transact(ctx, records); err != nil {
		w.dead = fmt.Errorf("write %d records as %q: %w", len(records), w.producer.transaction, err)
	}
	return w.dead
}

// transact is a transaction of records alone; see Assignment.transact.
func (p *producer) transact(ctx context.Context, records []Record) error {
	goods, err := p.load(ctx, records)
	if err != nil {
		return err
	}
	if err = p.addPartitions(ctx, goods); err == nil {
		err = p.send(ctx, goods)
	}
	if err == nil {
		err = p.end(ctx, true)
	}
	if err != nil {
		p.giveUp(ctx, err)
	}
	return err
}

// addPartitions tells the coordinator where the transaction is going to write.
func (p *producer) addPartitions(ctx context.Context, goods cargo) error {
	if len(goods.targets) == 0 {
		return nil
	}
	request := &addpartitionstotxn.Request{
		TransactionalID: p.transaction,
		ProducerID:      p.identity.id, ProducerEpoch: p.identity.epoch,
	}
	index := make(map[string]int)
	for _, t := range goods.targets {
		at, known := index[t.topic]
		if !known {
			at = len(request.Topics)
			index[t.topic] = at
			request.Topics = append(request.Topics, addpartitionstotxn.RequestTopic{Name: t.topic})
		}
		request.Topics[at].Partitions = append(request.Topics[at].Partitions, t.partition)
	}
	step := attempt{
		what: "add partitions to transaction", coordinator: p.coordinator(),
		needs: append(rightsToWrite(goods), onTransactions(p.transaction)),
	}
	return p.client.persist(ctx, step, func(ctx context.Context) error {
		answer, err := call[*addpartitionstotxn.Response](ctx, p.client, request)
		if err != nil {
			return err
		}
		var worst error
		for _, topic := range answer.Results {
			var codes []int16
			for _, partition := range topic.Results {
				codes = append(codes, partition.ErrorCode)
			}
			if err := gravest(codes); err != nil && (worst == nil || judge(err, false) > judge(worst, false)) {
				worst = refusedTopic{topic.Name, err}
			}
		}
		return worst
	})
}
