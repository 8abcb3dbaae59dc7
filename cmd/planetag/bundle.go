package main

import (
	"github.com/spf13/cobra"

	"planetag/pipeline"
)

func newBundle(g *global, std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Work with model bundles",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newBundleVerify(g, std), newBundleWrap(g, std))
	return cmd
}

func newBundleVerify(g *global, std streams) *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify DIR",
		Short: "Check a bundle as the worker does before it uses it",
		Long: `Check the manifest, every file's checksum, the graphs' inputs, outputs and widths,
the cells, and that the golden photos are answered as the bundle says. Ends with
status 0 when the worker would take the bundle, and 1 when it would refuse it.`,
		Example: "  planetag bundle verify bundles/demo",
		Args:    oneArgument("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			cfg := pipeline.DefaultConfig()
			cfg.Bundle.Path, cfg.Bundle.Library = args[0], g.library
			v, err := pipeline.VerifyBundle(cmd.Context(), cfg)
			if cmd.Context().Err() != nil {
				return errInterrupted
			}
			if len(v.Checks) == 0 && err != nil {
				return err
			}
			printed := v.Text
			if asJSON {
				err = printJSON(std.out, true, v)
			} else {
				err = printed(std.out)
			}
			if err == nil && !v.OK {
				return errSaid
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}
