package pipeline

import (
	"context"
	"errors"
	"image/color"
	"net/http"
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
		return Input{Reference: Reference{PhotoID: "images/" + key, Bucket: "images", Key: key, Album: AlbumOf(key)}}
	}
	gone := func(id, album string) Input {
		return Input{Kind: RemovedInput, Reference: Reference{PhotoID: id, Album: album}}
	}
	looked := photo("a/1.jpg")
	looked.IfGone = true
	removed := photo("a/1.jpg")
	removed.Kind = RemovedInput
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
		{"removed by bucket and key", `{key: .k, removed: true}`, []Input{removed}},
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

// A record may be played back long after one of its parts failed; a photo that another part removed may be there again.
func TestRemovalsThatArePlayedBackLookFirst(t *testing.T) {
	rec := consumer.Record{Value: []byte(event("-a/1.jpg", "2.jpg"))}
	r := reader(t, "s3-event")
	for _, again := range []bool{false, true} {
		if again {
			rec = deadLetter("dead", rec, "photos", 1, ErrObjectGone)
		}
		asked, err := r.Read(t.Context(), rec)
		if err != nil || len(asked) != 2 || asked[0].IfGone != again || (asked[0].Kind == RemovedInput) == again || asked[0].Reference.Key != "a/1.jpg" || asked[1].IfGone {
			t.Errorf("played back %v: %+v, %v", again, asked, err)
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
