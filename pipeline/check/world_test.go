package check

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/enrich/infer"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

const photos = "pictures" // the bucket

// world is a broker and a store in which a worker could work.
type world struct {
	t      *testing.T
	broker *devbroker.Broker
	store  *pipeline.Store
	cfg    pipeline.Config
	admin  *kgo.Client

	mu      sync.Mutex
	methods map[string]bool // that the store was asked with
	hook    func(w http.ResponseWriter, r *http.Request) bool
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
	w := &world{t: t, cfg: pipeline.DefaultConfig(), methods: make(map[string]bool)}
	if w.broker, err = devbroker.Start(devbroker.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.broker.Close)
	server, err := devstore.Start(devstore.Options{Buckets: []string{photos}, Hook: w.seen})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	w.cfg.Kafka.Brokers = []string{w.broker.Addr()}
	w.cfg.Topics.Partitions = 2
	w.cfg.S3.Endpoint, w.cfg.S3.Bucket, w.cfg.S3.GoneGrace = server.URL(), photos, pipeline.Duration(time.Millisecond)
	w.cfg.S3.AccessKey, w.cfg.S3.SecretKey = devstore.AccessKey, devstore.SecretKey
	w.cfg.Bundle.Path, w.cfg.Bundle.Library = filepath.Join("..", "..", "enrich", "testdata", "tiny"), library
	if w.store, err = pipeline.NewStore(w.cfg.S3, w.cfg.Photos.MaxObjectBytes); err != nil {
		t.Fatal(err)
	}
	if w.admin, err = kgo.NewClient(kgo.SeedBrokers(w.broker.Addr())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.admin.Close)
	return w
}

// seen remembers the method of a request.
func (w *world) seen(rw http.ResponseWriter, r *http.Request) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.methods[r.Method] = true
	return w.hook != nil && w.hook(rw, r)
}

// makeTopics makes all topics as the worker would.
func (w *world) makeTopics() {
	w.t.Helper()
	client, err := consumer.NewClient(consumer.Config{Brokers: w.cfg.Kafka.Brokers})
	if err != nil {
		w.t.Fatal(err)
	}
	defer client.Close()
	if err := client.EnsureTopics(w.t.Context(), w.cfg.NeededTopics(), true); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) put(key string, data []byte) {
	w.t.Helper()
	if err := w.store.Put(w.t.Context(), photos, key, data); err != nil {
		w.t.Fatal(err)
	}
}

// send puts values on the input topic.
func (w *world) send(values ...string) {
	w.t.Helper()
	for _, value := range values {
		rec := &kgo.Record{Topic: w.cfg.Topics.Input, Value: []byte(value)}
		if err := w.admin.ProduceSync(w.t.Context(), rec).FirstErr(); err != nil {
			w.t.Fatal(err)
		}
	}
}

// red is a photo that the small bundle knows.
func red(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "enrich", "testdata", "tiny", "golden", "red.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// well is a world in which nothing is wrong.
func well(t *testing.T) *world {
	w := newWorld(t)
	w.makeTopics()
	w.put("rome/été 1.jpg", red(t))
	w.send(`{"album_complete":"rome"}`, `{"key":"rome/été 1.jpg","taken_at":"2019-05-02T10:11:12Z"}`)
	return w
}

func (w *world) check(changes ...func(*Options)) Report {
	w.t.Helper()
	o := Options{Name: "test.yaml", Config: w.cfg}
	for _, change := range changes {
		change(&o)
	}
	report, err := Run(w.t.Context(), o)
	if err != nil {
		w.t.Fatal(err)
	}
	return report
}

// of is one check of a report.
func (r Report) of(t *testing.T, name string) Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.Name == name {
			return c
		}
	}
	t.Fatalf("no check %s in %+v", name, r)
	return Check{}
}

// text is a report as people see it.
func text(t *testing.T, r Report) string {
	t.Helper()
	var b strings.Builder
	if err := r.Text(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// flipped is the small bundle with one bit of its network turned over.
func flipped(t *testing.T) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "flipped")
	if err := os.CopyFS(dir, os.DirFS(filepath.Join("..", "..", "enrich", "testdata", "tiny"))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "cnn.onnx")
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tellTime makes the store's clock wrong.
func (w *world) tellTime(off time.Duration) {
	w.hook = func(rw http.ResponseWriter, _ *http.Request) bool {
		rw.Header().Set("Date", time.Now().Add(off).UTC().Format(http.TimeFormat))
		return false
	}
}

func (w *world) delete(key string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodDelete, w.cfg.S3.Endpoint+"/"+photos+"/"+strings.ReplaceAll(key, " ", "%20"), nil)
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil || answer.StatusCode >= 300 {
		w.t.Fatal(err, answer)
	}
	answer.Body.Close()
}
