package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"planetag/pipeline/backfill"
)

// backfillFlags are those that are not the package's own options.
type backfillFlags struct {
	config  string
	longest time.Duration
	asJSON  bool
}

func newBackfill(g *global, std streams) *cobra.Command {
	var o backfill.Options
	var f backfillFlags
	cmd := &cobra.Command{
		Use:   "backfill s3://BUCKET/PREFIX",
		Short: "Refer to every photo of a bucket, once, so that running workers locate them",
		Long: `List a bucket, write a reference to every photo to the topic topics.backfill, and end.
Running workers locate them, live photos first (photos.live_weight). Photos that have
a location by the same bundle are left out.

How far it is lies in the same transaction as the references: after a kill at any
moment, or --max-duration, the same command goes on, and no reference is missing or
there twice. A finished one says so; --again begins anew.

Exit status: 0 done, 3 with --wait when photos became dead letters, 10 when
--max-duration has passed, 130 interrupted; after 10 and 130 the same command goes on.`,
		Example: `  planetag backfill s3://archive/2019/ --config planetag.yaml --dry-run
  planetag backfill s3://archive/2019/ --config planetag.yaml --wait --failures failures.jsonl
  planetag backfill s3://archive --newer 720h --exclude '*_thumb.jpg' --rate 200 --max-duration 8h`,
		Args: oneArgument("s3://BUCKET/PREFIX"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Archive = args[0]
			return fillUp(cmd, g, o, f, std)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "configuration file")
	filterFlags(cmd, &o.Filter)
	flags.BoolVar(&o.Filter.Redo, "redo", false, "also photos that have a location by this bundle")
	flags.Float64Var(&o.Rate, "rate", 0, "references a second at most (default: as fast as they come)")
	flags.IntVar(&o.Parallel, "parallel", 8, "ranges of keys that are listed side by side")
	flags.DurationVar(&f.longest, "max-duration", 0, "stop after this time, with status 10; the same command goes on")
	flags.BoolVar(&o.DryRun, "dry-run", false, "only list, and say how many objects, bytes, albums and requests, and about how long")
	flags.Float64Var(&o.Prices.Gets, "price-per-1000-gets", 0, "of the store, for the cost of --dry-run")
	flags.Float64Var(&o.Prices.Hour, "price-per-hour", 0, "of all workers together, for the cost of --dry-run")
	flags.BoolVar(&o.Wait, "wait", false, "do not end before every photo has its location or is a dead letter")
	flags.StringVar(&o.Failures, "failures", "failures.jsonl", "with --wait: write the dead letters there")
	flags.BoolVar(&o.Again, "again", false, "begin anew although the last backfill of this archive is finished")
	flags.BoolVar(&o.Restart, "restart", false, "give up an unfinished backfill of this archive and begin anew")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	return cmd
}

// filterFlags are those of the commands that list a bucket.
func filterFlags(cmd *cobra.Command, f *backfill.Filter) {
	flags := cmd.Flags()
	flags.StringVar(&f.Newer, "newer", "", "only objects modified after: 2024-05-01, 2024-05-01T12:00:00Z, or 720h ago")
	flags.StringVar(&f.Older, "older", "", "only objects modified before")
	flags.StringSliceVar(&f.Ext, "ext", nil, "endings of photos, comma-separated (default: those that the decoder knows)")
	flags.Int64Var(&f.MinSize, "min-size", 0, "only objects of at least so many bytes")
	flags.StringArrayVar(&f.Exclude, "exclude", nil, "leave out what matches: '*_thumb.jpg', or a prefix that ends in a slash; may be repeated")
	flags.Float64Var(&f.Sample, "sample", 0, "only this share of the albums, 0.01 is one in a hundred; the same ones every time")
	flags.BoolVar(&f.Versions, "versions", false, "refer to the version that each object has now, not to whatever it is when it is read")
}

func fillUp(cmd *cobra.Command, g *global, o backfill.Options, f backfillFlags, std streams) (err error) {
	if o.Config, err = g.config(f.config); err != nil {
		return err
	}
	if o.Log, err = logger(o.Config.Log, std.err); err != nil {
		return err
	}
	switch {
	case o.DryRun && o.Wait:
		return wrongUsage(cmd, errors.New("--dry-run writes nothing that --wait could wait for; choose one"))
	case o.Rate < 0 || o.Parallel < 1 || f.longest < 0:
		return wrongUsage(cmd, errors.New("--rate and --max-duration cannot be negative, and --parallel is at least 1"))
	}
	ctx := cmd.Context()
	if f.longest > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, f.longest, backfill.ErrTimeUp)
		defer cancel()
	}
	shown := &stepper{out: std.err}
	o.Progress = func(p backfill.Progress) { shown.show(backfillLine(p), p.Phase, p.Done, p.Total) }
	report, err := backfill.Run(ctx, o)
	shown.end()
	if report.Archive != "" { // also of a run that is to go on
		if f.asJSON {
			err = errors.Join(err, printJSON(std.out, true, report))
		} else {
			err = errors.Join(err, report.Text(std.out))
		}
	}
	if err == nil && report.Failed > 0 {
		return tagged{fmt.Errorf("%d photos are dead letters; see %s", report.Failed, o.Failures), errPhotoFailed}
	}
	return reached(err)
}

// backfillLine is what there is to say beside how much is done.
func backfillLine(p backfill.Progress) string {
	if p.Phase != "wait" {
		return ""
	}
	return fmt.Sprintf(", %d albums open, %d dead letters", p.Albums, p.Failed)
}

// stepper shows how far a long command is: one line that is drawn again and again on a terminal, and elsewhere a plain
// line now and then, for a log.
type stepper struct {
	out     *os.File
	phase   string
	started time.Time
	drawn   time.Time
	already int64 // done before the phase was seen: no part of the rate
}

const plainEvery = 10 * time.Second

func (s *stepper) show(more, phase string, done, total int64) {
	now := time.Now()
	if phase != s.phase {
		s.end()
		s.phase, s.started, s.drawn, s.already = phase, now, time.Time{}, done
	}
	terminal := isTerminal(s.out)
	every := plainEvery
	if terminal {
		every = 100 * time.Millisecond
	}
	if now.Sub(s.drawn) < every {
		return
	}
	s.drawn = now
	text := pace(phase, done, total, done-s.already, now.Sub(s.started)) + more
	if terminal {
		fmt.Fprintf(s.out, "\r\033[K%s", text)
	} else {
		fmt.Fprintln(s.out, text)
	}
}

func (s *stepper) end() {
	if s.phase != "" && isTerminal(s.out) {
		fmt.Fprintln(s.out)
	}
	s.phase = ""
}

// pace is how much is done, how fast, and how long the rest takes; "-" while nobody can know.
func pace(phase string, done, total, since int64, passed time.Duration) string {
	rate, left := "-", "-"
	if since > 0 && passed > 0 {
		perSecond := float64(since) / passed.Seconds()
		rate = fmt.Sprintf("%.0f/s", perSecond)
		left = time.Duration(float64(total-done) / perSecond * float64(time.Second)).Round(time.Second).String()
	}
	if total <= 0 {
		return fmt.Sprintf("%s %d, %s", phase, done, rate)
	}
	return fmt.Sprintf("%s %d of %d, %s, %s left", phase, done, total, rate, left)
}
