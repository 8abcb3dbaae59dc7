package backfill

import (
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

const tinyBundle = "../../enrich/testdata/tiny"

// world is a broker and a bucket whose objects are made when they are asked for.
type world struct {
	t      *testing.T
	client *consumer.Client
	cfg    pipeline.Config
}

func newWorld(t *testing.T, key func(int) string, count int) *world {
	t.Helper()
	broker, err := devbroker.Start(devbroker.Options{MinSession: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	bucket := devstore.Made{Bucket: "made", Count: count, Key: key, Object: func(i int) []byte { return strconv.AppendInt(nil, int64(i), 10) }}
	store, err := devstore.Start(devstore.Options{Buckets: []string{"made"}, Hook: bucket.Answer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, cfg: pipeline.DefaultConfig()}
	w.cfg.Kafka.Brokers, w.cfg.Topics.Partitions = []string{broker.Addr()}, 3
	w.cfg.S3.Endpoint, w.cfg.S3.AccessKey, w.cfg.S3.SecretKey = store.URL(), devstore.AccessKey, devstore.SecretKey
	w.cfg.Bundle.Path = tinyBundle
	if w.client, err = pipeline.Connect(t.Context(), w.cfg, quiet(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	return w
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// nested is an archive with albums in albums, and photos beside them.
func nested(i int) string { return fmt.Sprintf("%02d/%02d/%06d.jpg", i/400, i%400/40, i) }

func (w *world) options() Options {
	return Options{Archive: "s3://made", Config: w.cfg, Parallel: 4, Log: quiet()}
}

// written is everything on the backfill topic that a reader of committed records sees.
func (w *world) written() outcome {
	w.t.Helper()
	var records []consumer.Record
	if _, err := w.client.Read(w.t.Context(), w.cfg.Topics.Backfill, nil, func(r consumer.Record) error {
		r.Value = slices.Clone(r.Value)
		records = append(records, r)
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return read(records)
}

// wantOnce wants each of the objects below count once, and nothing else.
func (w *world) wantOnce(key func(int) string, count int) {
	w.t.Helper()
	got := w.written()
	albums := map[string]int{}
	for i := range count {
		if got.photos[key(i)] != 1 {
			w.t.Fatalf("%s is there %d times", key(i), got.photos[key(i)])
		}
		albums[pipeline.AlbumOf(key(i))]++
	}
	if len(got.photos) != count || len(got.wrong) > 0 || fmt.Sprint(got.ended) != fmt.Sprint(albums) {
		w.t.Fatalf("%d photos, want %d; wrong: %v; albums %v, want %v", len(got.photos), count, got.wrong, got.ended, albums)
	}
}
