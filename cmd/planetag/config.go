package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newConfig(g *global, std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Look at the configuration",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigPrint(g, std), newConfigCheck(g, std))
	return cmd
}

func newConfigPrint(g *global, std streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "print",
		Short: "Print every setting as the worker would see it, secrets masked",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			cfg, err := g.config(path)
			if err != nil {
				return err
			}
			return cfg.Print(std.out)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "configuration file (default: built-in defaults and PLANETAG_… variables)")
	return cmd
}

func newConfigCheck(g *global, std streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check file and environment without connecting to anything",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			if _, err := g.config(path); err != nil {
				return err
			}
			name := path
			if name == "" {
				name = "defaults and environment"
			}
			_, err := fmt.Fprintf(std.out, "✓ %s: every key is known and every value makes sense\n", name)
			return err
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "configuration file (default: built-in defaults and PLANETAG_… variables)")
	return cmd
}
