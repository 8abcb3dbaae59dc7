package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"planetag/enrich/cells"
	"planetag/enrich/cells/divide"
)

// cellsSeen is what `cells inspect --json` prints.
type cellsSeen struct {
	cells.Summary
	Counted bool           `json:"counted"` // false: a list that says nothing of photos
	Recipe  *divide.Recipe `json:"recipe,omitempty"`
	Oracle  *divide.Judged `json:"oracle,omitempty"`
}

// cellsInspect are the flags of `cells inspect`.
type cellsInspect struct {
	coords  []string
	columns divide.Columns
	maxBad  float64
	asJSON  bool
}

func newCellsInspect(std streams) *cobra.Command {
	var o cellsInspect
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Say how many cells a file has, how large they are, and how good they can be",
		Long: `FILE is cells.parquet, or a published list of token, latitude and longitude.

With --coords the cells are judged by coordinates of your own: how far the answer
would be from the truth if the right cell were always chosen. That is the least
error that any model over these cells can have.`,
		Example: "  planetag cells inspect bundles/demo/cells.parquet --coords photos.csv",
		Args:    oneArgument("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			seen, err := o.look(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			if o.asJSON {
				return printJSON(std.out, true, seen)
			}
			seen.print(std)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.coords, "coords", nil, "files of coordinates to judge the cells by, as `cells build` reads them")
	flags.StringVar(&o.columns.Lat, "lat", "", "column of the latitude")
	flags.StringVar(&o.columns.Lon, "lon", "", "column of the longitude")
	flags.Float64Var(&o.maxBad, "max-bad", 0.01, "share of rows that may hold no position")
	flags.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	return cmd
}

func (o cellsInspect) look(ctx context.Context, path string) (cellsSeen, error) {
	table, counted, err := openCells(path)
	if err != nil {
		return cellsSeen{}, err
	}
	seen := cellsSeen{Summary: table.Summary(), Counted: counted}
	if counted {
		recipe, ok, err := divide.ReadRecipe(path)
		if err != nil {
			return cellsSeen{}, err
		}
		if ok {
			seen.Recipe = &recipe
		}
	}
	if len(o.coords) > 0 {
		source, err := divide.Open(o.coords, o.columns)
		if err != nil {
			return cellsSeen{}, err
		}
		judged, err := divide.Judge(ctx, table, source, o.maxBad)
		if err != nil {
			return cellsSeen{}, err
		}
		seen.Oracle = &judged
	}
	return seen, nil
}

func (s cellsSeen) print(std streams) {
	fmt.Fprintf(std.out, "%d cells over %.1f %% of the earth\n", s.Cells, 100*s.EarthShare)
	fmt.Fprintf(std.out, "size      %s km\n", spread(s.SizeKm))
	if s.Counted {
		fmt.Fprintf(std.out, "photos    %s a cell, %d in all\n", spread(s.PhotosPerCell), s.Photos)
	} else {
		fmt.Fprintln(std.out, "photos    not known: this is a list of cells")
	}
	var levels []string
	for _, l := range s.Levels {
		levels = append(levels, fmt.Sprintf("%d: %d", l.Level, l.Cells))
	}
	fmt.Fprintf(std.out, "levels    %s\n", strings.Join(levels, ", "))
	if r := s.Recipe; r != nil {
		fmt.Fprintf(std.out, "recipe    at most %d, at least %d photos, levels %d to %d; %d of %d photos (%.3f %%) dropped\n",
			r.Rules.MaxPhotos, r.Rules.MinPhotos, r.Rules.MinLevel, r.Rules.MaxLevel, r.Dropped.Photos, r.Photos, 100*r.Dropped.Share)
		fmt.Fprintf(std.out, "          median error %.1f km, %.1f %% within 25 km, on the photos they are made of, if the right cell were always chosen\n",
			r.Oracle.MedianKm, 100*r.Oracle.Within25km)
	}
	if o := s.Oracle; o != nil {
		fmt.Fprintf(std.out, "oracle    median error %.1f km, %.1f %% within 25 km, %.2f %% of %d coordinates in no cell\n",
			o.MedianKm, 100*o.Within25km, 100*o.Outside, o.Photos)
	}
}

func spread(s cells.Spread) string {
	return fmt.Sprintf("%.4g to %.4g, median %.4g, middle four fifths %.4g to %.4g", s.Min, s.Max, s.Median, s.P10, s.P90)
}
