package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"planetag/enrich/cells/divide"
	"planetag/pipeline"
)

// cellsBuild are the flags of `cells build`.
type cellsBuild struct {
	divide.Options
	columns divide.Columns
	memory  pipeline.Bytes
	out     string
	coords  []string
	draw    divide.Simulation
	asJSON  bool
}

// cellsBuilt is what `cells build --json` prints.
type cellsBuilt struct {
	Cells        int                `json:"cells"`
	Photos       int64              `json:"photos"`
	Counted      int64              `json:"counted"`
	Dropped      divide.Dropped     `json:"dropped"`
	BadRows      divide.Bad         `json:"bad_rows"`
	Oracle       divide.Oracle      `json:"oracle"`
	Seconds      float64            `json:"seconds"`
	Phases       map[string]float64 `json:"phases"` // seconds
	PeakRSSBytes int64              `json:"peak_rss_bytes"`
	Out          string             `json:"out,omitempty"`
}

func newCellsBuild(std streams) *cobra.Command {
	o := cellsBuild{}
	cmd := &cobra.Command{
		Use:   "build [FILE]...",
		Short: "Divide the earth by where photos were taken",
		Long: `Read coordinates and cut PlaNet's adaptive division: descend S2's tree until a
cell holds at most --max-photos photos, then drop cells with fewer than
--min-photos. Every cell gets its mean location, the radii that hold half and
nine tenths of its photos, shares of countries and regions, and the nearest
town; the file's metadata say how it was made.

FILE is CSV or tab-separated text with a header, Parquet (*.parquet), or - for
text on standard input. Columns are found by name: lat or latitude; lon, lng,
long or longitude. Photos of one spot are never parted; with --photographer,
photos of one person at one spot (two metres) count once.

With --simulate, points are drawn around those of --coords instead.`,
		Example: `  planetag cells build photos.csv --max-photos 500 --min-photos 20 --out cells.parquet
  planetag cells build part-*.parquet --photographer user_id --out cells.parquet
  planetag cells build --simulate 100000000 --coords list.csv --t1 10000 --t2 50 --json`,
		RunE: func(cmd *cobra.Command, files []string) error { return o.run(cmd, files, std) },
	}
	o.flags(cmd.Flags())
	return cmd
}

func (o *cellsBuild) flags(flags *pflag.FlagSet) {
	flags.StringVar(&o.out, "out", "", "where to write the cells, *.parquet (default: only count)")
	flags.Int64Var(&o.Rules.MaxPhotos, "max-photos", 10000, "divide a cell with more photos; also --t1")
	flags.Int64Var(&o.Rules.MinPhotos, "min-photos", 50, "drop a cell with fewer photos; also --t2")
	flags.IntVar(&o.Rules.MinLevel, "min-level", 2, "no cell is coarser than this S2 level")
	flags.IntVar(&o.Rules.MaxLevel, "max-level", 16, "no cell is finer than this S2 level, whatever it holds")
	flags.StringVar(&o.columns.Lat, "lat", "", "column of the latitude: its name, or its number in a file without header")
	flags.StringVar(&o.columns.Lon, "lon", "", "column of the longitude")
	flags.StringVar(&o.columns.Photographer, "photographer", "", "column that tells photographers apart")
	flags.Float64Var(&o.MaxBad, "max-bad", 0.01, "share of rows that may hold no position")
	flags.TextVar(&o.memory, "memory", pipeline.Bytes(5<<28), "points to hold in memory, the rest goes to disk")
	flags.StringVar(&o.TempDir, "temp-dir", "", "where on disk (default: the system's)")
	flags.Int64Var(&o.draw.Points, "simulate", 0, "draw so many points around those of --coords instead of reading files")
	flags.StringSliceVar(&o.coords, "coords", nil, "files of coordinates to draw around")
	flags.Float64Var(&o.draw.JitterKm, "jitter-km", 1, "how far to draw, standard deviation to the north and to the east")
	flags.Uint64Var(&o.draw.Seed, "seed", 1, "of the drawn points")
	flags.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	flags.SetNormalizeFunc(func(_ *pflag.FlagSet, name string) pflag.NormalizedName {
		switch name {
		case "t1": // the paper's names
			name = "max-photos"
		case "t2":
			name = "min-photos"
		}
		return pflag.NormalizedName(name)
	})
}

func (o *cellsBuild) check(cmd *cobra.Command, files []string) error {
	switch {
	case len(files) == 0 && o.draw.Points == 0:
		return wrongUsage(cmd, errors.New("FILE is missing, give one or --simulate"))
	case len(files) > 0 && o.draw.Points != 0:
		return wrongUsage(cmd, errors.New("give FILE or --simulate, not both"))
	case (o.draw.Points != 0) != (len(o.coords) > 0):
		return wrongUsage(cmd, errors.New("--simulate and --coords go together"))
	case o.draw.Points < 0 || !(o.draw.JitterKm >= 0):
		return wrongUsage(cmd, errors.New("--simulate and --jitter-km must not be negative"))
	}
	o.Photographers = o.columns.Photographer != "" && o.draw.Points == 0
	o.Memory = int64(o.memory)
	if err := o.Options.Check(); err != nil {
		return wrongUsage(cmd, err)
	}
	return nil
}

// source is what to read, and the beginning of the recipe that says so.
func (o *cellsBuild) source(cmd *cobra.Command, files []string) (divide.Source, divide.Recipe, error) {
	var recipe divide.Recipe
	if o.columns != (divide.Columns{}) {
		recipe.Columns = &o.columns
	}
	paths := files
	if len(files) == 0 {
		paths = o.coords
	}
	for _, path := range paths {
		recipe.Inputs = append(recipe.Inputs, filepath.Base(path))
	}
	source, err := divide.Open(paths, o.columns)
	if err != nil || len(files) > 0 {
		return source, recipe, err
	}
	o.draw.Around = source
	recipe.Simulation = &o.draw
	source, err = o.draw.Read(cmd.Context())
	return source, recipe, err
}

func (o *cellsBuild) run(cmd *cobra.Command, files []string, std streams) error {
	if err := o.check(cmd, files); err != nil {
		return err
	}
	// Points are most of the memory and no garbage; the default would let as much garbage again pile up beside them.
	debug.SetGCPercent(50)
	started := time.Now()
	source, recipe, err := o.source(cmd, files)
	if err != nil {
		return err
	}
	bar := newBar(std)
	o.Progress = bar.show
	result, err := divide.Build(cmd.Context(), source, o.Options)
	bar.end()
	if err != nil {
		return err
	}
	if o.out != "" {
		writing := time.Now()
		if err := divide.Write(o.out, result.Rows, result.Recipe(o.Options, recipe)); err != nil {
			return err
		}
		result.Seconds["write"] = time.Since(writing).Seconds()
	}
	built := cellsBuilt{
		len(result.Rows), result.Photos, result.Counted, result.Dropped, result.Bad, result.Oracle,
		time.Since(started).Seconds(), result.Seconds, peakRSS(), o.out,
	}
	if o.asJSON {
		return printJSON(std.out, true, built)
	}
	return built.print(std)
}

func (b cellsBuilt) print(std streams) error {
	fmt.Fprintf(std.out, "%d cells of %d photos in %.1f s, %d MiB at most\n", b.Cells, b.Photos, b.Seconds, b.PeakRSSBytes>>20)
	if b.Counted != b.Photos {
		fmt.Fprintf(std.out, "%d counted: one for each photographer and spot\n", b.Counted)
	}
	fmt.Fprintf(std.out, "%d photos (%.3f %%) in %d cells with too few were dropped\n", b.Dropped.Photos, 100*b.Dropped.Share, b.Dropped.Cells)
	fmt.Fprintf(std.out, "if the right cell were always chosen: median error %.1f km, %.1f %% within 25 km\n", b.Oracle.MedianKm, 100*b.Oracle.Within25km)
	if b.BadRows.Empty > 0 {
		fmt.Fprintf(std.out, "%d rows say nothing of a position\n", b.BadRows.Empty)
	}
	if b.BadRows.Rows > 0 {
		fmt.Fprintf(std.out, "%d rows hold no position and were skipped:\n", b.BadRows.Rows)
		for _, row := range b.BadRows.First {
			fmt.Fprintf(std.out, "  %s\n", row)
		}
	}
	if b.Out != "" {
		fmt.Fprintf(std.out, "written to %s\n", b.Out)
	}
	return nil
}

// peakRSS is the most memory this process ever had, in bytes.
func peakRSS() int64 {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return use.Maxrss << 10
}
