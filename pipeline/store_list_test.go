package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
)

// filled puts n more objects under list/ into the store's bucket.
func filled(t *testing.T, s *Store, n int) {
	t.Helper()
	for i := range n {
		if err := s.Put(t.Context(), "images", fmt.Sprintf("list/%04d.jpg", i), []byte{1}); err != nil {
			t.Fatal(err)
		}
	}
}

func listedKeys(t *testing.T, s *Store, prefix, after string) []string {
	t.Helper()
	var keys []string
	err := s.List(t.Context(), "images", prefix, after, func(o Listed) error {
		keys = append(keys, o.Key)
		if o.ETag == "" || strings.Contains(o.ETag, `"`) || o.Modified.IsZero() || o.Size < 1 {
			t.Errorf("%+v", o)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestListIsInOrderAndGoesOnWhereItWas(t *testing.T) {
	s := testStore(t, []byte("photo"), nil, nil)
	filled(t, s, 1200)
	all := listedKeys(t, s, "list/", "")
	if len(all) != 1200 || all[0] != "list/0000.jpg" || all[1199] != "list/1199.jpg" {
		t.Errorf("%d keys", len(all))
	}
	if rest := listedKeys(t, s, "list/", "list/1149.jpg"); len(rest) != 50 || rest[0] != "list/1150.jpg" {
		t.Errorf("behind 1149: %d keys", len(rest))
	}
	if none := listedKeys(t, s, "nothing/", ""); len(none) != 0 {
		t.Errorf("under no prefix of any: %v", none)
	}
	enough := errors.New("enough")
	n := 0
	err := s.List(t.Context(), "images", "list/", "", func(Listed) error {
		if n++; n == 3 {
			return enough
		}
		return nil
	})
	if !errors.Is(err, enough) || n != 3 {
		t.Errorf("the caller's own end: %v after %d", err, n)
	}
}

func TestListGetsOverTrouble(t *testing.T) {
	var pages, broken atomic.Int64
	s := testStore(t, []byte("photo"), func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodGet || r.URL.Query().Get("list-type") == "" {
			return false
		}
		if pages.Add(1)%2 == 0 { // every second page fails once
			broken.Add(1)
			w.WriteHeader(http.StatusInternalServerError)
			return true
		}
		return false
	}, nil)
	filled(t, s, 2100)
	if keys := listedKeys(t, s, "list/", ""); len(keys) != 2100 || broken.Load() == 0 {
		t.Errorf("%d keys in spite of %d broken pages", len(keys), broken.Load())
	}
}

func TestListSaysWhatIsWrong(t *testing.T) {
	s := testStore(t, []byte("photo"), nil, nil)
	err := s.List(t.Context(), "no-such-bucket", "", "", func(Listed) error { return nil })
	if err == nil || !strings.Contains(err.Error(), "no-such-bucket") {
		t.Errorf("no bucket: %v", err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	gone := errors.New("gone home")
	err = s.List(ctx, "images", "", "", func(Listed) error {
		cancel(gone)
		return nil
	})
	if err != nil && !errors.Is(err, gone) {
		t.Errorf("an ended context: %v", err)
	}
}

func TestPartReadsRanges(t *testing.T) {
	content := randomBytes(t, 200_000)
	var ignore atomic.Bool
	s := testStore(t, content, func(_ http.ResponseWriter, r *http.Request) bool {
		if ignore.Load() {
			r.Header.Del("Range")
		}
		return false
	}, nil)
	var listed Listed
	if err := s.List(t.Context(), "images", "album 7/", "", func(o Listed) error { listed = o; return nil }); err != nil {
		t.Fatal(err)
	}
	for _, ignored := range []bool{false, true} {
		ignore.Store(ignored)
		p := s.Part(t.Context(), "images", listed)
		for _, row := range []struct{ off, n int }{{0, 10}, {199_990, 10}, {70_000, 65_536}, {0, 200_000}} {
			got := make([]byte, row.n)
			if n, err := p.ReadAt(got, int64(row.off)); n != row.n || err != nil || !bytes.Equal(got, content[row.off:row.off+row.n]) {
				t.Errorf("ranges ignored %v: %d bytes from %d: %d, %v", ignored, row.n, row.off, n, err)
			}
		}
		if n, err := p.ReadAt(make([]byte, 100), 199_950); n != 50 || !errors.Is(err, io.EOF) {
			t.Errorf("over the end: %d, %v", n, err)
		}
		if n, err := p.ReadAt(make([]byte, 1), 200_000); n != 0 || !errors.Is(err, io.EOF) {
			t.Errorf("behind the end: %d, %v", n, err)
		}
		if p.Requests != 5 || p.Bytes != 10+10+65_536+200_000+50 {
			t.Errorf("%d requests, %d bytes", p.Requests, p.Bytes)
		}
	}
	ignore.Store(false)
	if err := s.Put(t.Context(), "images", testKey, randomBytes(t, 200_000)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Part(t.Context(), "images", listed).ReadAt(make([]byte, 10), 0); !errors.Is(err, ErrObjectChanged) {
		t.Errorf("written again since it was listed: %v", err)
	}
}

// A listing that is told to stop must not look like one that is complete.
func TestAListingThatIsToldToStopIsNotComplete(t *testing.T) {
	s := testStore(t, []byte("photo"), nil, nil)
	filled(t, s, 3)
	stop := errors.New("stop")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(stop)
	if err := s.List(ctx, "images", "list/", "", func(Listed) error { return nil }); !errors.Is(err, stop) {
		t.Errorf("%v, want the reason", err)
	}
}

func TestDirectoriesOfOneLevel(t *testing.T) {
	s := testStore(t, []byte("photo"), nil, nil)
	for _, key := range []string{"d/1.jpg", "d/a/1.jpg", "d/a/b/2.jpg", "d/c/3.jpg", "d/x.jpg", "da/4.jpg"} {
		if err := s.Put(t.Context(), "images", key, []byte{1}); err != nil {
			t.Fatal(err)
		}
	}
	dirs, objects, err := s.Directories(t.Context(), "images", "d/", 100)
	if err != nil || fmt.Sprint(dirs) != "[d/a/ d/c/]" || objects != 2 {
		t.Errorf("%v and %d objects, %v", dirs, objects, err)
	}
	if dirs, objects, err = s.Directories(t.Context(), "images", "d/", 2); err != nil || len(dirs)+objects != 2 {
		t.Errorf("at most two: %v and %d objects, %v", dirs, objects, err)
	}
}
