package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"planetag/enrich/cells"
)

func newCellsDiff(std streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "diff OLD NEW",
		Short:   "Say what became of the cells of one file in another",
		Long:    "Compare two files of cells: which are the same, which were divided or joined, and what only one of them has.",
		Example: "  planetag cells diff bundles/demo/cells.parquet new.parquet",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 2 {
				return wrongUsage(cmd, fmt.Errorf("%d files given, two are compared", len(args)))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			first, _, err := openCells(args[0])
			if err != nil {
				return err
			}
			second, _, err := openCells(args[1])
			if err != nil {
				return err
			}
			diff := cells.Compare(first, second)
			if asJSON {
				return printJSON(std.out, true, diff)
			}
			printDiff(std, diff)
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

func printDiff(std streams, diff cells.Diff) {
	fmt.Fprintf(std.out, "%-16s %8s %12s %10s\n", "", "cells", "photos", "of earth")
	for _, row := range []struct {
		name string
		part cells.Part
	}{
		{"same", diff.Same},
		{"divided", diff.Divided},
		{"joined", diff.Joined},
		{"gone", diff.Gone},
		{"new", diff.OnlyInSecond},
	} {
		fmt.Fprintf(std.out, "%-16s %8d %12d %8.2f %%\n", row.name, row.part.Cells, row.part.Photos, 100*row.part.EarthShare)
	}
}
