package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"planetag/enrich/cells"
)

func newCells(std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cells",
		Short: "Make and look at the cells that a bundle divides the earth into",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCellsBuild(std), newCellsInspect(std), newCellsMap(), newCellsDiff(std))
	return cmd
}

// openCells opens a file that an argument names. A bad one is the caller's, not the configuration's.
func openCells(path string) (table *cells.Cells, counted bool, err error) {
	table, counted, err = cells.Open(path)
	if err != nil {
		return nil, false, tagged{fmt.Errorf("%s: %w", path, err), errUsage}
	}
	return table, counted, nil
}
