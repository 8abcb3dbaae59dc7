package main

import (
	"cmp"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"planetag/pipeline/backfill"
	"planetag/pipeline/deadletters"
)

// replayFlags are those that become a filter.
type replayFlags struct {
	config              string
	newer, older, match string
	asJSON              bool
}

func newReplay(g *global, std streams) *cobra.Command {
	var o deadletters.Options
	var f replayFlags
	cmd := &cobra.Command{
		Use:   "replay",
		Short: "Put dead letters back onto the topic that they came from, once",
		Long: `Read the dead-letter topic and write the references on it back to the topic that they
came from, key, value and headers as they came. That a dead letter was put back is
written in the same transaction: a replay that is killed goes on, and a second one
puts nothing back twice. A reference that dies again is a new dead letter.

Without a filter all of them are put back; --dry-run counts them first.`,
		Example: `  planetag replay --config planetag.yaml --dry-run
  planetag replay --config planetag.yaml --type object_gone --newer 24h
  planetag replay --config planetag.yaml --match 'album-7/'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return putBack(cmd, g, o, f, std) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "configuration file")
	flags.StringSliceVar(&o.Filter.Types, "type", nil, "only of these error types, comma-separated")
	flags.StringVar(&o.Filter.Topic, "topic", "", "only references that came from this topic")
	flags.StringVar(&f.newer, "newer", "", "only what died since: 2024-05-01, 2024-05-01T12:00:00Z, or 24h ago")
	flags.StringVar(&f.older, "older", "", "only what died before")
	flags.StringVar(&f.match, "match", "", "only where this regular expression is found in the error's message")
	flags.Int64Var(&o.Limit, "limit", 0, "at most so many")
	flags.BoolVar(&o.DryRun, "dry-run", false, "only count")
	flags.BoolVar(&f.asJSON, "json", false, "print one JSON object")
	return cmd
}

func putBack(cmd *cobra.Command, g *global, o deadletters.Options, f replayFlags, std streams) (err error) {
	if o.Config, err = g.config(f.config); err != nil {
		return err
	}
	if o.Log, err = logger(o.Config.Log, std.err); err != nil {
		return err
	}
	if o.Filter, err = f.filter(cmd, o.Filter); err != nil {
		return err
	}
	report, err := deadletters.Run(cmd.Context(), o)
	if err != nil {
		return reached(err)
	}
	if f.asJSON {
		return printJSON(std.out, true, report)
	}
	return replayText(std, report)
}

func (f replayFlags) filter(cmd *cobra.Command, filter deadletters.Filter) (_ deadletters.Filter, err error) {
	now := time.Now()
	if filter.After, err = backfill.Moment("--newer", f.newer, now); err != nil {
		return filter, err
	}
	if filter.Until, err = backfill.Moment("--older", f.older, now); err != nil {
		return filter, err
	}
	if f.match != "" {
		if filter.Match, err = regexp.Compile(f.match); err != nil {
			return filter, wrongUsage(cmd, fmt.Errorf("--match: %w", err))
		}
	}
	return filter, nil
}

func replayText(std streams, r deadletters.Report) error {
	what := "put back"
	if r.DryRun {
		what = "would be put back"
	}
	fmt.Fprintf(std.out, "%d dead letters: %d %s, %d were before", r.Letters, r.Replayed, what, r.Before)
	if r.Unreadable > 0 {
		fmt.Fprintf(std.out, ", %d records are none", r.Unreadable)
	}
	fmt.Fprintln(std.out)
	for _, word := range slices.SortedFunc(maps.Keys(r.Types), func(a, b string) int { return cmp.Or(cmp.Compare(r.Types[b], r.Types[a]), cmp.Compare(a, b)) }) {
		fmt.Fprintf(std.out, "  %6d %-18s %s\n", r.Types[word], word, r.Example[word])
	}
	return nil
}
