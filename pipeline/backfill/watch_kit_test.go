package backfill

import (
	"encoding/json"
	"net/http"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

// watched is a bucket that changes, and a topic that is told.
type watched struct {
	*world
	broker *devbroker.Broker
	server *devstore.Server
	store  *pipeline.Store
	seen   []int64 // offsets up to which the input topic was looked at
	away   atomic.Bool
}

func newWatched(t *testing.T) *watched {
	t.Helper()
	w := &watched{}
	broker, err := devbroker.Start(devbroker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	server, err := devstore.Start(devstore.Options{Buckets: []string{"pics"}, Versioned: true, Hook: func(out http.ResponseWriter, _ *http.Request) bool {
		if w.away.Load() {
			out.WriteHeader(http.StatusServiceUnavailable)
		}
		return w.away.Load()
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	w.broker, w.server, w.world = broker, server, &world{t: t, cfg: pipeline.DefaultConfig()}
	w.cfg.Kafka.Brokers, w.cfg.Topics.Partitions = []string{broker.Addr()}, 2
	w.cfg.Kafka.TransactionTimeout = pipeline.Duration(4 * time.Second)
	w.cfg.S3.Endpoint, w.cfg.S3.AccessKey, w.cfg.S3.SecretKey = server.URL(), devstore.AccessKey, devstore.SecretKey
	topics := w.cfg.ToolTopics([]string{w.cfg.Topics.Locations, w.cfg.Topics.Input}, nil)
	if w.client, err = pipeline.Connect(t.Context(), w.cfg, quiet(), topics); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	if w.store, err = pipeline.NewStore(w.cfg.S3, 1<<20); err != nil {
		t.Fatal(err)
	}
	return w
}

func (w *watched) put(pairs ...string) {
	w.t.Helper()
	for i := 0; i < len(pairs); i += 2 {
		if err := w.store.Put(w.t.Context(), "pics", pairs[i], []byte(pairs[i+1])); err != nil {
			w.t.Fatal(err)
		}
	}
}

func (w *watched) delete(keys ...string) {
	w.t.Helper()
	for _, key := range keys {
		request, err := http.NewRequestWithContext(w.t.Context(), http.MethodDelete, w.server.URL()+"/pics/"+key, nil)
		if err != nil {
			w.t.Fatal(err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			w.t.Fatal(err)
		}
		response.Body.Close()
	}
	http.DefaultClient.CloseIdleConnections()
}

// news is what came on the input topic since the last call: keys of references, and ids of tombstones with a minus.
func (w *watched) news() []string {
	w.t.Helper()
	var list []string
	var err error
	w.seen, err = w.client.Read(w.t.Context(), w.cfg.Topics.Input, w.seen, func(r consumer.Record) error {
		var v struct{ Bucket, Key string }
		switch {
		case r.Value == nil:
			list = append(list, "-"+string(r.Key))
		case json.Unmarshal(r.Value, &v) != nil || string(r.Key) != v.Bucket+"/"+v.Key:
			w.t.Errorf("%s: %s", r.Key, r.Value)
		default:
			list = append(list, v.Key)
		}
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	slices.Sort(list)
	return list
}
