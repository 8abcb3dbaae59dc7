package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"planetag/enrich"
	"planetag/enrich/decode"
	"planetag/pipeline/eval"
)

func newEmbed(g *global, std streams) *cobra.Command {
	var o eval.EmbeddingsOptions
	var asJSON bool
	const most = 64 // views
	cmd := &cobra.Command{
		Use:   "embed --bundle DIR --manifest FILE --photos DIR --out FILE.parquet",
		Short: "Write what the network sees in photos of known places",
		Long: `Read every photo of a manifest that has a position, decode it as the worker does,
and write the network's embeddings, with the columns of the manifest, to a Parquet
file: what "make learn" learns from. With --views, each photo is seen in so many
other views, too: parts of it, mirrored, in other light.

The manifest is CSV, or Parquet if its name ends in .parquet. The file says where
your photos were taken: it is written for you alone (0600).`,
		Example: "  planetag embed --bundle bundles/demo --manifest pictures.csv --photos ~/Pictures --out embeddings.parquet",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "bundle", "manifest", "photos", "out"); err != nil {
				return err
			}
			if o.Views < 0 || o.Views > most {
				return wrongUsage(cmd, fmt.Errorf("--views %d: want 0 to %d", o.Views, most))
			}
			o.Model = enrich.Options{Bundle: g.bundle, Library: g.library, Limits: decode.DefaultLimits()}
			o.Progress = progress(std)
			done, err := eval.Embeddings(cmd.Context(), o)
			switch {
			case err != nil:
				return err
			case asJSON:
				return printJSON(std.out, true, done)
			}
			return told(std, done)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Manifest, "manifest", "", "CSV or Parquet of the photos and where they were taken")
	flags.StringVar(&o.Photos, "photos", "", "folder in which the manifest's files are")
	flags.StringVar(&o.Out, "out", "", "Parquet file to write")
	flags.IntVar(&o.Views, "views", 0, "of each photo, beside the one the worker sees")
	flags.BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// told says what was written, and names the first photos that could not be read.
func told(std streams, done eval.Embedded) error {
	_, err := fmt.Fprintf(std.out, "%s: %d photos, %d views each; %d have no position, %d could not be read\n",
		done.Out, done.Photos, done.Views, done.Placeless, len(done.Unreadable))
	const named = 5
	for _, bad := range done.Unreadable[:min(named, len(done.Unreadable))] {
		_, more := fmt.Fprintf(std.out, "  line %d, %s: %s\n", bad.Line, bad.File, bad.Error)
		err = errors.Join(err, more)
	}
	return err
}
