package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/pipeline"
)

// topics is a broker with a topic of events, and the topics of a worker.
func startTopics(t *testing.T) (client *consumer.Client, run func(args ...string) (string, int)) {
	t.Helper()
	broker, err := devbroker.Start(devbroker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	if client, err = consumer.NewClient(consumer.Config{Brokers: []string{broker.Addr()}}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	var topics []consumer.Topic
	for _, name := range []string{"photo-events", "planetag.locations", "planetag.embeddings", "planetag.dead-letters"} {
		topics = append(topics, consumer.Topic{Name: name, Partitions: 2, Replication: 1})
	}
	if err := client.EnsureTopics(t.Context(), topics, true); err != nil {
		t.Fatal(err)
	}
	return client, func(args ...string) (string, int) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cmd := exec.CommandContext(ctx, "planetag", args...)
		cmd.Env = append(os.Environ(), "PLANETAG_KAFKA_BROKERS="+broker.Addr(), "PLANETAG_S3_BUCKET=images")
		var out bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &out
		err := cmd.Run()
		var ended *exec.ExitError
		if err != nil && !errors.As(err, &ended) {
			t.Fatal(err)
		}
		return out.String(), cmd.ProcessState.ExitCode()
	}
}

func publish(t *testing.T, client *consumer.Client, records ...consumer.Record) {
	t.Helper()
	for i := range records {
		records[i].Time = time.Date(2026, 11, 26, 8, 0, i, 0, time.UTC)
	}
	if err := client.Publish(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func says(t *testing.T, out string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(out, part) {
			t.Errorf("lacks %q:\n%s", part, out)
		}
	}
}

func TestMapTryShowsTheNewestRecordsMapped(t *testing.T) {
	client, run := startTopics(t)
	if out, status := run("map", "try", "--topic", "photo-events"); status != exitUnexpected || !strings.Contains(out, "has no records") {
		t.Errorf("an empty topic: %d\n%s", status, out)
	}
	event := func(name, key string) consumer.Record {
		return consumer.Record{Topic: "photo-events", Partition: -1, Key: []byte(key), Value: fmt.Appendf(nil,
			`{"Records":[{"eventName":%q,"s3":{"bucket":{"name":"images"},"object":{"key":%q}}}]}`, name, key)}
	}
	publish(t, client, event("s3:ObjectCreated:Put", "too-old.jpg"), event("s3:ObjectCreated:Put", "rome/my+photo%2B1.jpg"),
		event("s3:ObjectRemoved:Delete", "b.jpg"), event("s3:ObjectTagging:Put", "c.jpg"))
	out, status := run("map", "try", "--topic", "photo-events", "-n", "3", "--map", "s3-event")
	says(t, out, `key "rome/my+photo%2B1.jpg"`, `→ {"album":"rome","bucket":"images","key":"rome/my photo+1.jpg","photo_id":"images/rome/my photo+1.jpg"}`,
		`→ {"bucket":"images","key":"b.jpg","photo_id":"images/b.jpg","removed":true}`, "– skipped")
	if status != exitOK || strings.Contains(out, "too-old") {
		t.Errorf("status %d\n%s", status, out)
	}
	out, status = run("map", "try", "--topic", "photo-events", "-n", "1", "--map", "debezium")
	says(t, out, "✗ record cannot be mapped: debezium: error: not a change")
	if status != exitPhotoFailed {
		t.Errorf("a record that would be a dead letter ends with %d", status)
	}
	out, status = run("map", "try", "--topic", "nowhere")
	if status == exitOK {
		t.Errorf("a topic that is not there: %s", out)
	}
}

func TestTapDecodesWhatLiesOnTheTopics(t *testing.T) {
	client, run := startTopics(t)
	embedding, err := pipeline.EncodeEmbedding(pipeline.Embedding{
		Reference: pipeline.Reference{PhotoID: "images/a/1.jpg", Album: "a"}, Model: strings.Repeat("0", 64), Vector: []float32{1, 2},
	})
	if err != nil {
		t.Fatal(err)
	}
	control, err := pipeline.EncodeControl(pipeline.Control{Kind: pipeline.ControlComplete, Album: "a"})
	if err != nil {
		t.Fatal(err)
	}
	dead := func(name, value string) consumer.Header { return consumer.Header{Key: name, Value: []byte(value)} }
	publish(t, client,
		consumer.Record{Topic: "planetag.locations", Key: []byte("images/a.jpg"), Value: []byte(`{"photo_id":"images/a.jpg","status":"abstained"}`)},
		consumer.Record{Topic: "planetag.locations", Key: []byte("images/b.jpg")},
		consumer.Record{Topic: "planetag.embeddings", Key: []byte("a"), Value: embedding},
		consumer.Record{Topic: "planetag.embeddings", Key: []byte("a"), Value: control},
		consumer.Record{Topic: "planetag.embeddings", Key: []byte("a"), Value: []byte("?")},
		consumer.Record{Topic: "planetag.dead-letters", Key: []byte("k"), Value: []byte(`{"key":"c.jpg"}`), Headers: []consumer.Header{
			dead("error.type", "object_gone"), dead("error.message", "part 2 of 3: gone"), dead("mine", "1"),
		}},
	)
	out, status := run("tap", "planetag.locations", "--from", "beginning")
	says(t, out, `→ {"photo_id":"images/a.jpg","status":"abstained"}`, "→ removed")
	out2, status2 := run("tap", "planetag.embeddings", "--from", "beginning")
	says(t, out2, `→ embedding {"album":"a",`, `"numbers":2`, `→ control {"album":"a","kind":"complete"}`, "✗ bad album record")
	out3, status3 := run("tap", "planetag.dead-letters", "--from", "beginning", "--follow", "-n", "1", "--json")
	if status+status2+status3 != 0 {
		t.Errorf("ended with %d, %d, %d\n%s", status, status2, status3, out3)
	}
	var seen pipeline.Sighting
	if err := json.Unmarshal([]byte(out3), &seen); err != nil {
		t.Fatalf("%v: %s", err, out3)
	}
	if seen.DeadLetter["error.message"] != "part 2 of 3: gone" || seen.Headers["mine"] != "1" || len(seen.Headers) != 1 || seen.Asks[0]["photo_id"] != "images/c.jpg" {
		t.Errorf("dead letter shown as %+v", seen)
	}
}
