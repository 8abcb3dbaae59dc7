package main

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"planetag/pipeline/export"
)

func newExport(g *global, std streams) *cobra.Command {
	var o export.Options
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "export --parquet FILE|--geojson FILE|--xmp DIR|--xmp-beside DIR",
		Short: "Write the locations as GeoParquet, GeoJSON or XMP sidecars",
		Long: `Read the locations topic twice, from its start to its end, and write for each photo
the record that counts, the one with the greatest (stage, revision): GeoParquet 1.1,
GeoJSON or XMP sidecars. Photos that were removed or whose owners opted out are left
out. Photos that the model abstained on have no geometry. A position is measured only
where status is "given"; everywhere else it is an estimate, and its radius stands
beside it.

It takes about 80 bytes of memory for each photo. The files appear when they are
complete, and are written for you alone (0600).

Sidecars (IMG.jpg.xmp) are for digiKam, darktable and Immich: --xmp writes them into
a folder, under the photos' keys, --xmp-beside beside the photos of a folder, with the
photo's mode and owner. What others wrote in a sidecar stays. An estimate becomes
Iptc4xmpExt:LocationCreated and planetag's own properties; never exif:GPS, which
applications take for measured, unless --xmp-gps asks for it. A photo with a position
of its own gets no estimate, and one that has lost its answer loses it in its sidecar.
What is not understood is named and left alone. Running it again changes nothing.`,
		Example: `  planetag export --config planetag.yaml --parquet photos.parquet
  planetag export --config planetag.yaml --geojson - | jq '.features | length'
  planetag export --config planetag.yaml --xmp-beside ~/Pictures --xmp-of photos/2019`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error { return takeAway(cmd, g, o, path, asJSON, std) },
	}
	flags := cmd.Flags()
	flags.StringVar(&path, "config", "", "configuration file")
	flags.StringVar(&o.Parquet, "parquet", "", "GeoParquet file to write")
	flags.StringVar(&o.GeoJSON, "geojson", "", "GeoJSON file to write, - for standard output")
	flags.BoolVar(&asJSON, "json", false, "print the report as one JSON object")
	sidecarFlags(flags, &o.XMP)
	return cmd
}

func sidecarFlags(flags *pflag.FlagSet, x *export.Sidecars) {
	flags.StringVar(&x.Dir, "xmp", "", "folder to write XMP sidecars into, under the keys of the photos")
	flags.StringVar(&x.Photos, "xmp-beside", "", "folder with the photos to write XMP sidecars beside")
	flags.StringVar(&x.Of, "xmp-of", "", "BUCKET or BUCKET/PREFIX of which the folder is a copy (default: the one bucket)")
	flags.BoolVar(&x.Stem, "xmp-stem", false, "write IMG.xmp instead of IMG.jpg.xmp")
	flags.BoolVar(&x.GPS, "xmp-gps", false, "write positions as exif:GPS, too: measured ones, and estimates within the next two limits")
	flags.Float64Var(&x.MinConfidence, "min-confidence", 0.8, "least confidence of an estimate for --xmp-gps, 0 to 1")
	flags.Float64Var(&x.MaxRadiusKM, "max-radius-km", 25, "greatest radius, of nine tenths, of an estimate for --xmp-gps")
	flags.BoolVar(&x.Prune, "xmp-prune", false, "take estimates out of sidecars of photos that the topic does not know, too")
}

func takeAway(cmd *cobra.Command, g *global, o export.Options, path string, asJSON bool, std streams) (err error) {
	if err := exportUsage(cmd, o, asJSON); err != nil {
		return wrongUsage(cmd, err)
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

func exportUsage(cmd *cobra.Command, o export.Options, asJSON bool) error {
	sidecars := o.XMP.Dir != "" || o.XMP.Photos != ""
	switch {
	case o.Parquet == "" && o.GeoJSON == "" && !sidecars:
		return errors.New("--parquet, --geojson, --xmp or --xmp-beside is missing")
	case o.Parquet == "-":
		return errors.New("--parquet is -; a Parquet file ends with what readers begin with, so name a file")
	case o.GeoJSON == "-" && asJSON:
		return errors.New("--json and --geojson - would both write to standard output; choose one")
	case o.XMP.Dir != "" && o.XMP.Photos != "":
		return errors.New("--xmp and --xmp-beside each name the folder of the sidecars; choose one")
	case !(o.XMP.MinConfidence >= 0 && o.XMP.MinConfidence <= 1):
		return fmt.Errorf("--min-confidence is %v; it is a probability, from 0 to 1", o.XMP.MinConfidence)
	case !(o.XMP.MaxRadiusKM > 0):
		return fmt.Errorf("--max-radius-km is %v; it must be greater than 0", o.XMP.MaxRadiusKM)
	}
	for _, flag := range []string{"xmp-of", "xmp-stem", "xmp-gps", "xmp-prune"} {
		if !sidecars && cmd.Flags().Changed(flag) {
			return fmt.Errorf("--%s is for --xmp and --xmp-beside", flag)
		}
	}
	for _, flag := range []string{"min-confidence", "max-radius-km"} {
		if !o.XMP.GPS && cmd.Flags().Changed(flag) {
			return fmt.Errorf("--%s is for --xmp-gps", flag)
		}
	}
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
	if x := r.Sidecars; x != nil {
		sidecarText(std, *x)
	}
}

func sidecarText(std streams, x export.SidecarReport) {
	fmt.Fprintf(std.err, "sidecars: %d written, %d unchanged, %d taken out\n", x.Written, x.Unchanged, x.TakenOut)
	for _, line := range []struct {
		count int64
		of    string
	}{
		{x.Positioned, "photos have a position of their own, and get no estimate"},
		{x.Absent, "photos are not in the folder"},
		{x.Finer, "estimates are finer than bundle.precision_cap_level allows now, and are not written"},
		{x.Unknown, "sidecars have an estimate for a photo that the topic does not know; --xmp-prune takes it out"},
		{x.LeftAlone, "sidecars were left alone; they are named above"},
	} {
		if line.count > 0 {
			fmt.Fprintf(std.err, "%d %s\n", line.count, line.of)
		}
	}
}
