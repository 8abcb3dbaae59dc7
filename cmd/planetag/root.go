package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

// global are the flags that every command has.
type global struct {
	bundle    string
	library   string
	logLevel  string
	logFormat string
	warnings  io.Writer
}

// newRoot builds the tree of commands. An error that cobra itself finds, before a command has started, is one of usage.
func newRoot(std streams) *cobra.Command {
	g := &global{warnings: std.err}
	root := &cobra.Command{
		Use:   "planetag",
		Short: "Predict where photos were taken: Kafka in, Kafka out, exactly once",
		Long: `planetag reads references to photos from a Kafka topic, fetches the photos from S3,
predicts where each was taken with a CNN and its album, and publishes the
locations to another topic, exactly once.

Start with: planetag demo`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(std.in)
	root.SetOut(std.out)
	root.SetErr(std.err)
	root.SetFlagErrorFunc(wrongUsage)
	flags := root.PersistentFlags()
	flags.StringVar(&g.bundle, "bundle", "", "directory of the model bundle (default: bundle.path of the configuration)")
	flags.StringVar(&g.library, "ort-lib", "", "path of the ONNX Runtime library (default: searched for)")
	flags.StringVar(&g.logLevel, "log-level", "", "debug, info, warn or error (default: log.level)")
	flags.StringVar(&g.logFormat, "log-format", "", "auto, text or json; auto is text on a terminal (default: log.format)")
	root.AddCommand(
		newRun(g, std), newDemo(g, std), newExplain(g, std), newCheck(g, std), newConfig(g, std), newMap(g, std), newTap(g, std),
		newBackfill(g, std), newEnqueue(g, std), newReplay(g, std), newExport(g, std), newIndex(g, std), newRetract(g, std), newSurvey(g, std),
		newEval(g, std), newEmbed(g, std), newAlbum(std), newBundle(g, std), newCells(std), newBench(g, std),
		newHealth(std), newVersion(std), newDecodeChild(), newDocs(std),
	)
	complete(root)
	return root
}

// wrongUsage is what cobra says about a flag, with the way out.
func wrongUsage(cmd *cobra.Command, err error) error {
	return tagged{fmt.Errorf("%w; see `%s --help`", err, cmd.CommandPath()), errUsage}
}

// noArguments refuses arguments; on a command that has commands below it, one is most likely a misspelt command.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	if !cmd.HasSubCommands() {
		return wrongUsage(cmd, fmt.Errorf("unexpected argument %q", args[0]))
	}
	cmd.SuggestionsMinimumDistance = 2 // cobra's own default, which it sets only for commands that take arguments
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		return wrongUsage(cmd, fmt.Errorf("unknown command %q (did you mean %q?)", args[0], near[0]))
	}
	return wrongUsage(cmd, fmt.Errorf("unknown command %q", args[0]))
}

// oneArgument wants exactly one argument, called name.
func oneArgument(name string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch {
		case len(args) == 0:
			return wrongUsage(cmd, fmt.Errorf("%s is missing", name))
		case len(args) > 1:
			return wrongUsage(cmd, fmt.Errorf("unexpected argument %q after %s", args[1], name))
		}
		return nil
	}
}

// required reports the first of the named flags that was not given.
func required(cmd *cobra.Command, names ...string) error {
	for _, name := range names {
		if cmd.Flag(name).Value.String() == "" {
			return wrongUsage(cmd, fmt.Errorf("--%s is missing", name))
		}
	}
	return nil
}
