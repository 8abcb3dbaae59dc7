package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"planetag/pipeline/export"
)

func newExport(g *global, std streams) *cobra.Command {
	var o export.Options
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "export --parquet FILE|--geojson FILE|-",
		Short: "Write the locations as GeoParquet or GeoJSON",
		Long: `Read the locations topic twice, from its start to its end, and write for each photo
the record that counts, the one with the greatest (stage, revision): GeoParquet 1.1 or
GeoJSON. Photos that were removed or whose owners opted out are left out. Photos that
the model abstained on have no geometry. A position is measured only where status is
"given"; everywhere else it is an estimate, and its radius stands beside it.

It takes about 80 bytes of memory for each photo. The files appear when they are
complete, and are written for you alone (0600).`,
		Example: `  planetag export --config planetag.yaml --parquet photos.parquet
  planetag export --config planetag.yaml --geojson - | jq '.features | length'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return takeAway(cmd, g, o, path, asJSON, std) },
	}
	flags := cmd.Flags()
	flags.StringVar(&path, "config", "", "configuration file")
	flags.StringVar(&o.Parquet, "parquet", "", "GeoParquet file to write")
	flags.StringVar(&o.GeoJSON, "geojson", "", "GeoJSON file to write, - for standard output")
	flags.BoolVar(&asJSON, "json", false, "print the report as one JSON object")
	return cmd
}

func takeAway(cmd *cobra.Command, g *global, o export.Options, path string, asJSON bool, std streams) (err error) {
	switch {
	case o.Parquet == "" && o.GeoJSON == "":
		return wrongUsage(cmd, errors.New("--parquet or --geojson is missing"))
	case o.Parquet == "-":
		return wrongUsage(cmd, errors.New("--parquet is -; a Parquet file ends with what readers begin with, so name a file"))
	case o.GeoJSON == "-" && asJSON:
		return wrongUsage(cmd, errors.New("--json and --geojson - would both write to standard output; choose one"))
	}
	if o.Config, err = g.config(path); err != nil {
		return err
	}
	if o.Log, err = logger(o.Config.Log, std.err); err != nil {
		return err
	}
	o.Stdout = std.out
	report, err := export.Run(cmd.Context(), o)
	if err != nil {
		return reached(err)
	}
	if asJSON {
		return printJSON(std.out, true, report)
	}
	exportText(std, report)
	return nil
}

// exportText goes to standard error: standard output may be the GeoJSON.
func exportText(std streams, r export.Report) {
	fmt.Fprintf(std.err, "%d photos written", r.Photos)
	for _, status := range slices.Sorted(maps.Keys(r.Statuses)) {
		fmt.Fprintf(std.err, ", %d %s", r.Statuses[status], status)
	}
	fmt.Fprintf(std.err, "; %d opted out\n", r.OptedOut)
	if r.Unreadable > 0 {
		fmt.Fprintf(std.err, "%d records of the topic are no locations\n", r.Unreadable)
	}
	if r.Changed > 0 {
		fmt.Fprintf(std.err, "%d photos changed while the topic was read, and are left out; run it again\n", r.Changed)
	}
}
