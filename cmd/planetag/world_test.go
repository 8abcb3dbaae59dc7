package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/deploy/secrets"
	"planetag/enrich/infer"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

// partitions of every topic.
const partitions = 2

// world is a broker and a store that outlive the worker, as in production.
type world struct {
	broker  *devbroker.Broker
	store   *pipeline.Store
	input   []*kgo.Record
	env     []string
	cfg     pipeline.Config
	fetched atomic.Int64 // photos asked for, and
	allowed atomic.Int64 // how many of them the store gives
}

func newWorld(t *testing.T) *world {
	t.Helper()
	library, err := infer.FindLibrary("")
	if err != nil {
		if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs the ONNX Runtime library: run `make setup`, then `make test`, or set PLANETAG_ORT_LIB:", err)
	}
	w := &world{cfg: pipeline.DefaultConfig()}
	if w.broker, err = devbroker.Start(devbroker.Options{MinSession: time.Second}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.broker.Close)
	store, err := devstore.Start(devstore.Options{Buckets: []string{"photos"}, Hook: w.gate})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w.cfg.S3.Endpoint, w.cfg.S3.AccessKey, w.cfg.S3.SecretKey = store.URL(), "a", pipeline.Secret(secrets.Of("s3"))
	if w.store, err = pipeline.NewStore(w.cfg.S3, w.cfg.Photos.MaxObjectBytes); err != nil {
		t.Fatal(err)
	}
	bundle, err := filepath.Abs("../../enrich/testdata/tiny")
	if err != nil {
		t.Fatal(err)
	}
	w.env = append(os.Environ(),
		"PLANETAG_ORT_LIB="+library, "PLANETAG_BUNDLE_PATH="+bundle,
		"PLANETAG_KAFKA_BROKERS="+w.broker.Addr(), "PLANETAG_KAFKA_SESSION_TIMEOUT=1s", fmt.Sprintf("PLANETAG_TOPICS_PARTITIONS=%d", partitions),
		"PLANETAG_S3_ENDPOINT="+store.URL(), "PLANETAG_S3_ACCESS_KEY=a", "PLANETAG_S3_SECRET_KEY="+secrets.Of("s3"), "PLANETAG_S3_BUCKET=photos",
		"PLANETAG_PHOTOS_IN_FLIGHT=2", "PLANETAG_PHOTOS_FLUSH_INTERVAL=10ms", "PLANETAG_HTTP_LISTEN=127.0.0.1:0",
	)
	return w
}

// gate lets only so many photos out of the store, so that a worker is killed in the middle and not, on a fast day, at
// the end.
func (w *world) gate(_ http.ResponseWriter, r *http.Request) bool {
	if r.Method != http.MethodGet || filepath.Ext(r.URL.Path) != ".jpg" {
		return false
	}
	for turn := w.fetched.Add(1); turn > w.allowed.Load(); {
		select {
		case <-r.Context().Done(): // the worker was killed
			return true
		case <-time.After(5 * time.Millisecond):
		}
	}
	return false
}

// allow lets n more photos out.
func (w *world) allow(n int64) { w.allowed.Store(w.fetched.Load() + n) }

// publish uploads the photos and sends a reference to each, and its end after each album.
func (w *world) publish(t *testing.T) {
	t.Helper()
	red, err := os.ReadFile("../../enrich/testdata/tiny/golden/red.jpg")
	if err != nil {
		t.Fatal(err)
	}
	w.env = append(w.env, "PLANETAG_ALBUMS_IDLE=10m") // each ends when it is complete, however slow this machine is
	// The albums come last, so that a worker killed late still has some of them before it.
	for p := range killAlone {
		data := red
		if p < killBroken {
			data = []byte("not a photo")
		}
		w.put(t, fmt.Sprintf("alone-%d.jpg", p), "", data)
	}
	for a := range killAlbums {
		album := fmt.Sprintf("album-%d", a)
		for p := range killAlbumSize {
			w.put(t, fmt.Sprintf("%s/%d.jpg", album, p), album, red)
		}
		w.send(album, fmt.Sprintf(`{"album_complete":%q,"photos":%d}`, album, killAlbumSize))
	}
	w.makeTopics(t)
	client := w.client(t)
	defer client.Close()
	if err := client.ProduceSync(t.Context(), w.input...).FirstErr(); err != nil {
		t.Fatal("publish:", err)
	}
}

func (w *world) put(t *testing.T, key, album string, data []byte) {
	t.Helper()
	if err := w.store.Put(t.Context(), "photos", key, data); err != nil {
		t.Fatal(err)
	}
	w.send("photos/"+key, fmt.Sprintf(`{"bucket":"photos","key":%q,"album":%q}`, key, album))
}

func (w *world) send(key, value string) {
	w.input = append(w.input, &kgo.Record{Topic: w.cfg.Topics.Input, Key: []byte(key), Value: []byte(value)})
}

// makeTopics makes what the reader reads before there is a worker that would.
func (w *world) makeTopics(t *testing.T) {
	t.Helper()
	client, err := consumer.NewClient(consumer.Config{Brokers: []string{w.broker.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var topics []consumer.Topic
	for _, name := range []string{w.cfg.Topics.Input, w.cfg.Topics.Locations, w.cfg.Topics.DeadLetters} {
		topics = append(topics, consumer.Topic{Name: name, Partitions: partitions, Replication: 1})
	}
	if err := client.EnsureTopics(t.Context(), topics, true); err != nil {
		t.Fatal(err)
	}
}

func (w *world) client(t *testing.T, opts ...kgo.Opt) *kgo.Client {
	t.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(w.broker.Addr()))...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// worker is one life of the process: this test binary under the name planetag, which TestMain put into PATH.
type worker struct {
	cmd   *exec.Cmd
	log   bytes.Buffer
	ended chan struct{}
}

func (w *world) start(t *testing.T) *worker {
	t.Helper()
	p := &worker{cmd: exec.Command("planetag", "run"), ended: make(chan struct{})}
	p.cmd.Env, p.cmd.Stderr = w.env, &p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	secrets.Watch(t, "the worker's log", p.log.String)
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait() // its status is read from ProcessState
	}()
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill() // usually it has ended
		<-p.ended
	})
	return p
}

func (p *worker) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (p *worker) kill(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGKILL)
	<-p.ended
}

// stop asks the worker to end, which it must do by itself and with success.
func (p *worker) stop(t *testing.T) {
	t.Helper()
	p.signal(t, syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(30 * time.Second):
		t.Fatalf("no graceful stop\n%s", p.log.String())
	}
	if status := p.cmd.ProcessState.ExitCode(); status != exitOK {
		t.Errorf("exit status %d\n%s", status, p.log.String())
	}
}
