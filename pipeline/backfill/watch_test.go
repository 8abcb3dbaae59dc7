package backfill

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/pipeline"
)

// TestEveryLookTellsWhatIsNew changes a bucket between looks. Every look is a process of its own.
func TestEveryLookTellsWhatIsNew(t *testing.T) {
	w := newWatched(t)
	look := func(deletions bool) Look {
		t.Helper()
		var found Look
		o := WatchOptions{Archive: "s3://pics", Config: w.cfg, Deletions: deletions, Log: quiet(), Looked: func(l Look) { found = l }}
		if err := Watch(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		return found
	}
	for _, row := range []struct {
		story     string
		change    func()
		deletions bool
		want      string
	}{
		{"everything is new", func() { w.put("a/1.jpg", "1", "a/2.jpg", "2", "a/notes.txt", "x") }, false, "[a/1.jpg a/2.jpg]"},
		{"nothing has changed", func() {}, false, "[]"},
		{"one more, and one is another", func() { w.put("a/3.jpg", "3", "a/1.jpg", "one") }, false, "[a/1.jpg a/3.jpg]"},
		{"one is gone, and nobody asked", func() { w.delete("a/2.jpg") }, false, "[]"},
		{"… until somebody does", func() {}, true, "[-pics/a/2.jpg]"},
		{"… and only once", func() {}, true, "[]"},
		{"it comes back", func() { w.put("a/2.jpg", "2") }, true, "[a/2.jpg]"},
		{"it opts out", func() {
			l := pipeline.Location{PhotoID: "pics/a/2.jpg", Status: pipeline.StatusOptedOut, Stage: pipeline.StagePhoto, Revision: 1, Time: time.Now()}
			rec, err := l.Record(w.cfg.Topics.Locations, nil)
			if err != nil {
				t.Fatal(err)
			}
			if err := w.client.Publish(t.Context(), []consumer.Record{rec}); err != nil {
				t.Fatal(err)
			}
			w.put("a/2.jpg", "edited")
		}, true, "[]"},
		{"an empty listing is not believed", func() { w.delete("a/1.jpg", "a/2.jpg", "a/3.jpg") }, true, "[]"},
		{"with one photo it is", func() { w.put("b/4.jpg", "4") }, true, "[-pics/a/1.jpg -pics/a/2.jpg -pics/a/3.jpg b/4.jpg]"},
	} {
		row.change()
		found := look(row.deletions)
		if got := fmt.Sprint(w.news()); got != row.want {
			t.Errorf("%s: %s, want %s", row.story, got, row.want)
		}
		if n := found.New + found.Gone; n != int64(strings.Count(row.want, "/")-strings.Count(row.want, "-")) {
			t.Errorf("%s: the look says %+v", row.story, found)
		}
	}
}

// TestAWatchThatIsKilledGoesOn ends a first look that only remembers in the middle, and loses the answer to a commit of the next one.
func TestAWatchThatIsKilledGoesOn(t *testing.T) {
	w := newWatched(t)
	const photos = 1200
	var pairs []string
	for i := range photos {
		pairs = append(pairs, fmt.Sprintf("a/%04d.jpg", i), "1")
	}
	w.put(pairs...)
	var ends atomic.Int32
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	w.broker.OnRequest(func(key int16) devbroker.Fault {
		if key == 26 && ends.Add(1) == 2 { // taking over, and the first commit of some
			cancel()
		}
		return devbroker.Fault{}
	})
	o := WatchOptions{Archive: "s3://pics", Config: w.cfg, SkipFirst: true, Log: quiet()}
	if err := Watch(ctx, o); err != nil && !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	var found Look
	o.Looked = func(l Look) { found = l }
	if err := Watch(t.Context(), o); err != nil || found.Skipped == 0 || found.Skipped == photos || found.New != 0 {
		t.Fatalf("the first look, gone on: %+v, %v", found, err)
	}
	if got := w.news(); len(got) != 0 {
		t.Fatalf("%d references to what was there before", len(got))
	}
	for i := range photos {
		pairs[2*i+1] = "2"
	}
	w.put(pairs...)
	ends.Store(0)
	w.broker.OnRequest(func(key int16) devbroker.Fault { return devbroker.Fault{LoseAnswer: key == 26 && ends.Add(1) == 2} })
	if err := Watch(t.Context(), o); err != nil || ends.Load() < 4 {
		t.Fatalf("%v after %d ends of transactions", err, ends.Load())
	}
	got := w.news()
	if n := len(got); n != photos || len(slices.Compact(got)) != photos {
		t.Errorf("%d references, %d different, want %d", n, len(slices.Compact(got)), photos)
	}
}

// TestAWatchWaitsForItsStore: a store that is away is asked again; what it has then is told.
func TestAWatchWaitsForItsStore(t *testing.T) {
	w := newWatched(t)
	w.put("a/1.jpg", "1")
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	enough := errors.New("enough")
	looks := 0
	o := WatchOptions{Archive: "s3://pics", Config: w.cfg, Every: 10 * time.Millisecond, Log: quiet(), Looked: func(l Look) {
		switch looks++; {
		case looks == 1:
			w.away.Store(true)
			time.AfterFunc(300*time.Millisecond, func() { w.away.Store(false) })
			if l.New != 1 {
				t.Errorf("%+v", l)
			}
		case looks == 2:
			w.put("a/2.jpg", "2")
		case l.New == 1:
			cancel(enough)
		}
	}}
	if err := Watch(ctx, o); !errors.Is(err, enough) {
		t.Errorf("%v, want its end", err)
	}
	if got := fmt.Sprint(w.news()); got != "[a/1.jpg a/2.jpg]" {
		t.Errorf("%s", got)
	}
}

// TestVersionsAreThoseOfNow: a reference names the version that the listing shows as the newest, and none of what was deleted.
func TestVersionsAreThoseOfNow(t *testing.T) {
	w := newWatched(t)
	w.put("a/1.jpg", "old", "a/2.jpg", "2", "a/3.jpg", "3")
	w.put("a/1.jpg", "new")
	w.delete("a/3.jpg")
	newest := map[string]string{}
	if err := w.store.ListVersions(t.Context(), "pics", "a/", "", func(o pipeline.Listed) error {
		newest[o.Key] = o.VersionID
		return nil
	}); err != nil || len(newest) != 2 || newest["a/1.jpg"] == "" {
		t.Fatalf("%v, %v", newest, err)
	}
	o := w.options()
	o.Archive, o.Filter.Versions = "s3://pics", true
	o.Config.Bundle.Path = tinyBundle
	if report, err := Run(t.Context(), o); err != nil || report.References != 2 {
		t.Fatalf("%+v, %v", report, err)
	}
	_, err := w.client.Read(t.Context(), w.cfg.Topics.Backfill, nil, func(r consumer.Record) error {
		in, err := pipeline.ParseReference(r, "")
		if ref := in.Reference; err != nil || in.Kind == pipeline.PhotoInput && (ref.VersionID != newest[ref.Key] || ref.VersionID == "") {
			t.Errorf("%s: %v", r.Value, err)
			return nil
		}
		if in.Kind == pipeline.PhotoInput && in.Reference.Key == "a/1.jpg" {
			object, err := w.store.Get(t.Context(), in.Reference, func(int64) {})
			if err != nil || string(object.Data) != "new" {
				t.Errorf("its bytes are %q, %v", object.Data, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
