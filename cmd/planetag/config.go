package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"planetag/pipeline"
)

func newConfig(g *global, std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Begin, look at and check a configuration",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newConfigInit(std), newConfigPrint(g, std), newConfigCheck(g, std), newConfigSchema(std))
	return cmd
}

// configFlag is the flag of every command that reads the configuration.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVar(path, "config", "", "configuration file (default: built-in defaults and PLANETAG_… variables)")
}

func newConfigInit(std streams) *cobra.Command {
	var preset string
	var force bool
	var about strings.Builder
	for _, p := range pipeline.Presets() {
		fmt.Fprintf(&about, "  %-12s %s\n", p.Name, p.About)
	}
	cmd := &cobra.Command{
		Use:   "init [FILE]",
		Short: "Write a configuration file to start from",
		Long: `Write a configuration file with the settings that are set first, each with a
comment, to FILE (planetag.yaml). A file that is there is left alone. The presets
say what the messages of the input topic are:

` + strings.TrimRight(about.String(), "\n"),
		Example: `  planetag config init --preset s3-event
  planetag config init --preset plain - | less`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return wrongUsage(cmd, fmt.Errorf("unexpected argument %q after FILE", args[1]))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			p, ok := pipeline.FindPreset(preset)
			if !ok {
				return wrongUsage(cmd, fmt.Errorf("--preset is %q; it can be %s", preset, strings.Join(presetNames(), ", ")))
			}
			path := "planetag.yaml"
			if len(args) == 1 {
				path = args[0]
			}
			return initConfig(std, p, path, force)
		},
	}
	cmd.Flags().StringVar(&preset, "preset", "plain", "what the messages are: "+strings.Join(presetNames(), ", "))
	cmd.Flags().BoolVar(&force, "force", false, "write over a file that is there")
	return cmd
}

func presetNames() []string {
	var names []string
	for _, p := range pipeline.Presets() {
		names = append(names, p.Name)
	}
	return names
}

// initConfig writes the file of a preset, for its owner alone, because secrets may come into it; "-" is standard output.
func initConfig(std streams, p pipeline.Preset, path string, force bool) error {
	if path == "-" {
		_, err := fmt.Fprint(std.out, p.File())
		return err
	}
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	file, err := os.OpenFile(path, mode, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return tagged{fmt.Errorf("%s is there already; --force writes over it", path), errUsage}
	}
	if err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	_, err = file.WriteString(p.File())
	if err := errors.Join(err, file.Close()); err != nil {
		return fmt.Errorf("write configuration: %w", err)
	}
	_, err = fmt.Fprintf(std.out, "✓ %s, preset %s; next: planetag check --config %[1]s\n", path, p.Name)
	return err
}

func newConfigPrint(g *global, std streams) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "print",
		Short: "Print every setting as the worker would see it and where it comes from, secrets masked",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			loaded, err := g.load(path)
			if err != nil {
				return err
			}
			if asJSON {
				return printJSON(std.out, true, loaded.Settings())
			}
			return loaded.Print(std.out)
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object: each key with its value and origin")
	return cmd
}

func newConfigCheck(g *global, std streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check file and environment without connecting to anything",
		Long: `Check file and environment without connecting to anything; planetag check
connects, too.`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			if _, err := g.config(path); err != nil {
				return err
			}
			for _, w := range strangeVariables(os.Environ()) {
				fmt.Fprintln(std.err, "planetag: warning:", w)
			}
			_, err := fmt.Fprintf(std.out, "✓ %s: every key is known and every value makes sense\n", configName(path))
			return err
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// configName is what a configuration is called.
func configName(path string) string {
	if path == "" {
		return "defaults and environment"
	}
	return path
}

func newConfigSchema(std streams) *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON Schema of the configuration file, for editors",
		Example: `  planetag config schema > config.schema.json
  # first line of planetag.yaml, for editors with the YAML language server:
  # yaml-language-server: $schema=config.schema.json`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			_, err := std.out.Write(pipeline.Schema())
			return err
		},
	}
}
