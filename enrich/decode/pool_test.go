package decode

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
)

// counted is an Observer that counts.
type counted struct {
	sync.Mutex
	started, unconfined, crashed, slow int
}

func (c *counted) ChildStarted(confined bool) {
	c.Lock()
	defer c.Unlock()
	c.started++
	if !confined {
		c.unconfined++
	}
}

func (c *counted) ChildCrashed(error) { c.Lock(); defer c.Unlock(); c.crashed++ }
func (c *counted) ChildTooSlow(error) { c.Lock(); defer c.Unlock(); c.slow++ }

var testGeometry = Geometry{64, 0.875}

// newPool is a pool that must leave nothing behind when the test ends.
func newPool(t testing.TB, o PoolOptions) (*Pool, *counted) {
	t.Helper()
	files, ignore, seen := openFiles(t), goleak.IgnoreCurrent(), &counted{}
	o.Observer = seen
	p, err := NewPool(DefaultLimits(), testGeometry, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if _, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); !errors.Is(err, unix.ECHILD) {
			t.Errorf("a process is left: %v", err)
		}
		now := openFiles(t)
		for begun := time.Now(); now != files && time.Since(begun) < 5*time.Second; now = openFiles(t) {
			time.Sleep(10 * time.Millisecond) // a leak stays; what is just being closed does not
		}
		if now != files {
			t.Errorf("%d files are open, there were %d", now, files)
		}
		goleak.VerifyNone(t, ignore)
	})
	return p, seen
}

// openFiles leaves out what the runtime opens once, with the first file it waits for.
func openFiles(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(slices.DeleteFunc(entries, func(e os.DirEntry) bool {
		target, _ := os.Readlink("/proc/self/fd/" + e.Name()) // it may be closed by now
		return target == "anon_inode:[eventpoll]" || target == "anon_inode:[eventfd]"
	}))
}

func (p *Pool) see(ctx context.Context, data []byte) (Photo, []byte, error) {
	dst := make([]byte, testGeometry.Bytes())
	photo, err := p.Photo(ctx, data, testGeometry, dst)
	return photo, dst, err
}

// works fails the test unless the pool decodes a good photo.
func (p *Pool) works(t testing.TB) {
	t.Helper()
	if _, _, err := p.see(context.Background(), fixture(t, "photo.jpg")); err != nil {
		t.Fatalf("a good photo: %v", err)
	}
}

// A process decodes, reads and refuses exactly as this one does.
func TestPoolAgreesWithDecoder(t *testing.T) {
	d := newDecoder(t)
	p, seen := newPool(t, PoolOptions{Processes: 1})
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	photos := map[string][]byte{"nothing": nil, "text": []byte("Dear diary"), "with exif": jpegWith(t, exifOf(rome()))}
	for _, e := range entries {
		if !e.IsDir() {
			photos[e.Name()] = fixture(t, e.Name())
			photos["half of "+e.Name()] = half(fixture(t, e.Name()))
		}
	}
	for name, data := range photos {
		want := make([]byte, testGeometry.Bytes())
		photo, wantErr := d.Photo(t.Context(), data, testGeometry, want)
		got, pixels, gotErr := p.see(t.Context(), data)
		if diff := cmp.Diff(view(photo, wantErr), view(got, gotErr)); diff != "" {
			t.Errorf("%s:\n%s", name, diff)
		}
		if wantErr == nil && !bytes.Equal(pixels, want) {
			t.Errorf("%s: other pixels", name)
		}
	}
	if seen.started != 1 || seen.crashed+seen.slow+seen.unconfined != 0 {
		t.Errorf("%+v", seen)
	}
}

// seenPhoto is everything about a photo that can be compared.
type seenPhoto struct {
	Info                Info
	Exif                Exif
	Taken, ExifErr, Err string
	ErrKind, ExifKind   uint8
}

func view(p Photo, err error) seenPhoto {
	v := seenPhoto{Info: p.Info, Exif: p.Exif, Taken: p.Exif.TakenAt.Format(time.RFC3339), ErrKind: verdictOf(err), ExifKind: verdictOf(p.ExifErr)}
	v.Exif.TakenAt, v.Err, v.ExifErr = time.Time{}, textOf(err), textOf(p.ExifErr)
	return v
}

// What kills, stalls or takes over a process costs that photo, is said, and the
// next photo is decoded.
func TestPoolOutlivesBadPhotos(t *testing.T) {
	for _, row := range []struct {
		order         string
		want          error
		words         string
		crashed, slow int
	}{
		{"exit", ErrCrashed, "exit status 3: I was told to go", 2, 0},
		{"segfault", ErrCrashed, "exit status 2: SIGSEGV: segmentation violation", 2, 0},
		{"hoard", ErrCrashed, "needs more than 64 MiB of memory", 2, 0},
		{"be refused memory", ErrCrashed, "needs more than 64 MiB of memory", 2, 0},
		{"babble", ErrCrashed, "its reply is to photo", 2, 0},
		{"answer another", ErrCrashed, "its reply is to photo 1099511627776, not 1", 2, 0},
		{"hang", ErrTooSlow, "not decoded within 1s of processor time, or hung for as long", 0, 1},
		{"spin", ErrTooSlow, "not decoded within 1s of processor time, or hung for as long", 0, 1},
	} {
		t.Run(row.order, func(t *testing.T) {
			p, seen := newPool(t, PoolOptions{Processes: 1, Deadline: time.Second, Memory: 64 << 20})
			_, _, err := p.see(t.Context(), order(row.order))
			if !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.words) {
				t.Errorf("error %q, want %v with %q", err, row.want, row.words)
			}
			t.Log(err)
			p.works(t)
			if seen.crashed != row.crashed || seen.slow != row.slow || seen.started != row.crashed+row.slow+1 {
				t.Errorf("counted %+v", seen)
			}
		})
	}
}
