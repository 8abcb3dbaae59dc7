package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"planetag/pipeline/backfill"
)

// enqueueFlags are those that are not the package's own options.
type enqueueFlags struct {
	config        string
	again, asJSON bool
}

func newEnqueue(g *global, std streams) *cobra.Command {
	var o backfill.WatchOptions
	var f enqueueFlags
	cmd := &cobra.Command{
		Use:   "enqueue s3://BUCKET/PREFIX",
		Short: "Refer to what is new in a bucket, for stores that send no notifications",
		Long: `List a bucket and write a reference to each photo that is new or has changed since the
last look to the input topic; with --watch again and again, until it is told to stop.
With --deletions an object that is gone becomes a tombstone, which takes its location
away; a bucket that is listed as empty is not believed.

The references are planetag's own, not the events of a store. What was seen lies on
the topic topics.state with .watch behind it, and is written in the same transaction:
a watch that is killed goes on, and refers to nothing twice. It holds all keys in
memory, about 150 bytes each.`,
		Example: `  planetag enqueue s3://photos --config planetag.yaml --watch --interval 1m --deletions
  planetag enqueue s3://photos --config planetag.yaml --skip-existing --watch`,
		Args: oneArgument("s3://BUCKET/PREFIX"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.Archive = args[0]
			return enqueue(cmd, g, o, f, std)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "configuration file")
	filterFlags(cmd, &o.Filter)
	flags.StringVar(&o.Topic, "topic", "", "topic to write to (default: topics.input)")
	flags.BoolVar(&f.again, "watch", false, "look again and again, until told to stop")
	flags.DurationVar(&o.Every, "interval", time.Minute, "between two looks of --watch")
	flags.BoolVar(&o.Deletions, "deletions", false, "write a tombstone for each object that is gone")
	flags.BoolVar(&o.SkipFirst, "skip-existing", false, "only remember what the very first look finds")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object for each look")
	return cmd
}

func enqueue(cmd *cobra.Command, g *global, o backfill.WatchOptions, f enqueueFlags, std streams) (err error) {
	if o.Config, err = g.config(f.config); err != nil {
		return err
	}
	if o.Log, err = logger(o.Config.Log, std.err); err != nil {
		return err
	}
	switch {
	case o.Every <= 0:
		return wrongUsage(cmd, errors.New("--interval must be greater than 0"))
	case !f.again && cmd.Flags().Changed("interval"):
		return wrongUsage(cmd, errors.New("--interval is for --watch; add it"))
	case !f.again:
		o.Every = 0
	}
	o.Looked = func(l backfill.Look) { tellLook(std, l, f.asJSON, f.again) }
	err = backfill.Watch(cmd.Context(), o)
	if f.again && cmd.Context().Err() != nil && onlyInterrupted(err) {
		return nil // a stop that was asked for is a success
	}
	return reached(err)
}

// tellLook says what a look found; of a watch only when it found anything.
func tellLook(std streams, l backfill.Look, asJSON, watching bool) {
	switch {
	case asJSON:
		_ = json.NewEncoder(std.out).Encode(l) // whoever closed the pipe has no use for it
	case !watching || l.New+l.Gone+l.Skipped > 0:
		fmt.Fprintf(std.out, "%s %d photos: %d new or changed, %d gone", l.Time.Format(time.TimeOnly), l.Objects, l.New, l.Gone)
		if l.Skipped > 0 {
			fmt.Fprintf(std.out, ", %d were there before", l.Skipped)
		}
		fmt.Fprintln(std.out)
	}
}
