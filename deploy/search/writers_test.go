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
