package pipeline

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"planetag/consumer"
)

func FuzzMapPlain(f *testing.F)        { fuzzMap(f, "plain", "s3-event", "cloudevents", "debezium") }
func FuzzMapBucketEvents(f *testing.F) { fuzzMap(f, "s3-event", "s3-event") }
func FuzzMapCloudEvents(f *testing.F)  { fuzzMap(f, "cloudevents", "cloudevents") }
func FuzzMapDebezium(f *testing.F)     { fuzzMap(f, "debezium", "debezium") }
func FuzzMapAuto(f *testing.F)         { fuzzMap(f, "auto", "s3-event", "cloudevents", "debezium") }

// fuzzMap reads whatever came: nothing, references that can be fetched, or an error that makes a dead letter.
func fuzzMap(f *testing.F, preset string, seeds ...string) {
	for _, name := range seeds {
		text, err := os.ReadFile(filepath.Join("mapping", "testdata", name+".json"))
		if err != nil {
			f.Fatal(err)
		}
		var list []struct {
			Key     string
			Value   json.RawMessage
			Headers map[string]string
		}
		if err := json.Unmarshal(text, &list); err != nil {
			f.Fatal(err)
		}
		for _, seed := range list {
			f.Add([]byte(seed.Key), []byte(seed.Value), seed.Headers["content-type"], seed.Headers["ce_type"])
		}
	}
	r := reader(f, preset)
	f.Fuzz(func(t *testing.T, key, value []byte, contentType, eventType string) {
		rec := consumer.Record{Topic: "events", Key: key, Value: value, Headers: []consumer.Header{{Key: "content-type", Value: []byte(contentType)}}}
		if eventType != "" {
			for name, text := range map[string]string{"ce_specversion": "1.0", "ce_id": "1", "ce_source": "fuzz", "ce_type": eventType} {
				rec.Headers = append(rec.Headers, consumer.Header{Key: name, Value: []byte(text)})
			}
		}
		asked, err := r.Read(t.Context(), rec)
		if err != nil && (Judge(err) != DeadLetter || len(asked) > 0 || strings.Contains(err.Error(), "did not end within")) {
			t.Fatalf("%v beside %+v", err, asked)
		}
		for _, a := range asked {
			ref := a.Reference
			switch {
			case a.Err != nil:
				if !errors.Is(a.Err, ErrReference) {
					t.Errorf("%v is no mistake of a reference", a.Err)
				}
			case a.Kind == AlbumCompleteInput && ref.Album == "", a.Kind != AlbumCompleteInput && ref.PhotoID == "",
				a.Kind == PhotoInput && (ref.Key == "" || len(ref.Key) > maxKeyBytes || checkBucket(ref.Bucket) != nil):
				t.Errorf("taken for a reference: %+v", a)
			}
		}
	})
}
