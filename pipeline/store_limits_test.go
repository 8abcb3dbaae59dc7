package pipeline

import (
	"context"
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
)

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
	var sent atomic.Int64
	s := testStore(t, nil, failing(always, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Last-Modified", "Mon, 02 Jan 2006 15:04:05 GMT")
		for chunk := make([]byte, 1<<16); sent.Load() < 1<<28; {
			n, err := w.Write(chunk)
			if sent.Add(int64(n)); err != nil {
				return
			}
		}
	}), nil)
	if _, err := s.Get(t.Context(), Reference{Bucket: "images", Key: testKey}, nil); !errors.Is(err, ErrObjectTooBig) {
		t.Fatalf("error is %v, want ErrObjectTooBig", err)
	}
	if n := sent.Load(); n > 32<<20 { // what lies in the buffers of two sockets was sent, too
		t.Errorf("%s were sent before it was refused at 1MiB", Bytes(n))
	}
}

func TestStoreSaysHowLongItWaited(t *testing.T) {
	s := testStore(t, nil, failing(always, drip), func(c *S3Config) { c.Timeout = Duration(50 * time.Millisecond) })
	_, err := s.Get(t.Context(), Reference{Bucket: "images", Key: testKey}, nil)
	if !errors.Is(err, ErrStorage) || !strings.HasSuffix(err.Error(), "less than 4KiB a second for 50ms (s3.min_rate, s3.timeout)") {
		t.Errorf("error is %v", err)
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
	c.Endpoint, c.Anonymous, c.MaxParallel = front.URL, true, parallel
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
	// A read that waits for a new connection takes one that gets free meanwhile, and the new one comes all the same; so
	// there may be a few more. Without connections that are kept there would be one for nearly every read.
	if n := connections.Load(); n > 3*parallel {
		t.Errorf("%d connections for %d reads, %d at a time", n, 4*parallel*5, parallel)
	}
}
