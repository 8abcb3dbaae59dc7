package main

import "github.com/spf13/cobra"

func newCells(std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "cells",
		Short: "Make and look at the cells that a bundle divides the earth into",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCellsBuild(std))
	return cmd
}
