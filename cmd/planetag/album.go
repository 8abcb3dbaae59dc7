package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"planetag/enrich/bundle"
	"planetag/pipeline/eval"
)

func newAlbum(std streams) *cobra.Command {
	o := eval.PassOptions{Travel: bundle.DefaultTravel()}
	cmd := &cobra.Command{
		Use:   "album --cells FILE < PHOTOS",
		Short: "Have the album mode hmm read probabilities that are known",
		Long: `Read photos from the standard input, a JSON object a line, and write what the album
mode hmm makes of each, in the same order and form: id, album, taken_at (RFC 3339, left
out if it is not known), cell (rows of the cells file, the most probable first) and p,
their probabilities. It is what "make learn" calibrates the mode with: on answers by
models that have not learned the photo, which no bundle could give.`,
		Example: "  planetag album --cells bundle/cells.parquet --evidence 1 < unseen.jsonl > answers.jsonl",
		Args:    noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := required(cmd, "cells"); err != nil {
				return err
			}
			if e := o.Travel.Evidence; !(e >= 0.01 && e <= 1) {
				return wrongUsage(cmd, fmt.Errorf("--evidence %v: want 0.01 to 1", e))
			}
			if o.TopK < 1 {
				return wrongUsage(cmd, fmt.Errorf("--top-k %d: want at least 1", o.TopK))
			}
			return eval.Pass(cmd.Context(), o, std.in, std.out)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&o.Cells, "cells", "", "cells.parquet of a bundle")
	flags.IntVar(&o.TopK, "top-k", 64, "classes of an answer, at most")
	flags.Float64Var(&o.Travel.Evidence, "evidence", o.Travel.Evidence, "exponent of what is seen in one photo, as album.hmm.evidence in bundle.yaml")
	return cmd
}
