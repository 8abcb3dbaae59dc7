package backfill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/enrich/bundle"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

const tinyBundle = "../../enrich/testdata/tiny"

// world is a broker and a bucket whose objects are made when they are asked for.
type world struct {
	t      *testing.T
	client *consumer.Client
	cfg    pipeline.Config
}

func newWorld(t *testing.T, key func(int) string, count int) *world {
	t.Helper()
	broker, err := devbroker.Start(devbroker.Options{MinSession: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	bucket := devstore.Made{Bucket: "made", Count: count, Key: key, Object: func(i int) []byte { return strconv.AppendInt(nil, int64(i), 10) }}
	store, err := devstore.Start(devstore.Options{Buckets: []string{"made"}, Hook: bucket.Answer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	w := &world{t: t, cfg: pipeline.DefaultConfig()}
	w.cfg.Kafka.Brokers, w.cfg.Topics.Partitions = []string{broker.Addr()}, 3
	w.cfg.S3.Endpoint, w.cfg.S3.AccessKey, w.cfg.S3.SecretKey = store.URL(), devstore.AccessKey, devstore.SecretKey
	w.cfg.Bundle.Path = tinyBundle
	if w.client, err = pipeline.Connect(t.Context(), w.cfg, quiet(), nil); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	return w
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// nested is an archive with albums in albums, and photos beside them.
func nested(i int) string { return fmt.Sprintf("%02d/%02d/%06d.jpg", i/400, i%400/40, i) }

func (w *world) options() Options {
	return Options{Archive: "s3://made", Config: w.cfg, Parallel: 4, Log: quiet()}
}

// written is everything on the backfill topic that a reader of committed records sees.
func (w *world) written() outcome {
	w.t.Helper()
	var records []consumer.Record
	if _, err := w.client.Read(w.t.Context(), w.cfg.Topics.Backfill, nil, func(r consumer.Record) error {
		r.Value = slices.Clone(r.Value)
		records = append(records, r)
		return nil
	}); err != nil {
		w.t.Fatal(err)
	}
	return read(records)
}

// wantOnce wants each of the objects below count once, and nothing else.
func (w *world) wantOnce(key func(int) string, count int) {
	w.t.Helper()
	got := w.written()
	albums := map[string]int{}
	for i := range count {
		if got.photos[key(i)] != 1 {
			w.t.Fatalf("%s is there %d times", key(i), got.photos[key(i)])
		}
		albums[pipeline.AlbumOf(key(i))]++
	}
	if len(got.photos) != count || len(got.wrong) > 0 || fmt.Sprint(got.ended) != fmt.Sprint(albums) {
		w.t.Fatalf("%d photos, want %d; wrong: %v; albums %v, want %v", len(got.photos), count, got.wrong, got.ended, albums)
	}
}

// A backfill that is ended again and again writes every reference once, and says what it did.
func TestABackfillGoesOnWhereItWas(t *testing.T) {
	const photos = 6000
	w := newWorld(t, nested, photos)
	for _, after := range []int{1, 1, 2, 1} {
		ctx, cancel := context.WithCancelCause(t.Context())
		o := w.options()
		o.Progress = func(Progress) {
			if after--; after <= 0 {
				cancel(ErrTimeUp)
			}
		}
		_, err := Run(ctx, o)
		cancel(nil)
		if err != nil && !errors.Is(err, ErrTimeUp) {
			t.Fatal(err)
		}
	}
	report, err := Run(t.Context(), w.options())
	if err != nil || !report.Finished || report.References != photos || report.Albums != photos/40 || report.Objects != photos {
		t.Fatalf("%+v, %v", report, err)
	}
	w.wantOnce(nested, photos)
	if report, err = Run(t.Context(), w.options()); err != nil || !report.Already || report.References != photos {
		t.Fatalf("once more: %+v, %v", report, err)
	}
	w.wantOnce(nested, photos)
}

// A lister that is frozen while another one takes over writes nothing when it wakes.
func TestALaterListerTakesOver(t *testing.T) {
	const photos = 4000
	w := newWorld(t, nested, photos)
	frozen, taken := make(chan struct{}), make(chan struct{})
	o, first := w.options(), true
	o.Progress = func(Progress) {
		if first {
			first = false
			close(frozen)
			<-taken
		}
	}
	ended := make(chan error, 1)
	go func() {
		_, err := Run(t.Context(), o)
		ended <- err
	}()
	<-frozen
	report, err := Run(t.Context(), w.options())
	close(taken)
	if err != nil || !report.Resumed || report.References != photos {
		t.Errorf("%+v, %v", report, err)
	}
	if err := <-ended; !errors.Is(err, ErrOvertaken) {
		t.Errorf("the frozen one: %v, want ErrOvertaken", err)
	}
	w.wantOnce(nested, photos)
}

func TestAnUnfinishedBackfillKeepsItsFilter(t *testing.T) {
	const photos = 6000
	w := newWorld(t, nested, photos)
	ctx, cancel := context.WithCancelCause(t.Context())
	o := w.options()
	o.Filter.Newer, o.Progress = "2023-01-01", func(Progress) { cancel(ErrTimeUp) }
	if _, err := Run(ctx, o); !errors.Is(err, ErrTimeUp) {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), w.options()); !errors.Is(err, ErrUnfinished) || !strings.Contains(err.Error(), "2023-01-01") {
		t.Fatalf("another filter: %v, want ErrUnfinished", err)
	}
	o = w.options()
	o.Restart, o.Filter.Exclude = true, []string{"*.jpg"}
	if report, err := Run(t.Context(), o); err != nil || report.References != 0 || report.Skipped["excluded"] != photos {
		t.Errorf("given up and begun anew: %+v, %v", report, err)
	}
}

// What was located by the same bundle is left out, unless it is to be done again; who opted out, always.
func TestWhatIsLocatedIsLeftOut(t *testing.T) {
	w := newWorld(t, nested, 100)
	dry := w.options()
	dry.DryRun = true
	if report, err := Run(t.Context(), dry); err != nil || report.References != 100 || report.Estimate.PhotosPerSecond != 0 {
		t.Errorf("a dry run before any worker: %+v, %v", report, err)
	}
	if there, err := w.client.Exists(t.Context(), w.cfg.Topics.Backfill); there || err != nil {
		t.Errorf("the dry run made a topic: %v", err)
	}
	if _, err := Run(t.Context(), w.options()); err != nil {
		t.Fatal(err)
	}
	tiny, err := bundle.Read(w.cfg.Bundle.Path)
	if err != nil {
		t.Fatal(err)
	}
	var answers []consumer.Record
	for i := range 30 {
		l := pipeline.Location{PhotoID: "made/" + nested(i), Status: pipeline.StatusAbstained, Stage: pipeline.StagePhoto, Revision: 1, Time: time.Now()}
		l.Model = &pipeline.ModelOfLocation{SHA256: tiny.SHA256}
		l.Source.ETag = devstore.ETag(strconv.AppendInt(nil, int64(i), 10))
		if i < 3 {
			l.Status, l.Model, l.Source.ETag = pipeline.StatusOptedOut, nil, ""
		}
		rec, err := l.Record(w.cfg.Topics.Locations, nil)
		if err != nil {
			t.Fatal(err)
		}
		answers = append(answers, rec)
	}
	if err := w.client.Publish(t.Context(), answers); err != nil {
		t.Fatal(err)
	}
	for _, row := range []struct {
		story                         string
		redo, dry                     bool
		references, located, optedOut int64
	}{
		{"a dry run", false, true, 70, 27, 3},
		{"again", false, false, 70, 27, 3},
		{"redo", true, false, 97, 0, 3},
	} {
		o := w.options()
		o.Again, o.Filter.Redo, o.DryRun = true, row.redo, row.dry
		report, err := Run(t.Context(), o)
		if err != nil || report.References != row.references || report.Located != row.located || report.OptedOut != row.optedOut {
			t.Errorf("%s: %+v, %v", row.story, report.Counts, err)
		}
		if row.dry && (report.Requests != 1+70 || report.Estimate.PhotosPerSecond != 0.5 || report.Estimate.Seconds != 140) {
			t.Errorf("%s: %d requests, %+v", row.story, report.Requests, report.Estimate)
		}
	}
}

// TestMillion lists a bucket of a million objects, which are made when they are asked for: PLANETAG_BACKFILL_OBJECTS=1000000.
func TestMillion(t *testing.T) {
	photos := 20000
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
	const photos = 300_000
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
		t.Errorf("the heap grew by %d KiB over 200,000 objects", grown>>10)
	}
}
