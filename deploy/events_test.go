package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/deploy/realkafka"
	"planetag/deploy/secrets"
	"planetag/enrich/infer"
	"planetag/pipeline"
)

// scene is a store that writes events to a broker, as somebody's ingest does, before there is a worker.
type scene struct {
	t      *testing.T
	broker *devbroker.Broker
	store  *realkafka.Versity
	s3     *minio.Client
	kafka  *kgo.Client
}

const bucketEvents = "photo-events"

func newScene(t *testing.T) *scene {
	t.Helper()
	if _, err := infer.FindLibrary(""); err != nil {
		realkafka.Missing(t, "the ONNX Runtime library is not installed; `make setup` gets it")
	}
	broker, err := devbroker.Start(devbroker.Options{MinSession: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	s := &scene{t: t, broker: broker}
	client, err := consumer.NewClient(consumer.Config{Brokers: []string{broker.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.EnsureTopics(t.Context(), []consumer.Topic{{Name: bucketEvents, Partitions: 1, Replication: 1}}, true); err != nil {
		t.Fatal(err)
	}
	s.store = realkafka.StartVersityWithEvents(t, broker.Addr(), bucketEvents)
	if s.s3, err = minio.New(strings.TrimPrefix(s.store.URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(s.store.AccessKey, s.store.SecretKey, ""), Region: "us-east-1",
	}); err != nil {
		t.Fatal(err)
	}
	if err := s.s3.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	if s.kafka, err = kgo.NewClient(kgo.SeedBrokers(broker.Addr())); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.kafka.Close)
	return s
}

func (s *scene) upload(key, photo string) {
	s.t.Helper()
	if _, err := s.s3.FPutObject(s.t.Context(), bucket, key, filepath.Join(photosDir(s.t), photo), minio.PutObjectOptions{ContentType: "image/jpeg"}); err != nil {
		s.t.Fatalf("put %s: %v", key, err)
	}
}

func (s *scene) send(topic, key string, value []byte, headers ...kgo.RecordHeader) {
	s.t.Helper()
	record := &kgo.Record{Topic: topic, Key: []byte(key), Value: value, Headers: headers}
	if err := s.kafka.ProduceSync(s.t.Context(), record).FirstErr(); err != nil {
		s.t.Fatal(err)
	}
}

// attach runs a worker on a topic with a mapping, until the test ends, and returns where its locations go.
func (s *scene) attach(topic, preset, output string) (locations string) {
	s.t.Helper()
	cfg := s.settings(topic, preset, output)
	ctx, cancel := context.WithCancel(context.Background())
	var working sync.WaitGroup
	working.Go(func() {
		if err := pipeline.Run(ctx, cfg, secrets.Log(s.t)); err != nil {
			s.t.Errorf("the worker on %s: %v", topic, err)
		}
	})
	s.t.Cleanup(func() { cancel(); working.Wait() })
	return cfg.Topics.Locations
}

// settings are of a worker without albums.
func (s *scene) settings(topic, preset, output string) pipeline.Config {
	s.t.Helper()
	cfg := pipeline.DefaultConfig()
	cfg.Kafka.Brokers, cfg.Kafka.Group, cfg.Kafka.SessionTimeout = []string{s.broker.Addr()}, topic, pipeline.Duration(2*time.Second)
	cfg.Topics.Input, cfg.Topics.Partitions = topic, 1
	cfg.Topics.Embeddings, cfg.Topics.Locations, cfg.Topics.DeadLetters = topic+".embeddings", topic+".locations", topic+".dead-letters"
	cfg.Input.Map, cfg.Output.Map = preset, output
	cfg.S3.Endpoint, cfg.S3.AccessKey, cfg.S3.SecretKey, cfg.S3.Bucket = s.store.URL, s.store.AccessKey, pipeline.Secret(s.store.SecretKey), bucket
	cfg.Bundle.Path = filepath.Join(realkafka.Root(s.t), "enrich", "testdata", "tiny")
	cfg.Albums.Mode, cfg.Decode.Isolation, cfg.HTTP.Listen = "none", "none", ""
	return cfg
}

// await reads a topic until the latest record of every key is as wanted: a part of the value, "" for a tombstone.
func (s *scene) await(topic string, want map[string]string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.broker.Addr()), kgo.ConsumeTopics(topic), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.UnknownTopicRetries(-1), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	got := map[string]string{}
	fits := func() bool {
		for key, part := range want {
			value, there := got[key]
			if !there || (part == "") != (value == "") || !strings.Contains(value, part) {
				return false
			}
		}
		return len(got) == len(want)
	}
	for !fits() {
		fetches := client.PollFetches(ctx)
		if ctx.Err() != nil {
			s.t.Fatalf("on %s there are %v, want %v", topic, got, want)
		}
		fetches.EachRecord(func(r *kgo.Record) { got[string(r.Key)] = string(r.Value) })
	}
}

// TestUploadsBecomeLocationsAndDeletionsTombstones uses nothing but a store's own events: an ordinary client uploads
// photos under names that are hard to spell, and removes them again.
func TestUploadsBecomeLocationsAndDeletionsTombstones(t *testing.T) {
	s := newScene(t)
	s.upload("album 7/my photo+1.jpg", "ruins.jpg")
	s.upload("été/東京 #2.jpg", "ruins.jpg")
	s.upload("100%25.jpg", "ruins.jpg")
	s.upload("later/3.jpg", "ruins.jpg")
	locations := s.attach(bucketEvents, "s3-event", "default")
	some := `"status":"`
	want := map[string]string{
		"photos/album 7/my photo+1.jpg": some, "photos/été/東京 #2.jpg": some, "photos/100%25.jpg": some, "photos/later/3.jpg": some,
	}
	s.await(locations, want)
	if err := s.s3.RemoveObject(t.Context(), bucket, "été/東京 #2.jpg", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	objects := make(chan minio.ObjectInfo, 2)
	objects <- minio.ObjectInfo{Key: "album 7/my photo+1.jpg"}
	objects <- minio.ObjectInfo{Key: "100%25.jpg"}
	close(objects)
	for failed := range s.s3.RemoveObjects(t.Context(), bucket, objects, minio.RemoveObjectsOptions{}) {
		t.Fatal(failed.Err)
	}
	for _, id := range []string{"photos/été/東京 #2.jpg", "photos/album 7/my photo+1.jpg", "photos/100%25.jpg"} {
		want[id] = ""
	}
	s.await(locations, want)
	if n := s.count(bucketEvents + ".dead-letters"); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

func (s *scene) count(topic string) int {
	s.t.Helper()
	client, err := consumer.NewClient(consumer.Config{Brokers: []string{s.broker.Addr()}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	n := 0
	if err := client.Look(s.t.Context(), topic, consumer.Range{}, func(consumer.Record) error { n++; return nil }); err != nil {
		s.t.Fatal(err)
	}
	return n
}

// TestEventsOfDatabasesAndFrameworksBecomeLocations does the same for a table that Debezium follows and for CloudEvents in
// both forms, with photos of people's own keys.
func TestEventsOfDatabasesAndFrameworksBecomeLocations(t *testing.T) {
	s := newScene(t)
	s.upload("album 7/my photo+1.jpg", "ruins.jpg")
	s.upload("été/東京 #2.jpg", "ruins.jpg")
	row := func(key string) map[string]any {
		return map[string]any{"id": 7, "bucket": bucket, "key": key, "taken_at": 1561982400000}
	}
	change := func(op string, before, after any) []byte {
		return encode(t, map[string]any{"schema": map[string]any{"type": "struct"}, "payload": map[string]any{"op": op, "before": before, "after": after, "source": map[string]any{"table": "photo"}}})
	}
	s.make("rows", "events")
	s.send("rows", `{"id":7}`, change("r", nil, row("album 7/my photo+1.jpg")))
	s.send("rows", `{"id":8}`, change("c", nil, row("été/東京 #2.jpg")))
	rows := s.attach("rows", "debezium", "flat")

	reference := func(key string) map[string]any { return map[string]any{"bucket": bucket, "key": key} }
	event := map[string]any{"specversion": "1.0", "id": "1", "source": "/uploads", "type": "photo.created", "data": reference("été/東京 #2.jpg")}
	binary := func(kind string) []kgo.RecordHeader {
		return []kgo.RecordHeader{
			{Key: "ce_specversion", Value: []byte("1.0")}, {Key: "ce_id", Value: []byte("2")},
			{Key: "ce_source", Value: []byte("/uploads")}, {Key: "ce_type", Value: []byte(kind)},
		}
	}
	s.send("events", "", encode(t, event), kgo.RecordHeader{Key: "content-type", Value: []byte("application/cloudevents+json")})
	s.send("events", "", encode(t, reference("album 7/my photo+1.jpg")), binary("photo.created")...)
	events := s.attach("events", "cloudevents", "cloudevents")

	s.await(rows, map[string]string{"photos/album 7/my photo+1.jpg": `"taken_at":"2019-07-01T12:00:00Z"`, "photos/été/東京 #2.jpg": `"radius_p90_m":`})
	s.await(events, map[string]string{"photos/album 7/my photo+1.jpg": `"specversion":"1.0"`, "photos/été/東京 #2.jpg": `"type":"planetag.location.`})
	s.send("rows", `{"id":7}`, change("d", row("album 7/my photo+1.jpg"), nil))
	s.send("rows", `{"id":7}`, nil)
	s.send("events", "", encode(t, reference("été/東京 #2.jpg")), binary("photo.deleted")...)
	s.await(rows, map[string]string{"photos/album 7/my photo+1.jpg": "", "photos/été/東京 #2.jpg": `"radius_p90_m":`})
	s.await(events, map[string]string{"photos/album 7/my photo+1.jpg": `"specversion":"1.0"`, "photos/été/東京 #2.jpg": ""})
	if n := s.count("rows.dead-letters") + s.count("events.dead-letters"); n != 0 {
		t.Errorf("%d dead letters", n)
	}
}

func (s *scene) make(names ...string) {
	s.t.Helper()
	client, err := consumer.NewClient(consumer.Config{Brokers: []string{s.broker.Addr()}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	var topics []consumer.Topic
	for _, name := range names {
		topics = append(topics, consumer.Topic{Name: name, Partitions: 1, Replication: 1})
	}
	if err := client.EnsureTopics(s.t.Context(), topics, true); err != nil {
		s.t.Fatal(err)
	}
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestAnOutputMappingThatFailsEndsTheWorker in whichever stage it happens: nothing of its transaction is published, and
// with another mapping the work goes on where it stopped.
func TestAnOutputMappingThatFailsEndsTheWorker(t *testing.T) {
	s := newScene(t)
	s.upload("rome/1.jpg", "ruins.jpg")
	s.make("refs")
	s.send("refs", "", []byte(`{"key":"rome/1.jpg"}`))
	for _, stage := range []string{"photo", "album"} {
		cfg := s.settings("refs", "plain", `if .photo_id == "photos/rome/1.jpg" and .stage == "`+stage+`" then error("not this one") else . end`)
		cfg.Albums.Mode, cfg.Albums.Idle = "average", pipeline.Duration(100*time.Millisecond)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		err := pipeline.Run(ctx, cfg, secrets.Log(t))
		cancel()
		if !errors.Is(err, pipeline.ErrConfig) || !strings.Contains(err.Error(), `output.map: location of "photos/rome/1.jpg"`) {
			t.Fatalf("in the stage of %ss: %v", stage, err)
		}
		if n := s.count("refs.locations"); n != map[string]int{"photo": 0, "album": 1}[stage] {
			t.Errorf("after it failed in the stage of %ss there are %d locations", stage, n)
		}
	}
	cfg := s.settings("refs", "plain", "default")
	cfg.Albums.Mode, cfg.Albums.Idle = "average", pipeline.Duration(100*time.Millisecond)
	ctx, cancel := context.WithCancel(t.Context())
	var working sync.WaitGroup
	working.Go(func() { _ = pipeline.Run(ctx, cfg, secrets.Log(t)) })
	defer working.Wait()
	defer cancel()
	s.await("refs.locations", map[string]string{"photos/rome/1.jpg": `"stage":"album"`})
}
