package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/pipeline/devstore"
)

const (
	bucket     = "hostile"
	partitions = 2
	input      = "photos"
	locations  = "planetag.locations"
	deadLetter = "planetag.dead-letters"
)

// world is a broker and a store that outlive the worker.
type world struct {
	broker  *devbroker.Broker
	store   *devstore.Server
	metrics string // address of the worker's page

	mu    sync.Mutex
	asked map[string]time.Time // by key: when the worker first wanted it
}

func newWorld(ctx context.Context) (w *world, err error) {
	w = &world{asked: map[string]time.Time{}}
	if w.broker, err = devbroker.Start(devbroker.Options{MinSession: time.Second}); err != nil {
		return nil, err
	}
	if w.store, err = devstore.Start(devstore.Options{Buckets: []string{bucket}, Hook: w.note}); err != nil {
		w.broker.Close()
		return nil, err
	}
	if w.metrics, err = freeAddress(ctx); err == nil {
		err = w.makeTopics(ctx)
	}
	if err != nil {
		w.close()
		return nil, err
	}
	return w, nil
}

func (w *world) close() {
	_ = w.store.Close() // in memory: nothing to lose
	w.broker.Close()
}

// note remembers when a file was first asked for.
func (w *world) note(_ http.ResponseWriter, r *http.Request) bool {
	if key := strings.TrimPrefix(r.URL.Path, "/"+bucket+"/"); r.Method == http.MethodGet && key != r.URL.Path {
		w.mu.Lock()
		defer w.mu.Unlock()
		if _, seen := w.asked[key]; !seen {
			w.asked[key] = time.Now()
		}
	}
	return false
}

// askedAt is when the worker first wanted a file.
func (w *world) askedAt(key string) (time.Time, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	at, ok := w.asked[key]
	return at, ok
}

// environment is the worker's: the caller's own without planetag's variables, and where everything is.
func (w *world) environment(o options) ([]string, error) {
	bundle, err := filepath.Abs(filepath.Join(o.root, "bundles", "demo"))
	if err != nil {
		return nil, fmt.Errorf("find the bundle: %w", err)
	}
	var env []string
	for _, pair := range os.Environ() {
		if !strings.HasPrefix(pair, "PLANETAG_") {
			env = append(env, pair)
		}
	}
	if o.library != "" {
		env = append(env, "PLANETAG_ORT_LIB="+o.library)
	}
	return append(env,
		"PLANETAG_BUNDLE_PATH="+bundle, "PLANETAG_KAFKA_BROKERS="+w.broker.Addr(), fmt.Sprintf("PLANETAG_TOPICS_PARTITIONS=%d", partitions),
		"PLANETAG_S3_ENDPOINT="+w.store.URL(), "PLANETAG_S3_ACCESS_KEY=a", "PLANETAG_S3_SECRET_KEY=b", "PLANETAG_S3_BUCKET="+bucket,
		"PLANETAG_KAFKA_SESSION_TIMEOUT=6s", "PLANETAG_PHOTOS_IN_FLIGHT=4", "PLANETAG_HTTP_LISTEN="+w.metrics, "PLANETAG_LOG_FORMAT=json",
	), nil
}

// makeTopics makes what the reader reads before there is a worker that would.
func (w *world) makeTopics(ctx context.Context) error {
	client, err := consumer.NewClient(consumer.Config{Brokers: []string{w.broker.Addr()}})
	if err != nil {
		return err
	}
	defer client.Close()
	var topics []consumer.Topic
	for _, name := range []string{input, locations, deadLetter} {
		topics = append(topics, consumer.Topic{Name: name, Partitions: partitions, Replication: 1})
	}
	return client.EnsureTopics(ctx, topics, true)
}

func (w *world) object(key string) string {
	return w.store.URL() + (&url.URL{Path: "/" + bucket + "/" + key}).EscapedPath()
}

// put uploads a file, remove takes it out of memory again. The store accepts everybody.
func (w *world) put(ctx context.Context, key string, data []byte) error {
	return request(ctx, http.MethodPut, w.object(key), data)
}

func (w *world) remove(ctx context.Context, key string) error {
	return request(ctx, http.MethodDelete, w.object(key), nil)
}

func request(ctx context.Context, method, address string, body []byte) error {
	r, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s object: %w", strings.ToLower(method), err)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return fmt.Errorf("%s object: %w", strings.ToLower(method), err)
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection can be used again
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s object: %s", strings.ToLower(method), answer.Status)
	}
	return nil
}

// reference is what any producer would write for a file that belongs to no album.
func reference(id string) *kgo.Record {
	key := strings.TrimPrefix(id, bucket+"/")
	value, _ := json.Marshal(map[string]string{"bucket": bucket, "key": key, "album": ""}) // strings: cannot fail
	return &kgo.Record{Topic: input, Key: []byte(id), Value: value}
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port on loopback: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}
