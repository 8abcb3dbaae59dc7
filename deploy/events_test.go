package deploy_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/deploy/secrets"
	"planetag/pipeline"
)

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
			{Key: "ce_specversion", Value: []byte("1.0")},
			{Key: "ce_id", Value: []byte("2")},
			{Key: "ce_source", Value: []byte("/uploads")},
			{Key: "ce_type", Value: []byte(kind)},
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
