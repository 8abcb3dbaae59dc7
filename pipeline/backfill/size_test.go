package backfill

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"planetag/consumer"
	"planetag/pipeline"
)

// TestMillion lists a bucket of a million objects, which are made when they are asked for: PLANETAG_BACKFILL_OBJECTS=1000000.
func TestMillion(t *testing.T) {
	photos := 5000
	if text := os.Getenv("PLANETAG_BACKFILL_OBJECTS"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatal(err)
		}
		photos = n
	}
	key := func(i int) string { return fmt.Sprintf("%03d/%05d/%07d.jpg", i/10000, i/50, i) }
	w := newWorld(t, key, photos)
	began := time.Now()
	report, err := Run(t.Context(), w.options())
	if err != nil || report.References != int64(photos) || report.Albums != int64(photos+49)/50 {
		t.Fatalf("%+v, %v", report, err)
	}
	took := time.Since(began)
	fmt.Printf("%d objects listed and referred to in %v, %.0f a second\n", photos, took.Round(time.Millisecond), float64(photos)/took.Seconds())
}

// nowhere takes what is written and keeps none of it.
type nowhere struct {
	cp   *checkpoint
	seen func(objects int64)
}

func (n nowhere) Write(context.Context, []consumer.Record) error {
	n.seen(n.cp.Counts.Objects)
	return nil
}

// TestMemoryDoesNotGrowWithTheArchive lists an archive that is nowhere, and looks at the heap at a third of it and at its end.
func TestMemoryDoesNotGrowWithTheArchive(t *testing.T) {
	const photos = 120_000
	c, err := Filter{}.compile(time.Now())
	if err != nil {
		t.Fatal(err)
	}
	l := &lister{bucket: "b", topic: "backfill", size: batch / 2, filter: c, known: newKnown("b/", "sha")}
	l.list = func(_ context.Context, _, _, _ string, each func(pipeline.Listed) error) error {
		for i := range photos {
			if err := each(pipeline.Listed{Key: fmt.Sprintf("%03d/%05d/%07d.jpg", i/10000, i/50, i), Size: 1}); err != nil {
				return err
			}
		}
		return nil
	}
	heap := func() int64 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	var early int64
	cp := &checkpoint{Shards: []shard{{}}}
	out := nowhere{cp, func(objects int64) {
		if early == 0 && objects >= photos/3 {
			early = heap()
		}
	}}
	w := &scribe{cp: cp, writer: out, left: 1, progress: func(Progress) {}}
	g, ctx := errgroup.WithContext(t.Context())
	pages := make(chan page)
	g.Go(func() error { return l.walk(ctx, 0, shard{}, pages) })
	g.Go(func() error { return w.run(ctx, pages) })
	if err := g.Wait(); err != nil || cp.Counts.References != photos {
		t.Fatalf("%+v, %v", cp.Counts, err)
	}
	if grown := heap() - early; early == 0 || grown > 4<<20 {
		t.Errorf("the heap grew by %d KiB over 80,000 objects", grown>>10)
	}
}
