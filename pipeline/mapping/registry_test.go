package mapping

import (
	"encoding/binary"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/avro"
	"github.com/twmb/franz-go/pkg/sr"
	"github.com/twmb/franz-go/pkg/sr/srfake"

	"planetag/consumer"
)

const (
	placeSchema = `{"type":"record","name":"Place","fields":[{"name":"lat","type":"double"},{"name":"lon","type":"double"}]}`
	photoSchema = `{"type":"record","name":"Photo","fields":[{"name":"bucket","type":"string"},{"name":"key","type":"string"},` +
		`{"name":"album","type":["null","string"],"default":null},{"name":"taken","type":{"type":"long","logicalType":"timestamp-millis"}},` +
		`{"name":"position","type":["null","Place"],"default":null}]}`
)

func framedWith(id uint32, body []byte) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{0}, id), body...)
}

func newTestRegistry(t *testing.T, url string) *Registry {
	t.Helper()
	r, err := NewRegistry(RegistryOptions{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// seeded is a registry with a schema of Avro that refers to another, one of JSON, and one of Protobuf.
func seeded(t *testing.T) (fake *srfake.Registry, photo []byte, asked *atomic.Int64) {
	t.Helper()
	fake = srfake.New()
	t.Cleanup(fake.Close)
	fake.SeedSchema("place", 1, 6, sr.Schema{Schema: placeSchema})
	fake.SeedSchema("photos-value", 1, 7, sr.Schema{Schema: photoSchema, References: []sr.SchemaReference{{Name: "Place", Subject: "place", Version: 1}}})
	fake.SeedSchema("json-value", 1, 8, sr.Schema{Schema: `{"type":"object"}`, Type: sr.TypeJSON})
	fake.SeedSchema("proto-value", 1, 9, sr.Schema{Schema: `syntax = "proto3"; message A {}`, Type: sr.TypeProtobuf})
	asked = new(atomic.Int64)
	fake.Intercept(func(_ http.ResponseWriter, r *http.Request) bool {
		if strings.HasPrefix(r.URL.Path, "/schemas/ids/") {
			asked.Add(1)
		}
		return false
	})
	var cache avro.SchemaCache
	if _, err := cache.Parse(placeSchema); err != nil {
		t.Fatal(err)
	}
	schema, err := cache.Parse(photoSchema)
	if err != nil {
		t.Fatal(err)
	}
	photo, err = schema.Encode(map[string]any{
		"bucket": "images", "key": "album 7/my photo+1.jpg", "album": "rome", "taken": int64(1561982400000),
		"position": map[string]any{"lat": 41.89, "lon": 12.49},
	})
	if err != nil {
		t.Fatal(err)
	}
	return fake, photo, asked
}

func TestFramedValuesAreReadAsJSON(t *testing.T) {
	fake, photo, asked := seeded(t)
	r := newTestRegistry(t, fake.URL())
	const want = `{"bucket":"images","key":"album 7/my photo+1.jpg","album":"rome","taken":1561982400000,"position":{"lat":41.89,"lon":12.49}}`
	var all sync.WaitGroup
	for range 20 { // a thousand records at once ask for their schema once
		all.Go(func() {
			got, err := r.Value(t.Context(), consumer.Record{Value: framedWith(7, photo)})
			if err != nil || string(got) != want {
				t.Errorf("%s, %v\nwant %s", got, err, want)
			}
		})
	}
	all.Wait()
	if asked.Load() != 1 {
		t.Errorf("the registry was asked %d times", asked.Load())
	}
	if got, err := r.Value(t.Context(), consumer.Record{Value: framedWith(8, []byte(`{"key":"a"}`))}); err != nil || string(got) != `{"key":"a"}` {
		t.Errorf("JSON with a frame: %s, %v", got, err)
	}
	if got, err := r.Value(t.Context(), consumer.Record{Value: []byte(`{"key":"a"}`)}); err != nil || string(got) != `{"key":"a"}` {
		t.Errorf("JSON without a frame: %s, %v", got, err)
	}
}

func TestValuesWithoutAUsableSchemaAreDeadLetters(t *testing.T) {
	fake, photo, asked := seeded(t)
	r := newTestRegistry(t, fake.URL())
	for _, row := range []struct {
		name  string
		value []byte
		says  string
	}{
		{"nobody knows the schema", framedWith(99, photo), "value is of schema id 99, which the registry does not know"},
		{"Protobuf", framedWith(9, nil), "value is of schema id 9, which is PROTOBUF; Avro and JSON are read"},
		{"cut short", framedWith(7, photo[:9]), "value is not Avro of schema id 7"},
		{"too long", framedWith(7, append(photo[:len(photo):len(photo)], 0)), "1 bytes follow it"},
		{"empty", framedWith(7, nil), "value is not Avro of schema id 7"},
	} {
		if _, err := r.Value(t.Context(), consumer.Record{Value: row.value}); !errors.Is(err, ErrMap) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.name, err, row.says)
		}
	}
	before := asked.Load()
	for range 5 {
		if _, err := r.Value(t.Context(), consumer.Record{Value: framedWith(99, photo)}); !errors.Is(err, ErrMap) {
			t.Errorf("asked again: %v", err)
		}
	}
	if asked.Load() != before {
		t.Errorf("an unknown schema was asked for %d more times at once", asked.Load()-before)
	}
}

// A registry that is away says nothing about a record; what it answers later holds.
func TestARegistryThatIsAwayIsWaitedFor(t *testing.T) {
	fake, photo, _ := seeded(t)
	var sick atomic.Bool
	sick.Store(true)
	fake.Intercept(func(w http.ResponseWriter, _ *http.Request) bool {
		if sick.Load() {
			http.Error(w, `{"error_code":50001,"message":"store timeout"}`, http.StatusInternalServerError)
		}
		return sick.Load()
	})
	r := newTestRegistry(t, fake.URL())
	rec := consumer.Record{Value: framedWith(7, photo)}
	if _, err := r.Value(t.Context(), rec); !errors.Is(err, ErrRegistry) || errors.Is(err, ErrMap) {
		t.Errorf("while it is sick: %v", err)
	}
	sick.Store(false)
	if _, err := r.Value(t.Context(), rec); err != nil {
		t.Errorf("when it is well again: %v", err)
	}
	away := newTestRegistry(t, "http://127.0.0.1:1")
	if _, err := away.Value(t.Context(), rec); !errors.Is(err, ErrRegistry) {
		t.Errorf("nobody listens: %v", err)
	}
	proxy := httptest.NewServer(http.NotFoundHandler()) // a 404 that is not the registry's is no answer about a schema
	defer proxy.Close()
	if _, err := newTestRegistry(t, proxy.URL).Value(t.Context(), rec); !errors.Is(err, ErrRegistry) {
		t.Errorf("not a registry: %v", err)
	}
}

// The newer clients of Confluent put the schema's GUID into a header and leave the value without a frame.
func TestSchemasAreFoundByTheirGUID(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/schemas/guids/00010203-0405-0607-0809-0a0b0c0d0e0f" {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write([]byte(`{"schema":"{\"type\":\"record\",\"name\":\"P\",\"fields\":[{\"name\":\"key\",\"type\":\"string\"}]}"}`))
	}))
	defer server.Close()
	guid := []byte{1, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
	rec := consumer.Record{Value: []byte("\x0aa.jpg"), Headers: []consumer.Header{{Key: guidHeader, Value: guid}}}
	got, err := newTestRegistry(t, server.URL).Value(t.Context(), rec)
	if err != nil || string(got) != `{"key":"a.jpg"}` {
		t.Errorf("%s, %v", got, err)
	}
}
