package backfill

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/enrich/bundle"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

// A backfill that is ended again and again writes every reference once, and says what it did.
func TestABackfillGoesOnWhereItWas(t *testing.T) {
	const photos = 3000
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
	slashed := w.options()
	slashed.Archive += "/"
	if report, err = Run(t.Context(), slashed); err != nil || !report.Already || report.References != photos {
		t.Fatalf("once more: %+v, %v", report, err)
	}
	w.wantOnce(nested, photos)
}

// A lister that is frozen while another one takes over writes nothing when it wakes.
func TestALaterListerTakesOver(t *testing.T) {
	const photos = 2400
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
	const photos = 3000
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
