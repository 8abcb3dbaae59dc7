package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"planetag/pipeline/index"
)

func newRetract(g *global, std streams) *cobra.Command {
	var o index.RetractOptions
	var path, since string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "retract --model NAME|--bundle SHA",
		Short: "Take back what a model has published",
		Long: `Read the locations topic and publish a tombstone, of a higher revision, for every
photo whose last answer is of this bundle: estimates and abstentions. Search indexes
and compacted topics forget those answers. Measured positions stay; so do answers of
other bundles, and those that are published later. To have the photos located again,
send their references again.

Begin with --dry-run.`,
		Example: `  planetag retract --model demo@1.2.0 --config planetag.yaml --dry-run
  planetag retract --bundle 4be1 --since 2026-11-01T00:00:00Z --config planetag.yaml`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if (o.Model == "") == (o.Bundle == "") {
				return wrongUsage(cmd, errors.New("give one of --model and --bundle"))
			}
			if since != "" {
				if o.Since, err = time.Parse(time.RFC3339, since); err != nil {
					return wrongUsage(cmd, fmt.Errorf("--since is %q; write it like 2026-11-01T00:00:00Z", since))
				}
			}
			if o.Config, err = g.config(path); err != nil {
				return err
			}
			return retract(cmd.Context(), o, asJSON, std)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Model, "model", "", "name of the bundle, or name@version")
	flags.StringVar(&o.Bundle, "bundle", "", "folder of the bundle, or model.sha256 of its answers, or how that begins")
	flags.StringVar(&o.Bundle, "sha256", "", "the same as --bundle")
	_ = flags.MarkHidden("sha256") // its name until now; it is there
	flags.StringVar(&since, "since", "", "only answers published at this time or later, like 2026-11-01T00:00:00Z")
	flags.StringVar(&path, "config", "", "configuration file (default: built-in defaults and PLANETAG_… variables)")
	flags.BoolVar(&o.DryRun, "dry-run", false, "only say what would be retracted")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func retract(ctx context.Context, o index.RetractOptions, asJSON bool, std streams) (err error) {
	if o.Log, err = logger(o.Config.Log, std.err); err != nil {
		return err
	}
	done, err := index.Retract(ctx, o)
	if err != nil {
		return reached(err)
	}
	if asJSON {
		return printJSON(std.out, true, done)
	}
	did := "retracted"
	if done.DryRun {
		did = "would be retracted"
	}
	_, err = fmt.Fprintf(std.out, "%d of %d photos: %d answers %s, %d measured positions stay\n", done.Retracted+done.Given, done.Photos, done.Retracted, did, done.Given)
	for _, bundle := range slices.Sorted(maps.Keys(done.Bundles)) {
		fmt.Fprintf(std.out, "  %6d  %s\n", done.Bundles[bundle], bundle)
	}
	if done.Unread > 0 {
		fmt.Fprintf(std.out, "%d records could not be read as locations; the presets of output.map can\n", done.Unread)
	}
	return err
}
