package deploy_test

import (
	"context"
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

// upload puts an object and returns when its event is there: versitygw 1.8.0 writes the event after it has answered, and
// a key without a slash then still lies in the bytes of the request, which the next request overwrites.
func (s *scene) upload(key, photo string) {
	s.t.Helper()
	before := s.count(bucketEvents)
	if _, err := s.s3.FPutObject(s.t.Context(), bucket, key, filepath.Join(photosDir(s.t), photo), minio.PutObjectOptions{ContentType: "image/jpeg"}); err != nil {
		s.t.Fatalf("put %s: %v", key, err)
	}
	for deadline := time.Now().Add(time.Minute); s.count(bucketEvents) == before; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			s.t.Fatalf("put %s: the store wrote no event in a minute", key)
		}
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
