package main

import (
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"planetag/enrich"
	"planetag/enrich/cells/gazetteer"
	"planetag/enrich/decode"
	"planetag/pipeline/eval"
	"planetag/pipeline/eval/report"
)

// evalCommand is the flags of eval beside those of eval.Options.
type evalCommand struct {
	options eval.Options
	split   string
	report  string
	asJSON  bool
}

const evalHelp = `Locate every photo of a manifest in every mode of the bundle and print how far the
answers are from the truth, beside always answering the most common cell and, with a
gallery, the place of the most similar gallery photo; then how well confidence,
abstaining and radii keep their word. With --predictions no model is needed: what
another system predicted is scored in the same way.

The manifest is CSV, or Parquet if its name ends in .parquet, with the columns id, file,
lat, lon and, if known, taken_at, album and source_repo (or source); predictions have id, lat, lon, pred_lat, pred_lon and, if
known, confidence, album and source_repo. Other columns are ignored. Photos that
cannot be read are named, counted and left out.

The gallery is the manifest of the training photos. Photos whose unit it holds are
left out and counted: by default their album, with --split-by source their source,
with --split-by spatial:25 everything within 25 km of them. Photos that the gallery
holds under another name (same bytes, same look to a perceptual hash and to the
model) are listed and end the command, unless --allow-overlap is given.

Intervals are 95 % of a bootstrap over whole units, not over photos, because the
photos of one album are not independent.`

func newEval(g *global, std streams) *cobra.Command {
	var c evalCommand
	cmd := &cobra.Command{
		Use:   "eval --bundle DIR --manifest CSV --photos DIR",
		Short: "Measure a bundle, or predictions, on photos of known places",
		Long:  evalHelp,
		Example: `  planetag eval --bundle bundles/demo --manifest photos/manifest.csv --photos photos
  planetag eval … --gallery train.csv --gallery-photos train --split-by spatial:25 --json > result.json
  planetag eval … --compare bundles/other --compare-modes average,lstm_repeat --report report.html
  planetag eval --predictions others.csv`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.check(cmd); err != nil {
				return err
			}
			cfg, err := g.config("") // where the network runs, and which, is said by the environment
			if err != nil {
				return err
			}
			c.options.Model = enrich.Options{
				Bundle: g.bundle, Library: g.library, Limits: decode.DefaultLimits(), Device: cfg.Accelerator.Resolve(), Precision: cfg.Bundle.Precision,
			}
			c.options.Progress, c.options.Now = progress(std), time.Now()
			return c.run(cmd, std)
		},
	}
	flags, o := cmd.Flags(), &c.options
	flags.StringVar(&o.Manifest, "manifest", "", "CSV or Parquet of the photos and where they were taken")
	flags.StringVar(&o.Photos, "photos", "", "folder in which the manifest's files are")
	flags.StringVar(&o.Predictions, "predictions", "", "CSV of another system's predictions, in place of a bundle and photos")
	flags.StringVar(&o.Gallery, "gallery", "", "CSV of the training photos, for the row nearest and against overlap")
	flags.StringVar(&o.GalleryPhotos, "gallery-photos", "", "folder in which the gallery's files are")
	flags.BoolVar(&o.AllowOverlap, "allow-overlap", false, "score photos that the gallery holds too")
	flags.StringVar(&c.split, "split-by", "album", "which photos are one unit: album, source or spatial:KM")
	flags.StringVar(&o.Compare, "compare", "", "second bundle (with --predictions: second CSV) to compare with, photo by photo")
	flags.StringSliceVar(&o.CompareModes, "compare-modes", nil, "modes to compare, the first with each other one: a,b")
	flags.Float64Var(&o.Anchors, "anchors", 0, "share of each album's photos whose position the other photos may see")
	flags.StringVar(&o.AnchorsFrom, "anchors-from", "", "manifest of photos, in the same folder, whose position those of their album may see")
	flags.Uint64Var(&o.Seed, "seed", 1, "which photos those are, and the shuffled order of albums")
	flags.StringVar(&c.report, "report", "", "also write a page with tables, plots and a map of the errors to this HTML file")
	flags.BoolVar(&c.asJSON, "json", false, "print one JSON object with shares from 0 to 1")
	return cmd
}

// check looks at the flags alone.
func (c *evalCommand) check(cmd *cobra.Command) error {
	o := &c.options
	var err error
	if o.Split, err = eval.ParseSplit(c.split); err != nil {
		return wrongUsage(cmd, fmt.Errorf("--split-by: %w", err))
	}
	if len(o.CompareModes) == 1 {
		return wrongUsage(cmd, errors.New("--compare-modes wants at least two modes, as in average,lstm_repeat"))
	}
	if !(o.Anchors >= 0 && o.Anchors < 1) {
		return wrongUsage(cmd, fmt.Errorf("--anchors %v: want a share from 0 to less than 1", o.Anchors))
	}
	if o.Anchors > 0 && o.AnchorsFrom != "" {
		return wrongUsage(cmd, errors.New("--anchors draws the photos that --anchors-from names: give one of them"))
	}
	if o.Predictions != "" {
		if o.Manifest != "" || o.Photos != "" || o.GalleryPhotos != "" || cmd.Flag("bundle").Changed {
			return wrongUsage(cmd, errors.New("--predictions needs no model: leave out --bundle, --manifest, --photos and --gallery-photos"))
		}
		return nil
	}
	if (o.Gallery == "") != (o.GalleryPhotos == "") {
		return wrongUsage(cmd, errors.New("--gallery and --gallery-photos go together"))
	}
	return required(cmd, "bundle", "manifest", "photos")
}

// run measures and prints. An overlap is printed like a result, which then has no figures, and fails all the same.
func (c *evalCommand) run(cmd *cobra.Command, std streams) error {
	names, err := gazetteer.Open()
	if err != nil {
		return err
	}
	c.options.Gazetteer = names
	result, failed := eval.Run(cmd.Context(), c.options)
	if failed != nil && !errors.Is(failed, eval.ErrOverlap) {
		return failed
	}
	if failed == nil && c.report != "" {
		if err := writeReport(c.report, result, c.options.Gazetteer.Land()); err != nil {
			return err
		}
	}
	show := func() error { return report.Table(std.out, result) }
	if c.asJSON {
		show = func() error { return printJSON(std.out, true, result) }
	}
	if err := show(); err != nil {
		return err
	}
	if failed != nil {
		return fmt.Errorf("%w (--allow-overlap)", failed)
	}
	return nil
}

func writeReport(path string, result eval.Result, land []gazetteer.Ring) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	if err := errors.Join(report.HTML(f, result, land), f.Close()); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
}

// progress counts on one line of a terminal; a log file gets nothing. The photos, the gallery and the photos of a second
// bundle each start at nothing again.
func progress(std streams) func(done, total int) {
	if !isTerminal(std.err) {
		return nil
	}
	var mu sync.Mutex
	started, last := time.Now(), 0
	return func(done, total int) {
		mu.Lock()
		defer mu.Unlock()
		last = max(last, done) // calls of several cores may overtake each other
		end := ""
		if last == total {
			end = "\n"
		}
		fmt.Fprintf(std.err, "\r%d of %d photos, %.0f/s%s", last, total, float64(last)/max(time.Since(started).Seconds(), 1e-3), end)
		if last == total {
			started, last = time.Now(), 0
		}
	}
}
