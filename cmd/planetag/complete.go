package main

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"planetag/pipeline"
)

// complete teaches the shells the values of flags: those that can be counted, and what kind of file the others want.
func complete(cmd *cobra.Command) {
	values := map[string][]string{
		"log-level": pipeline.Choices("log.level"), "log-format": pipeline.Choices("log.format"), "preset": presetNames(),
	}
	add := func(f *pflag.Flag) {
		var err error
		switch {
		case values[f.Name] != nil:
			err = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(values[f.Name], cobra.ShellCompDirectiveNoFileComp))
		case f.Name == "config" || f.Name == "attach":
			err = cmd.MarkFlagFilename(f.Name, "yaml", "yml")
		case f.Name == "bundle":
			err = cmd.MarkFlagDirname(f.Name)
		}
		if err != nil {
			panic(err) // a flag that is not there, which is a mistake in the program
		}
	}
	cmd.LocalNonPersistentFlags().VisitAll(add)
	if !cmd.HasParent() {
		cmd.PersistentFlags().VisitAll(add)
	}
	for _, below := range cmd.Commands() {
		complete(below)
	}
}
