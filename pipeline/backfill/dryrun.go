package backfill

import (
	"context"
	"fmt"
	"time"

	"planetag/pipeline"
)

// Prices are what a store and a machine cost, in any currency; 0 = nobody said.
type Prices struct {
	Gets float64 `json:"per_1000_gets"`
	Hour float64 `json:"per_hour"` // of all workers together
}

// Estimate is what a backfill would take.
type Estimate struct {
	PhotosPerSecond float64 `json:"photos_per_second"`  // 0 = not known
	Measured        string  `json:"measured,omitempty"` // how the rate was found
	Seconds         float64 `json:"seconds,omitempty"`
	Cost            float64 `json:"cost,omitempty"`
}

// pageObjects is how many objects a store lists in one answer.
const pageObjects = 1000

// dryRun lists the archive and writes nothing.
func (b *backfill) dryRun(ctx context.Context) (Report, error) {
	cp := &checkpoint{Archive: b.Archive, Filter: b.Filter, Started: time.Now().UTC(), Shards: []shard{{}}}
	l, err := b.lister(ctx, cp)
	if err != nil {
		return Report{}, err
	}
	var p page
	var open openAlbums
	err = l.list(ctx, b.bucket, b.prefix, "", func(o pipeline.Listed) error {
		if err := l.take(&p, &open, o); err != nil {
			return err
		}
		p.records = p.records[:0]
		if p.counts.Objects%pageObjects == 0 {
			b.Progress(Progress{Phase: "list", Done: p.counts.Objects})
		}
		return nil
	})
	if err != nil {
		return Report{}, err
	}
	p.counts.Albums += int64(len(open))
	r := Report{Archive: b.Archive, DryRun: true, Started: cp.Started, Finished: true, Counts: p.counts}
	r.Requests = (r.Objects+pageObjects-1)/pageObjects + r.References
	r.Estimate = b.estimate(l.known, r.References)
	return r, nil
}

// estimate takes the rate that was asked for, or what the workers have shown.
func (b *backfill) estimate(k *known, photos int64) *Estimate {
	e := &Estimate{PhotosPerSecond: k.rate(), Measured: fmt.Sprintf("the busiest minute on topic %s", b.Config.Topics.Locations)}
	if b.Rate > 0 && (b.Rate < e.PhotosPerSecond || e.PhotosPerSecond == 0) {
		e.PhotosPerSecond, e.Measured = b.Rate, "--rate"
	}
	if e.PhotosPerSecond == 0 {
		e.Measured = ""
	} else {
		e.Seconds = float64(photos) / e.PhotosPerSecond
	}
	e.Cost = float64(photos)/1000*b.Prices.Gets + e.Seconds/3600*b.Prices.Hour
	return e
}
