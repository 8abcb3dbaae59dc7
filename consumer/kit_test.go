package consumer

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"go.uber.org/goleak"

	"planetag/consumer/devbroker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	input  = "photos"
	output = "locations"
)

// newBroker starts a broker for one test, in memory.
func newBroker(t *testing.T) *devbroker.Broker {
	t.Helper()
	b, err := devbroker.Start(devbroker.Options{MinSession: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return b
}

// newClient connects to addr; edit may change what the test is about.
func newClient(t *testing.T, addr string, edit ...func(*Config)) *Client {
	t.Helper()
	cfg := Config{
		Brokers: []string{addr}, ClientID: "test",
		SessionTimeout: 2 * time.Second, RebalanceTimeout: 3 * time.Second, TransactionTimeout: 8 * time.Second,
		Log: slog.New(slog.NewTextHandler(testWriter{t}, &slog.HandlerOptions{Level: slog.LevelInfo})),
	}
	for _, e := range edit {
		e(&cfg)
	}
	c, err := NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

type testWriter struct{ t *testing.T }

func (w testWriter) Write(p []byte) (int, error) {
	w.t.Log(strings.TrimSpace(string(p)))
	return len(p), nil
}

func makeTopics(t *testing.T, c *Client, partitions int, names ...string) {
	t.Helper()
	for _, name := range names {
		err := c.EnsureTopics(t.Context(), []Topic{{Name: name, Partitions: partitions, Replication: 1}}, true)
		if err != nil {
			t.Fatal(err)
		}
	}
}

// seed publishes n records to topic, keyed k0..; the value is the number.
func seed(t *testing.T, c *Client, topic string, from, n int) {
	t.Helper()
	var records []Record
	for i := from; i < from+n; i++ {
		records = append(records, Record{
			Topic: topic, Partition: -1, Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, "%d", i),
		})
	}
	if err := c.Publish(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

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
func stableOffsets(t *testing.T, k *kgo.Client, topic string) map[int32]int64 {
	t.Helper()
	ends := make(map[int32]int64)
	for partition := int32(0); ; partition++ {
		request := kmsg.NewPtrListOffsetsRequest()
		request.IsolationLevel = 1
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
		found := answer.Topics[0].Partitions[0]
		if found.Offset > 0 {
			ends[partition] = found.Offset
		}
	}
}

func values(records []*kgo.Record) []string {
	var out []string
	for _, r := range records {
		out = append(out, string(r.Value))
	}
	slices.Sort(out)
	return out
}

func numbers(n int) []string {
	var out []string
	for i := range n {
		out = append(out, fmt.Sprint(i))
	}
	slices.Sort(out)
	return out
}

// wantOnce fails unless topic shows every number below n exactly once.
func wantOnce(t *testing.T, addr, topic string, n int) {
	t.Helper()
	got := values(read(t, addr, topic))
	if want := numbers(n); !slices.Equal(got, want) {
		t.Fatalf("%d records, %d different, want %d once each", len(got), len(slices.Compact(got)), n)
	}
}

// copyAll is a handler that copies input to output, one commit per fetch.
func copyAll(ctx context.Context, a *Assignment) error {
	for {
		records, err := a.Fetch(ctx)
		if err != nil {
			return err
		}
		if len(records) == 0 {
			continue
		}
		for i := range records {
			records[i].Topic, records[i].Partition = output, -1
		}
		if err := a.Commit(ctx, records, a.Position()); err != nil {
			return err
		}
	}
}

// runGroup runs a group until the returned function is called, which waits.
func runGroup(t *testing.T, c *Client, h Handler) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan error, 1)
	go func() {
		result <- c.RunGroup(ctx, GroupConfig{Group: "g", Stage: "s", Topic: input}, h)
	}()
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		select {
		case err := <-result:
			return err
		case <-time.After(20 * time.Second):
			t.Error("RunGroup did not return")
			return nil
		}
	}
	t.Cleanup(func() { _ = stop() })
	return stop
}

// eventually waits until ok.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}
