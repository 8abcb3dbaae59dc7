package pipeline

import (
	"context"
	"crypto/md5"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/deploy/faults"
	"planetag/pipeline/devstore"
)

// sickWorld is a broker, a store behind a proxy that breaks things, a worker of the photo stage, and an independent reader
// of what becomes of each photo.
type sickWorld struct {
	t      *testing.T
	cfg    Config
	proxy  *faults.Server
	direct *Store
	reader *kgo.Client
	sent   int
	log    *logLines

	outcomes map[string][]string // by key: "location" or the error.type of a dead letter
}

// logLines keeps a worker's log.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(line []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(line)
}

func (l *logLines) count(part string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), part)
}

func newSickWorld(t *testing.T, plan faults.Plan) *sickWorld {
	t.Helper()
	w := &sickWorld{t: t, cfg: DefaultConfig(), outcomes: make(map[string][]string), log: &logLines{}}
	broker, err := devbroker.Start(devbroker.Options{MinSession: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	store, err := devstore.Start(devstore.Options{Buckets: []string{"photos"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	if w.proxy, err = faults.Start(store.URL(), plan); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.proxy.Close() })
	c := &w.cfg
	c.Bundle.Path, c.Bundle.Library = "../enrich/testdata/tiny", testLibrary(t)
	c.Kafka.Brokers, c.Kafka.SessionTimeout = []string{broker.Addr()}, Duration(10*time.Second)
	c.S3.Endpoint, c.S3.AccessKey, c.S3.SecretKey, c.S3.Bucket, c.HTTP.Listen = store.URL(), "a", "b", "photos", ""
	if w.direct, err = NewStore(c.S3, c.Photos.MaxObjectBytes); err != nil {
		t.Fatal(err)
	}
	c.S3.Endpoint, c.S3.Timeout, c.S3.GoneGrace = w.proxy.URL(), Duration(time.Second), Duration(2*time.Second)
	c.Stages, c.Topics.Partitions, c.Batch.Runners = []string{"photos"}, 2, 1
	c.Photos.FlushInterval = Duration(20 * time.Millisecond)
	w.connect()
	return w
}

// connect makes the topics and the reader.
func (w *sickWorld) connect() {
	w.t.Helper()
	client, err := consumer.NewClient(consumer.Config{Brokers: w.cfg.Kafka.Brokers})
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	if err := client.EnsureTopics(w.t.Context(), w.cfg.topics(), true); err != nil {
		w.t.Fatal(err)
	}
	w.reader, err = kgo.NewClient(kgo.SeedBrokers(w.cfg.Kafka.Brokers...), kgo.ConsumeTopics(w.cfg.Topics.Locations, w.cfg.Topics.DeadLetters),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond), kgo.RecordPartitioner(kgo.RoundRobinPartitioner()))
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.reader.Close)
}

// send uploads n photos, the store's troubles aside, and sends references that name their etags.
func (w *sickWorld) send(n int) {
	w.t.Helper()
	red, err := os.ReadFile(w.cfg.Bundle.Path + "/golden/red.jpg")
	if err != nil {
		w.t.Fatal(err)
	}
	var records []*kgo.Record
	for range n {
		key := fmt.Sprintf("p-%03d.jpg", w.sent)
		w.sent++
		if err := w.direct.Put(w.t.Context(), "photos", key, red); err != nil {
			w.t.Fatal(err)
		}
		records = append(records, &kgo.Record{
			Topic: w.cfg.Topics.Input, Key: []byte(key), Value: fmt.Appendf(nil, `{"key":%q,"etag":"%x"}`, key, md5.Sum(red)),
		})
	}
	if err := w.reader.ProduceSync(w.t.Context(), records...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

// work starts the worker, altered once it is built; it is stopped when the test ends.
func (w *sickWorld) work(alter func(*worker)) *worker {
	ctx, stop := context.WithCancel(context.Background())
	s := newWorker(w.cfg, slog.New(slog.NewTextHandler(w.log, nil)))
	ended := make(chan error, 1)
	go func() {
		ended <- s.supervised(ctx, func(ctx context.Context) error {
			err := s.build(ctx)
			if err == nil && alter != nil {
				alter(s)
			}
			return err
		})
	}()
	w.t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			w.t.Errorf("the worker ended with %v", err)
		}
		if w.t.Failed() {
			w.t.Log(w.log.text.String())
		}
	})
	return s
}

// read takes in what was published; it returns after a moment at the latest.
func (w *sickWorld) read(moment time.Duration) {
	ctx, cancel := context.WithTimeout(w.t.Context(), moment)
	defer cancel()
	w.reader.PollFetches(ctx).EachRecord(func(rec *kgo.Record) {
		key, word := strings.TrimPrefix(string(rec.Key), "photos/"), "location"
		if rec.Topic == w.cfg.Topics.DeadLetters {
			for _, h := range rec.Headers {
				if h.Key == "error.type" {
					word = string(h.Value)
				}
			}
		}
		w.outcomes[key] = append(w.outcomes[key], word)
	})
}

// settle reads until every photo has an outcome, and then for a moment longer: each must have exactly one, and the right
// one.
func (w *sickWorld) settle(within time.Duration, want func(key string) string) {
	w.t.Helper()
	for deadline := time.Now().Add(within); len(w.outcomes) < w.sent; w.read(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.t.Fatalf("%d of %d photos have an outcome; the proxy met %v", len(w.outcomes), w.sent, w.proxy.Hits())
		}
	}
	for quiet := time.Now().Add(300 * time.Millisecond); time.Now().Before(quiet); {
		w.read(50 * time.Millisecond)
	}
	if len(w.outcomes) != w.sent {
		w.t.Errorf("%d photos have an outcome, %d were sent", len(w.outcomes), w.sent)
	}
	for key, got := range w.outcomes {
		if len(got) != 1 || got[0] != want(key) {
			w.t.Errorf("%s ended as %v, want one %s", key, got, want(key))
		}
	}
}
