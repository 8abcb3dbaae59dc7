package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"planetag/enrich"
	"planetag/enrich/decode"
	"planetag/pipeline/eval"
)

func newEval(g *global, std streams) *cobra.Command {
	var o eval.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "eval --bundle DIR --manifest CSV --photos DIR",
		Short: "Measure a bundle on photos of known places",
		Long: `Locate every photo of a manifest in every mode and print how far the answers are
from the truth, beside always answering the most common cell and, with a gallery,
answering the place of the most similar gallery photo; then how well confidence,
abstaining and radii keep their word.

The manifest is CSV with the columns id, file, lat, lon, taken_at and album; others
are ignored. Photos that cannot be read are named, counted and left out.`,
		Example: `  planetag eval --bundle bundles/demo --manifest photos/manifest.csv --photos photos
  planetag eval … --gallery train.csv --gallery-photos train --json > result.json`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := evalFlags(cmd, o); err != nil {
				return err
			}
			o.Model = enrich.Options{Bundle: g.bundle, Library: g.library, Limits: decode.DefaultLimits()}
			o.Progress = progress(std)
			result, err := eval.Run(cmd.Context(), o)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(std.out, true, result)
			}
			return result.Table(std.out)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Manifest, "manifest", "", "CSV of the photos and where they were taken")
	flags.StringVar(&o.Photos, "photos", "", "folder in which the manifest's files are")
	flags.StringVar(&o.Gallery, "gallery", "", "CSV of photos for the nearest-neighbour row")
	flags.StringVar(&o.GalleryPhotos, "gallery-photos", "", "folder in which the gallery's files are")
	flags.Float64Var(&o.Anchors, "anchors", 0, "share of each album's photos whose position the other photos may see")
	flags.Uint64Var(&o.Seed, "seed", 1, "which photos those are, and the shuffled order")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object with shares from 0 to 1")
	return cmd
}

func evalFlags(cmd *cobra.Command, o eval.Options) error {
	if (o.Gallery == "") != (o.GalleryPhotos == "") {
		return wrongUsage(cmd, errors.New("--gallery and --gallery-photos go together"))
	}
	if !(o.Anchors >= 0 && o.Anchors < 1) {
		return wrongUsage(cmd, fmt.Errorf("--anchors %v: want a share from 0 to less than 1", o.Anchors))
	}
	return required(cmd, "bundle", "manifest", "photos")
}

// progress counts on one line of a terminal; a log file gets nothing.
func progress(std streams) func(done, total int) {
	if !isTerminal(std.err) {
		return nil
	}
	started := time.Now()
	return func(done, total int) {
		rate := float64(done) / time.Since(started).Seconds()
		end := ""
		if done == total {
			end = "\n"
		}
		fmt.Fprintf(std.err, "\r%d of %d photos, %.0f/s%s", done, total, rate, end)
	}
}
