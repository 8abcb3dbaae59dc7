package chaos

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// final reads the three output topics anew from their start to their end, and returns the ledger that counts. The one that follows all along serves to
// strike at the right moment only: a reader that lives through the death of brokers may be set back, or come to a halt, by itself.
func final(ctx context.Context, brokers []string, n names) (*ledger, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(n.locations, n.deadLetters, n.embeddings),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(),
		kgo.MetadataMinAge(200*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("make the last reader: %w", err)
	}
	defer client.Close()
	missing, err := ends(ctx, client, n)
	if err != nil {
		return nil, err
	}
	l := newLedger()
	for len(missing) > 0 {
		fetches := client.PollFetches(ctx)
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("read to the end: %w; %d partitions are missing", err, len(missing))
		}
		fetches.EachRecord(func(r *kgo.Record) {
			at := place{r.Topic, r.Partition}
			if end, ok := missing[at]; ok && r.Offset+1 >= end {
				delete(missing, at)
			}
			if !r.Attrs.IsControl() {
				l.take(r, n)
			}
		})
	}
	return l, nil
}

// written is how many records lie on the output topics, open transactions included: what grows as long as anybody works.
func written(ctx context.Context, brokers []string, n names) (total int64, err error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.MetadataMinAge(100*time.Millisecond), kgo.RequestRetries(2))
	if err != nil {
		return 0, fmt.Errorf("make a client: %w", err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	list, err := listEnds(ctx, client, n, 0)
	for _, end := range list {
		total += end
	}
	return total, err
}

// place names a partition.
type place struct {
	topic     string
	partition int32
}

// ends are the ends of all partitions that hold anything. It fails while a transaction is open: what comes of that is not yet known.
func ends(ctx context.Context, client *kgo.Client, n names) (map[place]int64, error) {
	stable, err := listEnds(ctx, client, n, 1)
	if err != nil {
		return nil, err
	}
	written, err := listEnds(ctx, client, n, 0)
	if err != nil {
		return nil, err
	}
	for at, end := range written {
		if stable[at] < end {
			return nil, fmt.Errorf("a transaction is open on %s/%d: stable up to %d, written up to %d", at.topic, at.partition, stable[at], end)
		}
		if end == 0 {
			delete(stable, at)
		}
	}
	return stable, nil
}

func listEnds(ctx context.Context, client *kgo.Client, n names, isolation int8) (map[place]int64, error) {
	request := kmsg.NewPtrListOffsetsRequest()
	request.IsolationLevel = isolation
	for _, name := range []string{n.locations, n.deadLetters, n.embeddings} {
		topic := kmsg.NewListOffsetsRequestTopic()
		topic.Topic = name
		for p := range int32(partitions) {
			part := kmsg.NewListOffsetsRequestTopicPartition()
			part.Partition, part.Timestamp = p, -1
			topic.Partitions = append(topic.Partitions, part)
		}
		request.Topics = append(request.Topics, topic)
	}
	answer, err := request.RequestWith(ctx, client)
	if err != nil {
		return nil, fmt.Errorf("list the ends of the topics: %w", err)
	}
	list := map[place]int64{}
	for _, t := range answer.Topics {
		for _, p := range t.Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return nil, fmt.Errorf("list the end of %s/%d: %w", t.Topic, p.Partition, err)
			}
			list[place{t.Topic, p.Partition}] = p.Offset
		}
	}
	return list, nil
}
