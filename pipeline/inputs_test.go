package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"image/color"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"planetag/consumer"
	"planetag/pipeline/mapping"
)

func reader(t testing.TB, text string) *InputReader {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Input.Map, cfg.S3.Bucket = text, "images"
	r, err := NewInputReader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestMappingsAskForPhotos(t *testing.T) {
	photo := func(key string) Input {
		return Input{Reference: Reference{PhotoID: "images/" + key, Bucket: "images", Key: key, Album: albumOf(key)}}
	}
	gone := func(id, album string) Input {
		return Input{Kind: RemovedInput, Reference: Reference{PhotoID: id, Album: album}}
	}
	looked := photo("a/1.jpg")
	looked.IfGone = true
	for _, row := range []struct {
		name, program string
		want          []Input
	}{
		{"none", `empty`, nil},
		{"one", `{key: .k}`, []Input{photo("a/1.jpg")}},
		{"several", `{key: .k}, {key: "2.jpg"}`, []Input{photo("a/1.jpg"), photo("2.jpg")}},
		{"what is null counts as absent", `{key: .k, album: null, taken_at: .nothing, removed: null}`, []Input{photo("a/1.jpg")}},
		{"not removed", `{key: .k, removed: false}`, []Input{photo("a/1.jpg")}},
		{"the record's key is gone", `null`, []Input{gone("images/b/3.jpg", "b")}},
		{"removed by bucket and key", `{key: .k, removed: true}`, []Input{gone("images/a/1.jpg", "a")}},
		{"removed by its id", `{photo_id: "x/c/4.jpg", removed: true}`, []Input{gone("x/c/4.jpg", "c")}},
		{"removed if it is gone", `{key: .k, removed: "if_gone"}`, []Input{looked}},
		{"an album is complete", `{album_complete: "rome", photos: 2}`, []Input{{Kind: AlbumCompleteInput, Reference: Reference{Album: "rome"}, AlbumPhotos: 2}}},
	} {
		asked, err := reader(t, row.program).Read(t.Context(), consumer.Record{Key: []byte("images/b/3.jpg"), Value: []byte(`{"k":"a/1.jpg"}`)})
		if err != nil {
			t.Errorf("%s: %v", row.name, err)
		}
		var got []Input
		for _, a := range asked {
			if a.Err != nil {
				t.Errorf("%s: %v", row.name, a.Err)
			}
			got = append(got, a.Input)
		}
		if diff := cmp.Diff(row.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.name, diff)
		}
	}
}

func TestMappingsThatMakeNoReferenceSayWhatIsWrong(t *testing.T) {
	for program, says := range map[string]string{
		`7`:                                "value is not a JSON object: json: cannot unmarshal number into Go value of type map[string]json.RawMessage (it is what input.map made of the record: 7)",
		`{}`:                               "key is missing",
		`{key: 7}`:                         "key is 7, which is not a string",
		`{key: "a", removed: "yes"}`:       `removed is "yes", which is not true, false or "if_gone"`,
		`{removed: true}`:                  "key is missing",
		`{key: "a", bucket: "no bucket"}`:  "is not a bucket name",
		`{key: "a", position: {lat: "1"}}`: "position is",
		`{key: "a", opt_out: "please"}`:    "opt_out is \"please\", which is not true or false",
		`{photo_id: ("x" * 3000), removed: true}`: "photo_id has 3000 bytes",
	} {
		asked, err := reader(t, program).Read(t.Context(), consumer.Record{Value: []byte(`{}`)})
		if err != nil || len(asked) != 1 || !errors.Is(asked[0].Err, ErrReference) || !strings.Contains(asked[0].Err.Error(), says) {
			t.Errorf("%s: %+v, %v; want %q", program, asked, err, says)
		}
	}
}

// The headers of a CloudEvent are not those of its answer; a trace goes through.
func TestHeadersOfEventsEndWithThem(t *testing.T) {
	rec := consumer.Record{Headers: []consumer.Header{{Key: "traceparent"}, {Key: "ce_id"}, {Key: "Content-Type"}, {Key: "ce_type"}, {Key: "mine"}}}
	if got := reader(t, "cloudevents").Carried(rec); len(got.Headers) != 2 || got.Headers[0].Key != "traceparent" || got.Headers[1].Key != "mine" {
		t.Errorf("carried %v", got.Headers)
	}
	if got := reader(t, "plain").Carried(rec); len(got.Headers) != 5 || len(rec.Headers) != 5 {
		t.Errorf("plain carried %v", got.Headers)
	}
}

// The preset plain is not run, so it must say what is done.
func TestPlainIsWhatItsTextSays(t *testing.T) {
	text, err := mapping.Show(mapping.Input, mapping.Plain)
	if err != nil {
		t.Fatal(err)
	}
	run, direct := reader(t, text), reader(t, "plain")
	if direct.program != nil || run.program == nil {
		t.Fatal("plain runs a program, or its text does not")
	}
	for _, value := range []string{`{"key":"a/1.jpg","album":"","taken_at":"2019-07-01T12:00:00+02:00","position":{"lat":1.25,"lon":-2}}`, `{"album_complete":"a"}`, `null`} {
		rec := consumer.Record{Key: []byte("images/x"), Value: []byte(value)}
		want, err := direct.Read(t.Context(), rec)
		if err != nil {
			t.Fatal(err)
		}
		got, err := run.Read(t.Context(), rec)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", value, err, diff)
		}
	}
}

// A registry that is away keeps its records waiting, as a store does; it costs none of them.
func TestRecordsWaitForTheRegistry(t *testing.T) {
	registry := srfake.New()
	defer registry.Close()
	registry.SeedSchema("photos-value", 1, 7, sr.Schema{Schema: `{"type":"record","name":"P","fields":[{"name":"path","type":"string"},{"name":"trip","type":["null","string"]}]}`})
	var asked atomic.Int64
	registry.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		away := asked.Add(1) == 1
		if away {
			http.Error(w, "upstream is away", http.StatusBadGateway)
		}
		return away
	})
	cfg := DefaultConfig()
	cfg.Input.Map, cfg.Input.Registry.URL = `{bucket: "pics", key: .path, album: (.trip // "")}`, registry.URL()
	r, err := NewInputReader(cfg)
	if err != nil {
		t.Fatal(err)
	}
	red := paint(t, color.RGBA{R: 220, A: 255})
	s := startPhotoStage(t, fetchFunc(func(context.Context, Reference) (Object, error) { return Object{Data: red}, nil }))
	s.inputs = *r
	p := &partitionFake{}
	p.add("k", "\x00\x00\x00\x00\x07\x0ered.png\x00")
	p.add("k", "\x00\x00\x00\x00\x63?")
	handleUntil(t, s, p, 2)
	var got []string
	for _, c := range p.commits {
		for _, rec := range c.records {
			got = append(got, describe(t, rec))
		}
	}
	if want := "location pics/red.png estimated, dead unmapped"; strings.Join(got, ", ") != want {
		t.Errorf("%s, want %s", strings.Join(got, ", "), want)
	}
	if asked.Load() < 2 {
		t.Error("the registry was never away")
	}
}

func BenchmarkReadRecord(b *testing.B) {
	for preset, value := range map[string]string{
		"plain": `{"bucket":"images","key":"album 7/my photo+1.jpg","album":"rome-2019","taken_at":"2019-07-01T12:00:00Z"}`, "s3-event": event("rome%2F1.jpg"),
	} {
		r, rec := reader(b, preset), consumer.Record{Value: []byte(value)}
		b.Run(preset, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := r.Read(b.Context(), rec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

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
