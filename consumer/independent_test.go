package consumer

import (
	"context"
	"errors"
	"maps"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// read returns what an independent read_committed reader sees on topic now: it
// stops at the last stable offset of every partition.
func read(t *testing.T, addr, topic string) []*kgo.Record {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(addr), kgo.ConsumeTopics(topic), kgo.KeepControlRecords(),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(50*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	ends := stableOffsets(t, k, topic)
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	var all []*kgo.Record
	for len(ends) > 0 {
		fetches := k.PollFetches(ctx)
		if err := fetches.Err0(); err != nil {
			t.Fatalf("independent reader of %s: %v; not at the end of %v", topic, err, ends)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset >= ends[r.Partition]-1 {
				delete(ends, r.Partition)
			}
			if !r.Attrs.IsControl() {
				all = append(all, r)
			}
		})
	}
	return all
}

// stableOffsets returns the last stable offset of each partition that is not empty.
// It waits for transactions that are just being closed: a broker answers their
// commit before it is visible.
func stableOffsets(t *testing.T, k *kgo.Client, topic string) map[int32]int64 {
	t.Helper()
	const readUncommitted, readCommitted = 0, 1
	for began := time.Now(); ; time.Sleep(5 * time.Millisecond) {
		stable := endOffsets(t, k, topic, readCommitted)
		if maps.Equal(stable, endOffsets(t, k, topic, readUncommitted)) || time.Since(began) > 2*time.Second {
			return stable
		}
	}
}

func endOffsets(t *testing.T, k *kgo.Client, topic string, isolation int8) map[int32]int64 {
	t.Helper()
	ends := make(map[int32]int64)
	for partition := int32(0); ; partition++ {
		request := kmsg.NewPtrListOffsetsRequest()
		request.IsolationLevel = isolation
		part := kmsg.NewListOffsetsRequestTopicPartition()
		part.Partition, part.Timestamp = partition, -1
		of := kmsg.NewListOffsetsRequestTopic()
		of.Topic, of.Partitions = topic, append(of.Partitions, part)
		request.Topics = append(request.Topics, of)
		answer, err := request.RequestWith(t.Context(), k)
		if errors.Is(err, kerr.UnknownTopicOrPartition) { // after the last partition
			return ends
		}
		if err != nil {
			t.Fatal(err)
		}
		if found := answer.Topics[0].Partitions[0]; found.Offset > 0 {
			ends[partition] = found.Offset
		}
	}
}

// sweep deletes the topics and the group of the tests from a real broker.
func sweep(t *testing.T, addr string) {
	t.Helper()
	k, err := kgo.NewClient(kgo.SeedBrokers(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer k.Close()
	groups := kmsg.NewPtrDeleteGroupsRequest()
	groups.Groups = []string{"g"}
	if _, err := groups.RequestWith(t.Context(), k); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{input, output, "plain", "day", "compacted", "emb"} {
		gone := kmsg.NewPtrDeleteTopicsRequest()
		gone.TopicNames, gone.TimeoutMillis = []string{name}, 5000
		topic := kmsg.NewDeleteTopicsRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		gone.Topics = append(gone.Topics, topic)
		if _, err := gone.RequestWith(t.Context(), k); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(200 * time.Millisecond) // deletion spreads
}
