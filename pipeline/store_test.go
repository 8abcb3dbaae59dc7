package pipeline

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"planetag/pipeline/devstore"
)

const testKey = "album 7/my photo+1 é&?#%41.jpg"

// testStore is a store with one object in the bucket images, in front of a devstore that fails as the hook likes.
func testStore(t *testing.T, content []byte, hook func(w http.ResponseWriter, r *http.Request) bool, change func(*S3Config)) *Store {
	t.Helper()
	var armed atomic.Bool
	server, err := devstore.Start(devstore.Options{
		Buckets: []string{"images"}, Versioned: true, AccessKey: "key",
		Hook: func(w http.ResponseWriter, r *http.Request) bool { return armed.Load() && hook != nil && hook(w, r) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	c := DefaultConfig().S3
	c.Endpoint, c.AccessKey, c.SecretKey, c.Bucket, c.GoneGrace = server.URL(), "key", "secret", "images", 0
	seed, err := NewStore(c, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if err := seed.Put(t.Context(), "images", testKey, content); err != nil {
		t.Fatal(err)
	}
	if change != nil {
		change(&c)
	}
	armed.Store(true)
	s, err := NewStore(c, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func randomBytes(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

// failing answers the first n GETs of an object with f, and leaves the rest to the store.
func failing(n int64, f http.HandlerFunc) func(http.ResponseWriter, *http.Request) bool {
	var seen atomic.Int64
	return func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || seen.Add(1) > n {
			return false
		}
		f(w, r)
		return true
	}
}

// s3Error answers as S3 does when it fails.
func s3Error(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>because.</Message></Error>")
	}
}

// cutOff promises n bytes, sends half of them and drops the connection.
func cutOff(n int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(n))
		w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		_, _ = w.Write(make([]byte, n/2))
		panic(http.ErrAbortHandler)
	}
}

// drip sends a body at a few bytes a second until the client has enough of it.
func drip(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Length", "5000")
	w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
	for r.Context().Err() == nil {
		_, _ = w.Write([]byte{'.'})
		_ = http.NewResponseController(w).Flush()
		time.Sleep(20 * time.Millisecond)
	}
}

// always is more often than any caller tries.
const always = 1 << 40

func TestStoreReadsAWorldThatHeals(t *testing.T) {
	content := randomBytes(t, 5000)
	for _, row := range []struct {
		name   string
		hook   func(http.ResponseWriter, *http.Request) bool
		change func(*S3Config)
	}{
		{"nothing is wrong", nil, nil},
		{"the store asks to slow down, twice", failing(2, s3Error(503, "SlowDown")), nil},
		{"the gateway is down for three requests", failing(3, s3Error(502, "")), nil},
		{"the body is cut off in the middle", failing(2, cutOff(5000)), nil},
		{"the connection is dropped before the answer", failing(1, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }), nil},
		{"a body that drips runs into the time limit", failing(1, drip), func(c *S3Config) { c.Timeout = Duration(200 * time.Millisecond) }},
		{"no answer at all runs into the time limit", failing(1, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
			func(c *S3Config) { c.Timeout = Duration(200 * time.Millisecond) }},
		{"the object can be read a moment after its event", failing(2, s3Error(404, "NoSuchKey")), func(c *S3Config) { c.GoneGrace = Duration(5 * time.Second) }},
		{"a proxy sends chunks without a length", failing(1, func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
			_, _ = w.Write(content[:2500])
			_ = http.NewResponseController(w).Flush()
			_, _ = w.Write(content[2500:])
		}), nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := testStore(t, content, row.hook, row.change)
			var told []int64
			object, err := s.Get(t.Context(), Reference{Bucket: "images", Key: testKey}, func(n int64) { told = append(told, n) })
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(object.Data, content) || object.Size != 5000 {
				t.Errorf("read %d bytes (Size %d), not the 5000 that were put", len(object.Data), object.Size)
			}
			if len(told) != 1 || told[0] != 5000 && told[0] != 1<<20 {
				t.Errorf("sized was told %v, want the size once", told)
			}
		})
	}
}

func TestStoreNamesWhatWillNotHeal(t *testing.T) {
	named := Reference{Bucket: "images", Key: testKey}
	elsewhere := Reference{Bucket: "elsewhere", Key: "a.jpg"}
	for _, row := range []struct {
		name string
		ref  Reference
		hook func(http.ResponseWriter, *http.Request) bool
		with func(*S3Config)
		want error
	}{
		{"an object that never was", Reference{Bucket: "images", Key: "nothing.jpg"}, nil, nil, ErrObjectGone},
		{"a version that never was", Reference{Bucket: "images", Key: testKey, VersionID: "3HL4kqtJlcpXroDTDmjVBH40Nrjfkd"}, nil, nil, ErrObjectGone},
		{"a version id that cannot be one", Reference{Bucket: "images", Key: testKey, VersionID: "?"}, failing(always, s3Error(400, "InvalidArgument")), nil, ErrObjectGone},
		{"a delete marker", Reference{Bucket: "images", Key: testKey, VersionID: "v"}, failing(always, s3Error(405, "MethodNotAllowed")), nil, ErrObjectGone},
		{"the object was overwritten since its event", Reference{Bucket: "images", Key: testKey, ETag: "0123"}, nil, nil, ErrObjectChanged},
		{"… and the store does not know If-Match", Reference{Bucket: "images", Key: testKey, ETag: "0123"}, func(_ http.ResponseWriter, r *http.Request) bool {
			r.Header.Del("If-Match")
			return false
		}, nil, ErrObjectChanged},
		{"a bucket that only the reference names", elsewhere, nil, nil, ErrObjectGone},
		{"the configured bucket is not there", elsewhere, nil, func(c *S3Config) { c.Bucket = "elsewhere" }, ErrStorageConfig},
		{"no such key pair", named, nil, func(c *S3Config) { c.AccessKey = "stranger" }, ErrStorageConfig},
		{"a signature that does not fit", named, failing(always, s3Error(403, "SignatureDoesNotMatch")), nil, ErrStorageConfig},
		{"one object is locked, its bucket is not", named, failing(always, s3Error(403, "AccessDenied")), nil, ErrObjectDenied},
		{"nothing in the configured bucket may be read", named, func(w http.ResponseWriter, r *http.Request) bool {
			s3Error(403, "AccessDenied")(w, r)
			return true
		}, nil, ErrStorageConfig},
		{"a stranger's bucket may not be read", elsewhere, failing(always, s3Error(403, "AccessDenied")), nil, ErrObjectDenied},
		{"an object in an archive", named, failing(always, s3Error(403, "InvalidObjectState")), nil, ErrObjectDenied},
		{"a name that no bucket can have", Reference{Bucket: "a_b/c", Key: "x"}, nil, nil, ErrReference},
		{"the store stays down", named, failing(always, s3Error(503, "SlowDown")), nil, ErrStorage},
		{"every body is cut off", named, failing(always, cutOff(5000)), nil, ErrStorage},
		{"nobody listens", named, nil, func(c *S3Config) { c.Endpoint = "http://127.0.0.1:1" }, ErrStorage},
		{"https is spoken to a store that does not", named, nil, func(c *S3Config) { c.Endpoint = "https" + strings.TrimPrefix(c.Endpoint, "http") }, ErrStorageConfig},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := testStore(t, randomBytes(t, 5000), row.hook, row.with)
			_, err := s.Get(t.Context(), row.ref, nil)
			if !errors.Is(err, row.want) {
				t.Fatalf("error is %v, want %v", err, row.want)
			}
			if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v holds a context error, which the caller would take for its own end", err)
			}
		})
	}
}

func TestStoreRefusesABigObjectBeforeItsBody(t *testing.T) {
	read := make(chan int, 1)
	s := testStore(t, nil, failing(1, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(1<<30))
		w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done() // the client leaves without having read
		read <- 0
	}), nil)
	_, err := s.Get(t.Context(), Reference{Bucket: "images", Key: testKey}, func(int64) { t.Error("the budget was charged for it") })
	if !errors.Is(err, ErrObjectTooBig) || !strings.Contains(err.Error(), "1GiB") {
		t.Fatalf("error is %v, want ErrObjectTooBig with the size", err)
	}
	select {
	case <-read:
	case <-time.After(5 * time.Second):
		t.Error("the connection to the big object was kept")
	}
}

func TestStoreBoundsABodyOfUnknownLength(t *testing.T) {
	s := testStore(t, nil, failing(always, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		for chunk := make([]byte, 1<<16); r.Context().Err() == nil; {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	}), nil)
	if _, err := s.Get(t.Context(), Reference{Bucket: "images", Key: testKey}, nil); !errors.Is(err, ErrObjectTooBig) {
		t.Fatalf("error is %v, want ErrObjectTooBig", err)
	}
}

func TestStoreReadsTheVersionOfTheReference(t *testing.T) {
	s := testStore(t, []byte("first"), nil, nil)
	first, err := s.Get(t.Context(), Reference{Bucket: "images", Key: testKey}, nil)
	if err != nil || first.VersionID == "" {
		t.Fatalf("read version %q: %v", first.VersionID, err)
	}
	if err := s.Put(t.Context(), "images", testKey, []byte("second")); err != nil {
		t.Fatal(err)
	}
	again, err := s.Get(t.Context(), Reference{Bucket: "images", Key: testKey, VersionID: first.VersionID, ETag: first.ETag}, nil)
	if err != nil || string(again.Data) != "first" {
		t.Errorf("version %s holds %q, %v; want the first content", first.VersionID, again.Data, err)
	}
	latest, err := s.Get(t.Context(), Reference{Bucket: "images", Key: testKey}, nil)
	if err != nil || string(latest.Data) != "second" || latest.ETag == first.ETag {
		t.Errorf("the latest version holds %q with etag %s, %v", latest.Data, latest.ETag, err)
	}
}

func TestStoreGivesGoneObjectsTheirGrace(t *testing.T) {
	var requests atomic.Int64
	s := testStore(t, nil, func(w http.ResponseWriter, r *http.Request) bool {
		requests.Add(1)
		s3Error(404, "NoSuchKey")(w, r)
		return true
	}, func(c *S3Config) { c.GoneGrace = Duration(400 * time.Millisecond) })
	started := time.Now()
	_, err := s.Get(t.Context(), Reference{Bucket: "images", Key: testKey}, nil)
	if took := time.Since(started); !errors.Is(err, ErrObjectGone) || took < 250*time.Millisecond || took > 3*time.Second {
		t.Errorf("gave up after %s with %v, want ErrObjectGone at the end of the grace of 400ms", took, err)
	}
	if n := requests.Load(); n != 3 { // at 0, 100 and 300 ms
		t.Errorf("%d requests, want 3", n)
	}
}

func TestStoreEndsWithItsCaller(t *testing.T) {
	because := errors.New("the partition was taken away")
	ctx, cancel := context.WithCancelCause(t.Context())
	s := testStore(t, nil, failing(always, func(_ http.ResponseWriter, r *http.Request) {
		cancel(because)
		<-r.Context().Done()
	}), nil)
	if _, err := s.Get(ctx, Reference{Bucket: "images", Key: testKey}, nil); !errors.Is(err, because) || errors.Is(err, ErrStorage) {
		t.Errorf("error is %v, want the reason of the end", err)
	}
}

func TestStorePing(t *testing.T) {
	s := testStore(t, nil, nil, nil)
	for bucket, want := range map[string]error{"images": nil, "": nil, "elsewhere": ErrObjectGone} {
		if err := s.Ping(t.Context(), bucket); !errors.Is(err, want) {
			t.Errorf("ping %q: %v, want %v", bucket, err, want)
		}
	}
	for range 2 {
		if err := s.MakeBucket(t.Context(), "elsewhere"); err != nil {
			t.Errorf("make a bucket, and once more: %v", err)
		}
	}
	if err := s.Ping(t.Context(), "elsewhere"); err != nil {
		t.Error(err)
	}
	stranger := testStore(t, nil, nil, func(c *S3Config) { c.AccessKey = "stranger" })
	if err := stranger.Ping(t.Context(), ""); !errors.Is(err, ErrStorageConfig) {
		t.Errorf("ping with a wrong key: %v, want ErrStorageConfig", err)
	}
}

func TestStoreKeepsItsConnections(t *testing.T) {
	const parallel = 8
	var connections atomic.Int64
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		_, _ = io.WriteString(w, "x")
	}))
	front.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	front.Start()
	defer front.Close()
	c := DefaultConfig().S3
	c.Endpoint, c.Anonymous, c.Parallel = front.URL, true, parallel
	s, err := NewStore(c, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	for range 4 * parallel {
		go func() {
			var err error
			for range 5 {
				_, e := s.Get(context.Background(), Reference{Bucket: "images", Key: "k"}, nil)
				err = errors.Join(err, e)
			}
			done <- err
		}()
	}
	for range 4 * parallel {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if n := connections.Load(); n > parallel {
		t.Errorf("%d connections for %d parallel reads", n, parallel)
	}
}
