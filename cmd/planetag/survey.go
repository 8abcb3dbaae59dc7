package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"planetag/enrich/cells"
	"planetag/enrich/cells/divide"
	"planetag/pipeline/survey"
)

func newSurvey(g *global, std streams) *cobra.Command {
	var o survey.Options
	var path, chart string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "survey s3://BUCKET/PREFIX|FOLDER",
		Short: "Take stock of an archive: which photos know where they were taken",
		Long: `List an archive, read the EXIF of every photo, and write a manifest (CSV, or
Parquet if its name ends in .parquet) of all photos and a report: how many have a position, by year, camera and country, which
clocks and positions are not to be believed, how large the albums are, and how many
photos without a position could learn from their album.

Of a JPEG only the first 64 KiB are read. Nothing is changed, and nothing is sent
anywhere but requests to the archive. A survey that was ended, however, goes on
where it was when it is started again with the same arguments; until it is complete,
FILE.journal holds what is known.

The manifest says where your photos were taken: it is written for you alone (0600).`,
		Example: `  planetag survey s3://photos/2019/ --config planetag.yaml --out 2019.csv
  planetag survey ~/Pictures --out pictures.csv --opt-out private/ --json
  planetag survey s3://photos --config planetag.yaml --dry-run`,
		Args: oneArgument("s3://BUCKET/PREFIX or FOLDER"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if o.Config, err = g.config(path); err != nil {
				return err
			}
			o.Archive = args[0]
			return takeStock(cmd, o, chart, asJSON, std)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Out, "out", "", "manifest to write, CSV or *.parquet")
	flags.StringVar(&path, "config", "", "configuration file, for the store")
	flags.StringVar(&chart, "map", "", "draw where the photos with a position are: SVG, PNG or GeoJSON")
	flags.StringArrayVar(&o.OptOut, "opt-out", nil, "prefix of keys that are counted and never read; may be repeated")
	flags.BoolVar(&o.Hashes, "phash", false, "read every photo whole and write down its perceptual hash")
	flags.BoolVar(&o.DryRun, "dry-run", false, "only list, and say how many requests and bytes reading would take")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func takeStock(cmd *cobra.Command, o survey.Options, chart string, asJSON bool, std streams) error {
	switch {
	case o.Out == "" && !o.DryRun:
		return wrongUsage(cmd, errors.New("--out is missing; --dry-run needs none"))
	case chart != "" && (o.DryRun || mapKind(chart) == ""):
		return wrongUsage(cmd, fmt.Errorf("--map is %q; its ending must be .svg, .png or .geojson, and a dry run has none", chart))
	}
	o.Now, o.Progress = time.Now(), surveyProgress(std)
	report, err := survey.Run(cmd.Context(), o)
	if o.Progress != nil {
		fmt.Fprintln(std.err)
	}
	if err != nil {
		return reached(err)
	}
	if asJSON {
		err = printJSON(std.out, true, report)
	} else {
		err = report.Text(std.out)
	}
	if err != nil || chart == "" {
		return err
	}
	return mapOf(cmd.Context(), o.Out, chart)
}

// mapOf draws the positions of a manifest as cells: small where many photos are, and never finer than two kilometres.
func mapOf(ctx context.Context, manifest, out string) error {
	source, err := divide.Open([]string{manifest}, divide.Columns{})
	if err != nil {
		return err
	}
	const mapLevel, photosPerCell, points = 12, 25, 1 << 28
	result, err := divide.Build(ctx, source, divide.Options{
		Rules: divide.Rules{MaxPhotos: photosPerCell, MinPhotos: 1, MinLevel: 2, MaxLevel: mapLevel}, Memory: points, MaxBad: 1,
	})
	if err != nil {
		return fmt.Errorf("draw a map: %w", err)
	}
	var rows []cells.Cell
	for _, row := range result.Rows {
		rows = append(rows, row.Cell)
	}
	table, err := cells.New(rows)
	if err != nil {
		return fmt.Errorf("draw a map: %w", err)
	}
	const width = 2000
	return drawCells(out, mapKind(out), table, width)
}

// surveyProgress shows a line on a terminal. How many photos there are is known when all are listed, and listing is
// hardly ahead of reading; so there is a rate and no end.
func surveyProgress(std streams) func(read, listed int64) {
	if !isTerminal(std.err) {
		return nil
	}
	started, drawn := time.Now(), time.Time{}
	return func(read, listed int64) {
		if now := time.Now(); now.Sub(drawn) > 100*time.Millisecond {
			drawn = now
			fmt.Fprintf(std.err, "\r\033[K%d photos read of %d listed so far, %.0f/s", read, listed, float64(read)/max(now.Sub(started).Seconds(), 1e-3))
		}
	}
}
