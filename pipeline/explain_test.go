package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/deploy/secrets"
	"planetag/enrich/bundle"
	"planetag/enrich/infer"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

const explainTiny = "../enrich/testdata/tiny"

func explainConfig(t *testing.T) pipeline.Config {
	t.Helper()
	if _, err := infer.FindLibrary(""); err != nil {
		if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs the ONNX Runtime library: run `make setup`, then `make test`, or set PLANETAG_ORT_LIB:", err)
	}
	cfg := pipeline.DefaultConfig()
	cfg.Bundle.Path = explainTiny
	return cfg
}

func golden(t *testing.T, colour string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(explainTiny, "golden", colour+".jpg"))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// The command promises "the very record that would be published". So the worker publishes it, and the two are compared:
// only what a worker alone can know (its input record, the time, the revision) may differ.
func TestExplainSaysWhatTheWorkerPublishes(t *testing.T) {
	cfg := explainConfig(t)
	broker, err := devbroker.Start(devbroker.Options{MinSession: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	server, err := devstore.Start(devstore.Options{Buckets: []string{"photos"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	cfg.Kafka.Brokers, cfg.Kafka.SessionTimeout = []string{broker.Addr()}, pipeline.Duration(time.Second)
	cfg.S3.Endpoint, cfg.S3.AccessKey, cfg.S3.SecretKey, cfg.HTTP.Listen = server.URL(), "a", pipeline.Secret(secrets.Of("s3")), ""
	store, err := pipeline.NewStore(cfg.S3, cfg.Photos.MaxObjectBytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, colour := range []string{"red", "grey"} {
		if err := store.Put(t.Context(), "photos", "my album/"+colour+" 1+1.jpg", golden(t, colour)); err != nil {
			t.Fatal(err)
		}
	}
	published := publishedBy(t, cfg, "red", "grey")
	for _, colour := range []string{"red", "grey"} {
		e, err := pipeline.Explain(t.Context(), pipeline.ExplainOptions{Photo: "s3://photos/my album/" + colour + " 1+1.jpg", Config: cfg})
		if err != nil {
			t.Fatal(err)
		}
		got, want := withoutOrigin(t, e.Record), withoutOrigin(t, published["photos/my album/"+colour+" 1+1.jpg"])
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\nexplained %v\npublished %v", colour, got, want)
		}
	}
}

// publishedBy runs a worker until it has answered, and returns the photo-level records by photo id.
func publishedBy(t *testing.T, cfg pipeline.Config, colours ...string) map[string][]byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	worker := make(chan error, 1)
	working, stop := context.WithCancel(ctx)
	go func() { worker <- pipeline.Run(working, cfg, secrets.Log(t)) }()
	client, err := consumer.NewClient(consumer.Config{Brokers: cfg.Kafka.Brokers})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	var topics []consumer.Topic
	for _, name := range []string{cfg.Topics.Input, cfg.Topics.Locations} {
		topics = append(topics, consumer.Topic{Name: name, Partitions: cfg.Topics.Partitions, Replication: 1})
	}
	if err := client.EnsureTopics(ctx, topics, true); err != nil {
		t.Fatal(err)
	}
	var refs []consumer.Record
	for _, colour := range colours {
		value := `{"bucket":"photos","key":"my album/` + colour + ` 1+1.jpg","album":""}`
		refs = append(refs, consumer.Record{Topic: cfg.Topics.Input, Partition: -1, Key: []byte(colour), Value: []byte(value)})
	}
	if err := client.Publish(ctx, refs); err != nil {
		t.Fatal(err)
	}
	published := map[string][]byte{}
	err = client.Tail(ctx, cfg.Topics.Locations, func(rec consumer.Record) error {
		if published[string(rec.Key)] = rec.Value; len(published) == len(colours) {
			return consumer.ErrStop
		}
		return nil
	})
	stop()
	if err := errors.Join(err, <-worker); err != nil {
		t.Fatal(err)
	}
	return published
}

// withoutOrigin is a record without what only its publisher can know.
func withoutOrigin(t *testing.T, record []byte) map[string]any {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal(record, &fields); err != nil {
		t.Fatalf("%v in %q", err, record)
	}
	maps.DeleteFunc(fields, func(key string, _ any) bool { return key == "time" || key == "revision" })
	source, _ := fields["source"].(map[string]any)
	maps.DeleteFunc(source, func(key string, _ any) bool { return key == "partition" || key == "offset" })
	return fields
}

func TestExplainOfAFile(t *testing.T) {
	cfg := explainConfig(t)
	dir := t.TempDir()
	for _, row := range []struct {
		story, name string
		data        []byte
		status, why string
		steps       string
	}{
		{"a red photo is in Rome", "red.jpg", golden(t, "red"), "estimated", "is at least 0.400", "load read exif decode cnn place"},
		{"a grey one is nowhere", "grey.jpg", golden(t, "grey"), "abstained", "is under 0.400", "load read exif decode cnn place"},
		{"half a photo", "half.jpg", golden(t, "red")[:500], "dead_letter", "truncated", "load read exif decode"},
		{"a text", "text.jpg", []byte("hello"), "dead_letter", "", "load read exif decode"},
		{"nothing", "nothing.jpg", nil, "dead_letter", "0 bytes", "load read exif decode"},
	} {
		path := filepath.Join(dir, row.name)
		if err := os.WriteFile(path, row.data, 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := pipeline.Explain(t.Context(), pipeline.ExplainOptions{Photo: path, Config: cfg})
		if err != nil {
			t.Fatalf("%s: %v", row.story, err)
		}
		var steps []string
		for _, s := range e.Steps {
			steps = append(steps, s.Name)
		}
		if e.Status != row.status || !strings.Contains(e.Reason, row.why) || strings.Join(steps, " ") != row.steps {
			t.Errorf("%s: %s because %q after %v", row.story, e.Status, e.Reason, steps)
		}
		if dead := e.Status == pipeline.StatusDeadLetter; dead != (e.Record == nil) || dead != (e.ErrorType != "") {
			t.Errorf("%s: record %s, error type %q", row.story, e.Record, e.ErrorType)
		}
		var text bytes.Buffer
		if err := e.Text(&text); err != nil || !strings.Contains(text.String(), e.Reason) {
			t.Errorf("%s: %v\n%s", row.story, err, text.String())
		}
	}
}

func TestExplainKeepsAMeasuredPosition(t *testing.T) {
	cfg := explainConfig(t)
	e, err := pipeline.Explain(t.Context(), pipeline.ExplainOptions{Photo: "demo/photos/arezzo-2008/02-avenue.jpg", Config: cfg})
	if err != nil {
		t.Fatal(err)
	}
	var l pipeline.Location
	if err := json.Unmarshal(e.Record, &l); err != nil {
		t.Fatal(err)
	}
	if l.Status != pipeline.StatusGiven || l.Given == nil || l.Given.Source != "exif" || l.Location.Lat != l.Given.Lat || l.RadiusP90M != 0 {
		t.Errorf("record %s", e.Record)
	}
	if !strings.Contains(e.Reason, "measured position (exif)") || len(e.Cells) == 0 {
		t.Errorf("reason %q, %d cells", e.Reason, len(e.Cells))
	}
}

func TestExplainFailsClearly(t *testing.T) {
	cfg := explainConfig(t)
	noBundle, noLibrary := cfg, cfg
	noBundle.Bundle.Path, noLibrary.Bundle.Library = t.TempDir(), "/no/such/library.so"
	for _, row := range []struct {
		story, photo string
		cfg          pipeline.Config
		is           error
	}{
		{"no such file", "nowhere.jpg", cfg, pipeline.ErrNoPhoto},
		{"a bucket without a key", "s3://bucket", cfg, pipeline.ErrNoPhoto},
		{"no bundle", "x.jpg", noBundle, pipeline.ErrConfig},
		{"no library", "x.jpg", noLibrary, infer.ErrLibrary},
	} {
		if _, err := pipeline.Explain(t.Context(), pipeline.ExplainOptions{Photo: row.photo, Config: row.cfg}); !errors.Is(err, row.is) {
			t.Errorf("%s: %v", row.story, err)
		}
	}
}

func TestVerifyBundle(t *testing.T) {
	cfg := explainConfig(t)
	v, err := pipeline.VerifyBundle(t.Context(), cfg)
	if err != nil || !v.OK || len(v.Checks) < 8 {
		t.Errorf("%v, %+v", err, v)
	}
	cfg.Bundle.Path = t.TempDir()
	if err := os.CopyFS(cfg.Bundle.Path, os.DirFS(explainTiny)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(cfg.Bundle.Path, "stranger.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	v, err = pipeline.VerifyBundle(t.Context(), cfg)
	if !errors.Is(err, bundle.ErrBundle) || v.OK {
		t.Errorf("an unlisted file: %v, %+v", err, v)
	}
	var text bytes.Buffer
	if err := v.Text(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"✓ manifest", "✗ files", "stranger.txt", "– golden"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("lacks %q:\n%s", want, text.String())
		}
	}
}
