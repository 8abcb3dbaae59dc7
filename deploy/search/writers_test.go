package search

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"testing"

	"golang.org/x/sync/errgroup"

	"planetag/consumer"
	"planetag/pipeline"
	"planetag/pipeline/index"
)

// atOnce has several indexers write the whole topic into one index, as after a pause in which their group took them for dead:
// each photo's greatest revision stands, whoever comes last.
func atOnce(ctx context.Context, t *testing.T, servers []target) {
	const photos, revisions, writers = 200, 4, 3
	w, luck := newWorld(t), rand.New(rand.NewPCG(1, 2))
	var records []consumer.Record
	for revision := range revisions {
		for photo := range photos {
			records = append(records, located(t, fmt.Sprintf("photo %03d", photo), 10, float64(revision), func(l *pipeline.Location) { l.Revision = int64(1000 + revision) }))
		}
	}
	luck.Shuffle(len(records), func(i, j int) { records[i], records[j] = records[j], records[i] })
	w.publish(ctx, t, records...)
	w.cfg.Index.BatchBytes = 128 << 10
	for _, to := range servers {
		to := anew(to, "at_once")
		var all errgroup.Group
		for n := range writers {
			sink := to.open(ctx, t, w.cfg)
			all.Go(func() error {
				_, err := index.Run(ctx, index.Options{Config: w.cfg, Sink: sink, Target: fmt.Sprintf("at_once.%s.%d", to.name(), n), Once: true, Log: slog.New(slog.DiscardHandler)})
				return err
			})
		}
		if err := all.Wait(); err != nil {
			t.Fatalf("%s: %v", to.name(), err)
		}
		docs := to.all(ctx, t)
		for id, d := range docs {
			if d.Revision != 1000+revisions-1 || d.Lon != revisions-1 {
				t.Errorf("%s: %s is %+v", to.name(), id, d)
			}
		}
		if len(docs) != photos {
			t.Errorf("%s: %d documents of %d photos", to.name(), len(docs), photos)
		}
	}
}

// afterMany writes batch after batch of new photos, so that a sink which expects more of them is wrong at last: older answers,
// newer ones and another new photo come.
func afterMany(ctx context.Context, t *testing.T, servers []target) {
	const photos = 300
	w := newWorld(t)
	answer := func(photo int, revision int64) consumer.Record {
		return located(t, fmt.Sprintf("photo %03d", photo), 10, float64(revision-1000), func(l *pipeline.Location) { l.Revision = revision })
	}
	var records []consumer.Record
	for photo := range photos {
		records = append(records, answer(photo, 1001))
	}
	for photo := range photos {
		records = append(records, answer(photo, 1000+2*int64(photo%2))) // older, newer, older, …
	}
	w.publish(ctx, t, append(records, answer(photos, 1003))...)
	w.cfg.Index.BatchBytes = 16 << 10
	for _, to := range servers {
		to := anew(to, "after_many")
		sink := to.open(ctx, t, w.cfg)
		got, err := index.Run(ctx, index.Options{Config: w.cfg, Sink: sink, Target: "after_many." + to.name(), Once: true, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatalf("%s: %v", to.name(), err)
		}
		if got.Refused > 0 || got.Written < photos+photos/2+1 {
			t.Errorf("%s: %+v", to.name(), got)
		}
		docs := to.all(ctx, t)
		for photo := range photos {
			id, want := fmt.Sprintf("photo %03d", photo), int64(1001+photo%2)
			if d := docs[id]; d.Revision != want || d.Lon != float64(want-1000) {
				t.Errorf("%s: %s is %+v, want revision %d", to.name(), id, d, want)
			}
		}
		if len(docs) != photos+1 {
			t.Errorf("%s: %d documents of %d photos", to.name(), len(docs), photos+1)
		}
	}
}
