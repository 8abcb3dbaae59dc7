package backfill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"golang.org/x/sync/errgroup"

	"planetag/consumer"
	"planetag/enrich/bundle"
	"planetag/pipeline"
)

var (
	// ErrArchive says that a name is no bucket.
	ErrArchive = errors.New("no archive")
	// ErrTimeUp is the cause with which the command ends a context when --max-duration has passed.
	ErrTimeUp = errors.New("time is up; the same command goes on")
	// ErrOvertaken says that another process works on the same archive now.
	ErrOvertaken = errors.New("another process has taken this over")
)

// Options says what is backfilled.
type Options struct {
	Archive  string // s3://bucket/prefix
	Config   pipeline.Config
	Filter   Filter
	Rate     float64 // references a second, 0 = as many as there are
	Parallel int     // ranges of keys that are listed side by side
	Restart  bool    // give up what an earlier run of the same archive has not finished
	Again    bool    // begin a new run though the last one is finished
	Wait     bool    // until every photo has its outcome
	Failures string  // where the dead letters go, JSON lines; with Wait
	DryRun   bool
	Prices   Prices
	Log      *slog.Logger
	Progress func(Progress) // may be nil; called from one goroutine at a time
}

// Progress is how far a backfill is.
type Progress struct {
	Phase  string `json:"phase"` // "list" or "wait"
	Done   int64  `json:"done"`  // objects listed, or references worked on
	Total  int64  `json:"total"` // 0 = not known
	Albums int64  `json:"albums_open,omitempty"`
	Failed int64  `json:"failed,omitempty"`
}

// Report is the outcome.
type Report struct {
	Archive  string    `json:"archive"`
	DryRun   bool      `json:"dry_run,omitempty"`
	Started  time.Time `json:"started"`
	Resumed  bool      `json:"resumed,omitempty"` // a checkpoint was there
	Finished bool      `json:"finished"`          // everything is listed
	Already  bool      `json:"already,omitempty"` // … and was before this start
	Counts
	Requests int64     `json:"requests"`           // of a dry run: to list and to read
	Estimate *Estimate `json:"estimate,omitempty"` // of a dry run
	Waited   bool      `json:"waited,omitempty"`   // every photo has its outcome
	Failed   int64     `json:"failed"`             // dead letters, if waited for
}

// backfill is one start of the command.
type backfill struct {
	Options
	bucket, prefix string
	client         *consumer.Client
	store          *pipeline.Store
	bundle         *bundle.Bundle
}

// Run backfills an archive. Errors: ErrArchive, ErrFilter, ErrUnfinished, ErrOvertaken, ErrTimeUp, those of pipeline's
// configuration and store and of the brokers, ctx's cause. After any of them, and after a kill, the same Options go on.
func Run(ctx context.Context, o Options) (Report, error) {
	b := &backfill{Options: o}
	if b.Progress == nil {
		b.Progress = func(Progress) {}
	}
	if err := b.connect(ctx); err != nil {
		return Report{}, err
	}
	defer b.client.Close()
	if o.DryRun {
		return b.dryRun(ctx)
	}
	cp, report, err := b.fill(ctx)
	if err == nil && o.Wait {
		report.Failed, err = b.wait(ctx, cp)
		report.Waited = err == nil
	}
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return report, err
}

// fill lists until everything is listed. When nobody knows whether a transaction was committed, it takes over anew and
// goes on from what the checkpoint says.
func (b *backfill) fill(ctx context.Context) (*checkpoint, Report, error) {
	for {
		cp, report, err := b.once(ctx)
		switch {
		case ctx.Err() != nil && err != nil:
			return cp, report, context.Cause(ctx)
		case errors.Is(err, consumer.ErrFenced):
			return cp, report, fmt.Errorf("%w: %s: %w", ErrOvertaken, b.Archive, err)
		case !errors.Is(err, consumer.ErrRestart):
			return cp, report, err
		}
		b.Log.Warn("going on from the checkpoint", "archive", b.Archive, "err", err)
		if !pause(ctx, time.Second) {
			return cp, report, context.Cause(ctx)
		}
	}
}

// once takes the archive over, reads the checkpoint, and works from there.
func (b *backfill) once(ctx context.Context) (*checkpoint, Report, error) {
	writer, err := b.client.NewWriter(ctx, b.Config.Kafka.Group+".backfill/"+b.Archive)
	if err != nil {
		return nil, Report{}, err
	}
	cp, err := load(ctx, b.client, b.Config.Topics.State, b.Archive)
	if err != nil {
		return nil, Report{}, err
	}
	resumed := cp != nil
	switch {
	case cp == nil:
	case !cp.Finished.IsZero() && !b.Again:
		report := b.report(cp)
		report.Already = true
		return cp, report, nil
	case !cp.Finished.IsZero() || b.Restart:
		cp, resumed = nil, false
	default:
		if err := cp.fits(b.Filter); err != nil {
			return nil, Report{}, err
		}
	}
	if cp == nil {
		if cp, err = b.begin(ctx); err != nil {
			return nil, Report{}, err
		}
	}
	b.Again, b.Restart = false, false // the next start of this process goes on with this run
	err = b.list(ctx, cp, writer)
	report := b.report(cp)
	report.Resumed, report.Finished = resumed, report.Finished && err == nil // the last transaction may be the one that failed
	return cp, report, err
}

func (b *backfill) report(cp *checkpoint) Report {
	return Report{Archive: b.Archive, Started: cp.Started, Finished: !cp.Finished.IsZero(), Counts: cp.Counts}
}

// begin is the checkpoint of a new run.
func (b *backfill) begin(ctx context.Context) (*checkpoint, error) {
	cp := &checkpoint{Version: 1, Archive: b.Archive, Filter: b.Filter, Started: time.Now().UTC().Truncate(time.Second)}
	var err error
	if cp.Shards, cp.Level, err = split(ctx, b.store, b.bucket, b.prefix, b.Parallel); err != nil {
		return nil, err
	}
	if cp.From.Embeddings, err = b.client.Ends(ctx, b.Config.Topics.Embeddings); err != nil {
		return nil, err
	}
	cp.From.DeadLetters, err = b.client.Ends(ctx, b.Config.Topics.DeadLetters)
	return cp, err
}

// lister is what walks this archive.
func (b *backfill) lister(ctx context.Context, cp *checkpoint) (*lister, error) {
	filter, err := cp.Filter.compile(cp.Started)
	if err != nil {
		return nil, err
	}
	l := &lister{
		bucket: b.bucket, prefix: b.prefix, level: cp.Level, topic: b.Config.Topics.Backfill, size: batch / 2, filter: filter,
		known: newKnown(b.bucket+"/"+b.prefix, b.bundle.SHA256), list: b.store.List,
	}
	if filter.Versions {
		l.list = b.store.ListVersions
	}
	if b.Rate > 0 {
		l.size = max(1, min(l.size, int(b.Rate)))
	}
	if b.DryRun {
		l.known.busy = map[int64]int64{}
		if there, err := b.client.Exists(ctx, b.Config.Topics.Locations); err != nil || !there {
			return l, err // no worker ever ran
		}
	}
	return l, l.known.read(ctx, b.client, b.Config.Topics.Locations)
}

// list lists the ranges side by side, and writes what they give one transaction after the other.
func (b *backfill) list(ctx context.Context, cp *checkpoint, writer *consumer.Writer) error {
	l, err := b.lister(ctx, cp)
	if err != nil {
		return err
	}
	w := &scribe{cp: cp, writer: writer, topics: b.Config.Topics, rate: b.Rate, begun: time.Now(), progress: b.Progress}
	g, ctx := errgroup.WithContext(ctx)
	pages := make(chan page)
	for i, s := range cp.Shards {
		if !s.Done {
			w.left++
			g.Go(func() error { return l.walk(ctx, i, s, pages) })
		}
	}
	g.Go(func() error { return w.run(ctx, pages) })
	return g.Wait()
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
