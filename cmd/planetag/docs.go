package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

// newDocs writes the manual from the commands themselves; packagers use it, and docs/commands.md is made by it.
func newDocs(std streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:    "docs",
		Short:  "Write the manual",
		Hidden: true,
		Args:   noArguments,
		RunE:   func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "man DIR",
		Short: "Write a page of the manual for each command, section 1",
		Args:  oneArgument("DIR"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("write manual: %w", err)
			}
			root := cmd.Root()
			root.DisableAutoGenTag = true
			header := &doc.GenManHeader{Section: "1", Source: "planetag", Manual: "planetag"} // dated by SOURCE_DATE_EPOCH, or today
			if err := doc.GenManTree(root, header, args[0]); err != nil {
				return fmt.Errorf("write manual: %w", err)
			}
			return nil
		},
	}, &cobra.Command{
		Use:   "commands",
		Short: "Print docs/commands.md",
		Args:  noArguments,
		RunE:  func(cmd *cobra.Command, _ []string) error { return commandsPage(std.out, cmd.Root()) },
	})
	return cmd
}

// commandsPage describes every command, and the exit statuses that they share.
func commandsPage(w io.Writer, root *cobra.Command) error {
	var b strings.Builder
	b.WriteString("# Commands\n\nMade by `make generate` from the commands themselves: `planetag help COMMAND` says the same, and `planetag completion bash` (or zsh, fish,\n" +
		"powershell) completes them. `make man` writes manual pages to `dist/man`.\n\n")
	b.WriteString("## Exit statuses\n\nTreat one that is not in this list as a failure.\n\n| status | means |\n|---|---|\n")
	for _, s := range exitStatuses() {
		fmt.Fprintf(&b, "| %d | %s |\n", s.status, s.means)
	}
	fmt.Fprintf(&b, "\n## Flags of every command\n\n```\n%s```\n", root.PersistentFlags().FlagUsages())
	describe(&b, root)
	_, err := io.WriteString(w, b.String())
	return err
}

// describe writes the commands below one, each before its own.
func describe(b *strings.Builder, parent *cobra.Command) {
	for _, cmd := range parent.Commands() {
		if cmd.Hidden || cmd.Name() == "help" || cmd.Name() == "completion" {
			continue
		}
		text := cmd.Long
		if text == "" {
			text = cmd.Short + "."
		}
		fmt.Fprintf(b, "\n## %s\n\n```\n%s\n```\n", cmd.CommandPath(), strings.TrimSpace(text))
		if cmd.Runnable() && !cmd.HasSubCommands() {
			fmt.Fprintf(b, "\n```\n%s\n", cmd.UseLine())
			if cmd.HasAvailableLocalFlags() {
				fmt.Fprintf(b, "\n%s", cmd.LocalNonPersistentFlags().FlagUsages())
			}
			b.WriteString("```\n")
		}
		if cmd.Example != "" {
			fmt.Fprintf(b, "\n```sh\n%s\n```\n", cmd.Example)
		}
		describe(b, cmd)
	}
}
