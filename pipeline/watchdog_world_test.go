package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/pipeline/devstore"
)

const (
	stuckPhotos     = 12
	stuckPartitions = 2
	stuckMarker     = "the end"
)

// nothingStays lets a test fail that leaves a goroutine behind. What was given up as stuck is still ending its decoder processes
// and connections when its test is over, and where cores are scarce that takes longer than goleak waits. Toxiproxy leaves a
// goroutine behind for a connection that is given up while bytes are under way.
func nothingStays(t *testing.T) {
	before, toxic := goleak.IgnoreCurrent(), goleak.IgnoreAnyFunction("github.com/Shopify/toxiproxy/v2/toxics.(*ToxicStub).Run")
	t.Cleanup(func() {
		err := goleak.Find(before, toxic)
		for begun := time.Now(); err != nil && time.Since(begun) < 20*time.Second; {
			err = goleak.Find(before, toxic)
		}
		if err != nil {
			t.Error(err)
		}
	})
}

// stuckWorld is a broker and a store with photos, half of them in one album, and an independent reader of what becomes of
// them.
type stuckWorld struct {
	t       *testing.T
	broker  *devbroker.Broker
	cfg     Config
	reader  *kgo.Client
	counts  map[string]int // records by stage and photo
	topic   string         // of the references
	markers int
}

func newStuckWorld(t *testing.T, hook func(http.ResponseWriter, *http.Request) bool) *stuckWorld {
	t.Helper()
	w := &stuckWorld{t: t, cfg: DefaultConfig(), counts: make(map[string]int)}
	var err error
	if w.broker, err = devbroker.Start(devbroker.Options{MinSession: time.Second}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.broker.Close)
	store, err := devstore.Start(devstore.Options{Buckets: []string{"photos"}, Hook: hook})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	c := &w.cfg
	c.Bundle.Path, c.Bundle.Library = "../enrich/testdata/tiny", testLibrary(t)
	c.Kafka.Brokers, c.Kafka.SessionTimeout = []string{w.broker.Addr()}, Duration(2*time.Second)
	c.S3.Endpoint, c.S3.AccessKey, c.S3.SecretKey, c.S3.Bucket, c.HTTP.Listen = store.URL(), "a", "b", "photos", ""
	c.Shutdown.Deadline = Duration(20 * time.Second) // more than the consumer takes to leave without its handlers
	c.Topics.Partitions, c.Batch.Runners = stuckPartitions, 1
	c.Photos.FlushRecords, c.Photos.FlushInterval = 2, Duration(10*time.Millisecond)
	// Far more than the tiny model takes on a busy machine.
	c.Watchdog = WatchdogConfig{
		Load: Duration(time.Minute), Model: Duration(2 * time.Second), Decode: Duration(2 * time.Second), Fetch: Duration(2 * time.Second),
		Transaction: Duration(20 * time.Second), Album: Duration(20 * time.Second), Stage: Duration(20 * time.Second),
	}
	w.topic = w.cfg.Topics.Input
	w.prepare()
	return w
}

// prepare uploads the photos, makes the topics and reads them.
func (w *stuckWorld) prepare() {
	store, err := NewStore(w.cfg.S3, w.cfg.Photos.MaxObjectBytes)
	if err != nil {
		w.t.Fatal(err)
	}
	red, err := os.ReadFile(w.cfg.Bundle.Path + "/golden/red.jpg")
	if err != nil {
		w.t.Fatal(err)
	}
	client, err := consumer.NewClient(consumer.Config{Brokers: w.cfg.Kafka.Brokers})
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	if err := client.EnsureTopics(w.t.Context(), w.cfg.topics(), true); err != nil {
		w.t.Fatal(err)
	}
	for i := range stuckPhotos {
		if err := store.Put(w.t.Context(), "photos", fmt.Sprintf("%d.jpg", i), red); err != nil {
			w.t.Fatal(err)
		}
	}
	if w.reader, err = kgo.NewClient(kgo.SeedBrokers(w.broker.Addr()), kgo.ConsumeTopics(w.cfg.Topics.Locations, w.cfg.Topics.DeadLetters),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond), kgo.RecordPartitioner(kgo.ManualPartitioner())); err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(w.reader.Close)
}

// send sends a reference to each photo.
func (w *stuckWorld) send() {
	w.t.Helper()
	var input []*kgo.Record
	for i := range stuckPhotos {
		album := ""
		if i >= stuckPhotos/2 {
			album = "a"
		}
		input = append(input, &kgo.Record{Partition: int32(i % stuckPartitions), Value: fmt.Appendf(nil, `{"key":"%d.jpg","album":%q}`, i, album)})
	}
	input = append(input, &kgo.Record{Value: fmt.Appendf(nil, `{"album_complete":"a","photos":%d}`, stuckPhotos/2)})
	for _, rec := range input {
		rec.Topic = w.topic
	}
	if err := w.reader.ProduceSync(w.t.Context(), input...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
}

// stuckWorker is one worker of the world, in this process.
type stuckWorker struct {
	*worker
	stop  context.CancelFunc
	ended chan error
}

// start starts a worker whose parts are altered once they are built.
func (w *stuckWorld) start(alter func(*worker)) *stuckWorker {
	ctx, stop := context.WithCancel(context.Background())
	s := &stuckWorker{worker: newWorker(w.cfg, slog.New(slog.NewTextHandler(testLog{w.t}, nil))), stop: stop, ended: make(chan error, 1)}
	go func() {
		s.ended <- s.supervised(ctx, func(ctx context.Context) error {
			err := s.build(ctx)
			if err == nil && alter != nil {
				alter(s.worker)
			}
			return err
		})
	}()
	return s
}

// bites is what the watchdog of a worker has ended so far.
func (s *stuckWorker) bites(t *testing.T) string {
	t.Helper()
	var list []string
	for _, what := range allWork() {
		if n := figure(t, s.reg, fmt.Sprintf(`planetag_watchdog_stuck_total{what=%q}`, what)); n > 0 {
			list = append(list, string(what))
		}
	}
	return strings.Join(list, " ")
}

// await reads what is published until done, which is asked between two reads.
func (w *stuckWorld) await(what string, done func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !done(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("waiting for %s: %v", what, w.counts)
		}
		ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Millisecond)
		w.reader.PollFetches(ctx).EachRecord(func(rec *kgo.Record) {
			var l Location
			switch {
			case string(rec.Key) == stuckMarker:
				w.markers++
			case rec.Topic == w.cfg.Topics.DeadLetters:
				w.counts["dead "+string(rec.Value)]++
			case json.Unmarshal(rec.Value, &l) != nil:
				w.t.Errorf("location %q", rec.Value)
			default:
				w.counts[l.Stage+" "+l.PhotoID]++
			}
		})
		cancel()
	}
}

// complete tells whether every photo was answered, and those of the album twice: alone and together.
func (w *stuckWorld) complete() bool { return len(w.counts) == stuckPhotos+stuckPhotos/2 }

// exactlyOnce reads everything there is and finds no answer twice, and nothing else.
func (w *stuckWorld) exactlyOnce() {
	w.t.Helper()
	var markers []*kgo.Record
	for _, topic := range []string{w.cfg.Topics.Locations, w.cfg.Topics.DeadLetters} {
		for partition := range int32(stuckPartitions) {
			markers = append(markers, &kgo.Record{Topic: topic, Partition: partition, Key: []byte(stuckMarker)})
		}
	}
	if err := w.reader.ProduceSync(w.t.Context(), markers...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
	w.await("the end", func() bool { return w.markers == len(markers) })
	if !w.complete() {
		w.t.Errorf("answers: %v", w.counts)
	}
	for answer, n := range w.counts {
		if n != 1 || strings.HasPrefix(answer, "dead ") {
			w.t.Errorf("%d times %s", n, answer)
		}
	}
}

// testLog shows a worker's log with the test that it belongs to.
type testLog struct{ t *testing.T }

func (l testLog) Write(line []byte) (int, error) {
	l.t.Logf("%s", line)
	return len(line), nil
}
