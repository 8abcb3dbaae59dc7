package consumer

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"planetag/consumer/devbroker"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	input  = "photos"
	output = "locations"
)

// broker is what a test talks to: a development broker of its own, or the one
// that PLANETAG_KAFKA names, host:port.
type broker struct {
	*devbroker.Broker
	t    *testing.T
	addr string
}

func (b broker) Addr() string { return b.addr }

// OnRequest skips the test where requests cannot be broken.
func (b broker) OnRequest(f func(apiKey int16) devbroker.Fault) {
	if b.Broker == nil {
		b.t.Skip("injects faults, which only the development broker does; unset PLANETAG_KAFKA")
	}
	b.Broker.OnRequest(f)
}

// newBroker starts a broker for one test, in memory. A real one is swept clean of
// what the tests leave.
func newBroker(t *testing.T) broker {
	t.Helper()
	if addr := os.Getenv("PLANETAG_KAFKA"); addr != "" {
		sweep(t, addr)
		return broker{nil, t, addr}
	}
	b, err := devbroker.Start(devbroker.Options{MinSession: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(b.Close)
	return broker{b, t, b.Addr()}
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
	deadline := time.Now().Add(90 * time.Second) // that it comes is the promise; when is the machine's
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// watcher is an Observer that remembers.
type watcher struct {
	mu           sync.Mutex
	lost         []string
	transactions []error
	position     int64
	end          int64
}

func (w *watcher) Transaction(_ string, _ int, _ time.Duration, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.transactions = append(w.transactions, err)
}

func (w *watcher) DataLost(topic string, partition int, from, to int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lost = append(w.lost, fmt.Sprintf("%s/%d [%d,%d)", topic, partition, from, to))
}

func (w *watcher) Progress(_, _ string, _ int, position, end int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.position, w.end = position, end
}
