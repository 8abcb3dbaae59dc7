package pipeline

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"planetag/deploy/secrets"
	"planetag/pipeline/devstore"
)

const testKey = "album 7/my photo+1 é&?#%41.jpg"

// testStore is a store with one object in the bucket images, in front of a devstore that fails as the hook likes.
func testStore(t testing.TB, content []byte, hook func(w http.ResponseWriter, r *http.Request) bool, change func(*S3Config)) *Store {
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
	c.Endpoint, c.AccessKey, c.SecretKey, c.Bucket, c.GoneGrace = server.URL(), "key", Secret(secrets.Of("s3")), "images", 0
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

func randomBytes(t testing.TB, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

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
		{
			"no answer at all runs into the time limit", failing(1, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }),
			func(c *S3Config) { c.Timeout = Duration(200 * time.Millisecond) },
		},
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
		{"one object is locked, and no other was read yet", named, failing(always, s3Error(403, "AccessDenied")), nil, ErrStorageDenied},
		{"nothing in the configured bucket may be read", named, func(w http.ResponseWriter, r *http.Request) bool {
			s3Error(403, "AccessDenied")(w, r)
			return true
		}, nil, ErrStorageConfig},
		{"a stranger's bucket may not be read", elsewhere, failing(always, s3Error(403, "AccessDenied")), nil, ErrObjectDenied},
		{"an object in an archive", named, failing(always, s3Error(403, "InvalidObjectState")), nil, ErrObjectDenied},
		{"a name that no bucket can have", Reference{Bucket: "a_b/c", Key: "x"}, nil, nil, ErrReference},
		{"the store stays down", named, failing(always, s3Error(503, "SlowDown")), nil, ErrStorage},
		{"an error in place of every body", Reference{Bucket: "images", Key: testKey, ETag: "0123"}, failing(always, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
			s3Error(200, "InternalError")(w, r)
		}), nil, ErrStorage},
		{"every body is cut off", named, failing(always, cutOff(5000)), nil, ErrStorage},
		{"a name that nobody knows", named, nil, func(c *S3Config) { c.Endpoint = "http://store.invalid:9000" }, ErrStorage},
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
