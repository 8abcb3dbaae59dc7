package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"planetag/pipeline"
	"planetag/pipeline/index"
	"planetag/pipeline/index/opensearch"
	"planetag/pipeline/index/postgis"
)

// indexFlags are the flags of `planetag index`.
type indexFlags struct {
	config, to                 string
	create, once, design, json bool
}

func newIndex(g *global, std streams) *cobra.Command {
	var f indexFlags
	cmd := &cobra.Command{
		Use:   "index --to opensearch|elasticsearch|postgis",
		Short: "Keep a search index equal to the locations topic",
		Long: `Read the locations topic and write each photo's answer into OpenSearch,
Elasticsearch or PostGIS, until SIGINT or SIGTERM. Whatever is repeated or comes
late, the index ends with the newest answer of each photo; removed and opted-out
photos stay as documents without content. A location that the index refuses goes
to the dead-letter topic with the reason.

The consumer group is <kafka.group>.index.<sink>.<index or table>: another index or
table is filled from the topic's start. Several of these commands share the
partitions. docs/search.md has the questions that the index answers.`,
		Example: `  planetag index --to opensearch --config planetag.yaml --create
  planetag index --to postgis --config planetag.yaml --create --once
  planetag index --to postgis --design > planetag.sql`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return runIndex(cmd, g, f, std) },
	}
	flags := cmd.Flags()
	flags.StringVar(&f.to, "to", "", "opensearch, elasticsearch or postgis")
	flags.StringVar(&f.config, "config", "", "configuration file (default: built-in defaults and PLANETAG_… variables)")
	flags.BoolVar(&f.create, "create", false, "make the index or the table where it is missing")
	flags.BoolVar(&f.once, "once", false, "end when everything is written that was on the topic at the start; for one command alone in its group")
	flags.BoolVar(&f.design, "design", false, "print the mapping or the SQL that --create uses, and do nothing")
	flags.BoolVar(&f.json, "json", false, "print the figures of the run as one JSON object at its end")
	return cmd
}

func runIndex(cmd *cobra.Command, g *global, f indexFlags, std streams) error {
	if f.to != "opensearch" && f.to != "elasticsearch" && f.to != "postgis" {
		return wrongUsage(cmd, fmt.Errorf("--to is %q; it can be opensearch, elasticsearch or postgis", f.to))
	}
	cfg, err := g.config(f.config)
	if err != nil {
		return err
	}
	if f.design {
		design := postgis.Design(cfg.Index.PostGIS.Table)
		if f.to != "postgis" {
			design = string(opensearch.Design())
		}
		_, err := fmt.Fprint(std.out, design)
		return err
	}
	log, err := logger(cfg.Log, std.err)
	if err != nil {
		return err
	}
	sink, target, closeSink, err := openSink(cmd.Context(), f.to, cfg, f.create)
	if err != nil {
		return reached(err)
	}
	defer closeSink()
	figures, err := index.Run(cmd.Context(), index.Options{
		Config: cfg, Sink: sink, Target: target, Once: f.once, Progress: indexProgress(std), Log: log,
	})
	if isTerminal(std.err) {
		fmt.Fprintln(std.err)
	}
	if err != nil && (cmd.Context().Err() == nil || !onlyInterrupted(err)) {
		return reached(err)
	}
	if f.json {
		return printJSON(std.out, true, figures)
	}
	_, err = fmt.Fprintf(std.out, "%d records: %d documents written, %d older than what is there, %d dead letters; %.0f records/s\n",
		figures.Records, figures.Written, figures.Older, figures.Refused, float64(figures.Records)/max(figures.Seconds, 1e-3))
	return err
}

// openSink connects to the index, and names it for the consumer group.
func openSink(ctx context.Context, to string, cfg pipeline.Config, create bool) (sink index.Sink, target string, closeSink func(), err error) {
	c := cfg.Index
	if err := index.Readable(cfg); err != nil { // before anything is made
		return nil, "", nil, err
	}
	if to == "postgis" {
		table, err := postgis.Open(ctx, c.PostGIS, create)
		if err != nil {
			return nil, "", nil, err
		}
		return table, to + "." + c.PostGIS.Table, table.Close, nil
	}
	x, err := opensearch.Open(ctx, c, create)
	if errors.Is(err, opensearch.ErrUnavailable) {
		err = tagged{err, errUnavailable}
	}
	if err != nil {
		return nil, "", nil, err
	}
	return x, to + "." + c.OpenSearch.Index, x.Close, nil
}

// indexProgress shows a line on a terminal.
func indexProgress(std streams) func(index.Figures) {
	if !isTerminal(std.err) {
		return nil
	}
	return func(f index.Figures) {
		fmt.Fprintf(std.err, "\r\033[K%d records, %.0f/s, %d behind, the oldest by %s", f.Records,
			float64(f.Records)/max(f.Seconds, 1e-3), f.LagRecords, time.Duration(f.LagSeconds*float64(time.Second)).Round(time.Second))
	}
}
