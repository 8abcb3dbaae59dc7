package deadletters

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const endTxn = 26 // the API key

type world struct {
	t      *testing.T
	broker *devbroker.Broker
	cfg    pipeline.Config
	client *consumer.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	broker, err := devbroker.Start(devbroker.Options{MinSession: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	w := &world{t: t, broker: broker, cfg: pipeline.DefaultConfig()}
	w.cfg.Kafka.Brokers, w.cfg.Topics.Partitions = []string{broker.Addr()}, 3
	w.cfg.Kafka.TransactionTimeout = pipeline.Duration(4 * time.Second)
	topics := w.cfg.ToolTopics([]string{w.cfg.Topics.DeadLetters, w.cfg.Topics.Input, w.cfg.Topics.Backfill}, nil)
	if w.client, err = pipeline.Connect(t.Context(), w.cfg, slog.New(slog.DiscardHandler), topics); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	return w
}

// bury writes n dead letters: every third of type object_gone, the others storage; every fifth of the backfill topic.
func (w *world) bury(n int) {
	w.t.Helper()
	var list []consumer.Record
	for i := range n {
		topic, word := w.cfg.Topics.Input, "corrupt_photo"
		if i%3 == 0 {
			word = "object_gone"
		}
		if i%5 == 0 {
			topic = w.cfg.Topics.Backfill
		}
		list = append(list, w.letter(i, topic, word))
	}
	list = append(list, w.letter(9999, w.cfg.Topics.Embeddings, "bad_embedding"), consumer.Record{
		Topic: w.cfg.Topics.DeadLetters, Partition: 0, Key: []byte("?"), Value: []byte("somebody's own"),
	})
	if err := w.client.Publish(w.t.Context(), list); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) letter(i int, topic, word string) consumer.Record {
	r := consumer.Record{
		Topic: w.cfg.Topics.DeadLetters, Partition: -1, Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, `{"key":"%d.jpg"}`, i),
		Time: time.Date(2026, 5, 1, 0, 0, i, 0, time.UTC), Headers: []consumer.Header{{Key: "traceparent", Value: []byte("00-1")}},
	}
	for _, h := range [][2]string{
		{"error.type", word},
		{"error.message", fmt.Sprintf("album-%d: no", i%10)},
		{"error.stage", "photos"},
		{"original.topic", topic},
		{"original.partition", "1"},
		{"original.offset", strconv.Itoa(i)},
		{"attempt", "1"},
	} {
		r.Headers = append(r.Headers, consumer.Header{Key: h[0], Value: []byte(h[1])})
	}
	return r
}

// risen are the keys on the topics of references, in order of their names.
func (w *world) risen() (keys []string) {
	w.t.Helper()
	for _, topic := range []string{w.cfg.Topics.Input, w.cfg.Topics.Backfill} {
		_, err := w.client.Read(w.t.Context(), topic, nil, func(r consumer.Record) error {
			if len(r.Headers) != 2 || r.Headers[1].Key != "attempt" || string(r.Headers[1].Value) != "1" {
				w.t.Errorf("%s has the headers %v", r.Key, r.Headers)
			}
			keys = append(keys, string(r.Key))
			return nil
		})
		if err != nil {
			w.t.Fatal(err)
		}
	}
	slices.Sort(keys)
	return keys
}

func (w *world) run(o Options) Report {
	w.t.Helper()
	o.Config, o.Log = w.cfg, slog.New(slog.DiscardHandler)
	r, err := Run(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return r
}

// TestEveryDeadLetterRisesOnce replays by one filter after the other; nothing that was put back is put back again.
func TestEveryDeadLetterRisesOnce(t *testing.T) {
	w := newWorld(t)
	const n = 1300
	w.bury(n)
	for _, row := range []struct {
		story            string
		o                Options
		replayed, before int64
	}{
		{"a dry run", Options{DryRun: true}, n, 0},
		{"of one type and topic", Options{Filter: Filter{Types: []string{"object_gone"}, Topic: w.cfg.Topics.Backfill}}, 87, 0},
		{"of the first minute", Options{Filter: Filter{Until: time.Date(2026, 5, 1, 0, 1, 0, 0, time.UTC)}}, 56, 4},
		{"by the message", Options{Filter: Filter{Match: regexp.MustCompile(`^album-7:`)}}, 124, 6},
		{"five", Options{Limit: 5}, 5, 87 + 56 + 124},
		{"a dry run of the rest", Options{DryRun: true}, n - 272, 272},
		{"the rest", Options{}, n - 272, 272},
		{"once more", Options{}, 0, n},
	} {
		r := w.run(row.o)
		if r.Replayed != row.replayed || r.Before != row.before || r.Letters != n+2 || r.Unreadable != 1 {
			t.Errorf("%s: %+v, want %d and %d before", row.story, r, row.replayed, row.before)
		}
	}
	keys := w.risen()
	if len(keys) != n || len(slices.Compact(keys)) != n {
		t.Errorf("%d references, %d different ones, want %d", len(keys), len(slices.Compact(keys)), n)
	}
}

// TestAReplayThatIsKilledGoesOn loses the answer to a commit in the middle, so that nobody knows, and ends another by its context.
func TestAReplayThatIsKilledGoesOn(t *testing.T) {
	w := newWorld(t)
	const n = 2200
	w.bury(n)
	var ends atomic.Int32
	w.broker.OnRequest(func(key int16) devbroker.Fault {
		return devbroker.Fault{LoseAnswer: key == endTxn && ends.Add(1) == 3} // the first end of all is that of taking over
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		for ends.Load() < 6 && ctx.Err() == nil {
			time.Sleep(time.Millisecond)
		}
		cancel()
	}()
	_, err := Run(ctx, Options{Config: w.cfg, Log: slog.New(slog.DiscardHandler)})
	if err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	cancel()
	w.broker.OnRequest(nil)
	w.run(Options{})
	if keys := w.risen(); len(keys) != n || len(slices.Compact(keys)) != n {
		t.Errorf("%d references, %d different ones, want %d", len(keys), len(slices.Compact(keys)), n)
	}
	if ends.Load() < 3 {
		t.Errorf("nothing was lost: %d transactions", ends.Load())
	}
}

func TestOnlyTopicsOfReferencesAreWritten(t *testing.T) {
	w := newWorld(t)
	_, err := Run(t.Context(), Options{Config: w.cfg, Log: slog.New(slog.DiscardHandler), Filter: Filter{Topic: w.cfg.Topics.Embeddings}})
	if !errors.Is(err, pipeline.ErrConfig) {
		t.Errorf("%v, want ErrConfig", err)
	}
}
