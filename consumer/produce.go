package consumer

import (
	"bytes"
	"context"
	"fmt"
	"sync"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/produce"
	"github.com/segmentio/kafka-go/protocol/rawproduce"
)

// outgoing is one encoded batch on its way to one partition.
type outgoing struct {
	topicPartition
	wire []byte
}

// cargo is what one transaction writes: for each partition its records in order,
// cut into runs of at most one batch. The targets are in order of appearance.
type cargo struct {
	targets []topicPartition
	runs    map[topicPartition][][]Record
}

// load assigns records to partitions. It asks for partition counts once per topic.
func (p *producer) load(ctx context.Context, records []Record) (cargo, error) {
	c := cargo{runs: make(map[topicPartition][][]Record)}
	counts := make(map[string]int)
	sorted := make(map[topicPartition][]Record)
	for _, r := range records {
		if _, known := counts[r.Topic]; !known {
			n, err := p.partitions(ctx, r.Topic)
			if err != nil {
				return c, err
			}
			counts[r.Topic] = n
		}
		target := topicPartition{r.Topic, p.choose(r, counts[r.Topic])}
		if _, known := sorted[target]; !known {
			c.targets = append(c.targets, target)
		}
		sorted[target] = append(sorted[target], r)
	}
	for target, records := range sorted {
		c.runs[target] = cut(records)
	}
	return c, nil
}

func (p *producer) partitions(ctx context.Context, topic string) (n int, err error) {
	what := attempt{what: fmt.Sprintf("count partitions of %q", topic)}
	err = p.client.persist(ctx, what, func(ctx context.Context) error {
		nodes, err := p.client.leaders(ctx, topic)
		n = len(nodes)
		return err
	})
	return n, err
}

func (p *producer) choose(r Record, count int) int32 {
	switch {
	case r.Partition >= 0:
		return int32(r.Partition)
	case r.Key == nil:
		return int32(p.keyless % count)
	}
	all := make([]int, count)
	for i := range all {
		all[i] = i
	}
	return int32(kafka.Murmur2Balancer{}.Balance(kafka.Message{Key: r.Key}, all...))
}

// send writes the cargo. A request may hold only one batch of a partition, and
// the broker wants a partition's sequence numbers in order: so the batches go in
// rounds, and a round ends when all of it was acknowledged.
func (p *producer) send(ctx context.Context, c cargo) error {
	for round := 0; ; round++ {
		var batches []outgoing
		for _, target := range c.targets {
			runs := c.runs[target]
			if round >= len(runs) {
				continue
			}
			wire, err := encode(runs[round], p.identity, p.sequences[target])
			if err != nil {
				return err
			}
			p.sequences[target] = nextSequence(p.sequences[target], len(runs[round]))
			batches = append(batches, outgoing{target, wire})
		}
		if len(batches) == 0 {
			return nil
		}
		if err := p.deliver(ctx, batches); err != nil {
			return err
		}
	}
}

// deliver repeats batches, byte for byte, until each was acknowledged.
func (p *producer) deliver(ctx context.Context, batches []outgoing) error {
	what := attempt{what: "produce", needs: []right{onTransactions(p.transaction)}}
	for _, b := range batches {
		what.needs = append(what.needs, onTopic("Write", b.topic))
	}
	return p.client.persist(ctx, what, func(ctx context.Context) error {
		byLeader, err := p.byLeader(ctx, batches)
		if err != nil {
			return err
		}
		var (
			mu      sync.Mutex
			left    []outgoing
			worst   error
			writing sync.WaitGroup
		)
		for leader, group := range byLeader {
			writing.Go(func() {
				refused, err := p.produce(ctx, leader, group)
				mu.Lock()
				defer mu.Unlock()
				left = append(left, refused...)
				if err != nil && (worst == nil || judge(err, false) > judge(worst, false)) {
					worst = err
				}
			})
		}
		writing.Wait()
		batches = left
		return worst
	})
}

func (p *producer) byLeader(ctx context.Context, batches []outgoing) (map[int32][]outgoing, error) {
	groups := make(map[int32][]outgoing)
	known := make(map[string][]int32)
	for _, b := range batches {
		if known[b.topic] == nil {
			nodes, err := p.client.leaders(ctx, b.topic)
			if err != nil {
				return nil, err
			}
			known[b.topic] = nodes
		}
		nodes := known[b.topic]
		if int(b.partition) >= len(nodes) {
			return nil, fmt.Errorf("topic %q has no partition %d: %w", b.topic, b.partition, kafka.UnknownTopicOrPartition)
		}
		if nodes[b.partition] < 0 {
			return nil, fmt.Errorf("topic %q partition %d: %w", b.topic, b.partition, kafka.LeaderNotAvailable)
		}
		groups[nodes[b.partition]] = append(groups[nodes[b.partition]], b)
	}
	return groups, nil
}

// produce sends batches to their leader in one request and returns those it did
// not take, with the gravest reason.
func (p *producer) produce(ctx context.Context, leader int32, batches []outgoing) ([]outgoing, error) {
	request := &rawproduce.Request{
		TransactionalID: p.transaction,
		Acks:            int16(kafka.RequireAll),
		Timeout:         int32(requestTimeout.Milliseconds()),
	}
	for _, b := range batches {
		part := rawproduce.RequestPartition{
			Partition: b.partition,
			RecordSet: protocol.RawRecordSet{Reader: bytes.NewReader(b.wire)},
		}
		last := len(request.Topics) - 1
		if last < 0 || request.Topics[last].Topic != b.topic {
			request.Topics = append(request.Topics, rawproduce.RequestTopic{Topic: b.topic})
			last++
		}
		request.Topics[last].Partitions = append(request.Topics[last].Partitions, part)
	}
	answer, err := call[*produce.Response](ctx, p.client, request)
	if err != nil {
		return batches, fmt.Errorf("broker %d: %w", leader, err)
	}
	return refused(batches, answer)
}

func refused(batches []outgoing, answer *produce.Response) (left []outgoing, worst error) {
	outcome := make(map[topicPartition]error)
	for _, t := range answer.Topics {
		for _, part := range t.Partitions {
			outcome[topicPartition{t.Topic, part.Partition}] = codeError(part.ErrorCode)
		}
	}
	for _, b := range batches {
		err, answered := outcome[b.topicPartition]
		if !answered {
			err = fmt.Errorf("no answer: %w", kafka.NetworkException)
		}
		if err == nil || judge(err, false) == proceed {
			continue
		}
		left = append(left, b)
		if worst == nil || judge(err, false) > judge(worst, false) {
			worst = refusedTopic{b.topic, fmt.Errorf("topic %q partition %d: %w", b.topic, b.partition, err)}
		}
	}
	return left, worst
}
