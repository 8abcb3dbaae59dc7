package main

import (
	"os"
	"strings"

	"github.com/spf13/cobra"

	"planetag/pipeline"
	"planetag/pipeline/check"
)

func newCheck(g *global, std streams) *cobra.Command {
	var path string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "check",
		Short: "Check everything the worker needs, and say what to do about what is missing",
		Long: `Check, without changing anything, whether a worker could do its work: the
configuration, the broker and each right on it, the topics, the newest messages, the
bucket and a photo of it, the bundle, ONNX Runtime, the clock, disk and memory; and
take one photo all the way to a location.

A check that depends on one that failed is skipped, all others are made. The status
is 0 when nothing failed, else that of the worst: 78 when the configuration, a right,
a topic or the bundle is to be set right, 1 for anything unexpected, 69 when something
only did not answer.`,
		Example: `  planetag check --config planetag.yaml
  planetag check --config planetag.yaml --json | jq '.checks[] | select(.status == "failed")'`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			loaded, err := g.load(path)
			report, stopped := check.Run(cmd.Context(), check.Options{
				Name: configName(path), Config: loaded.Config, ConfigErr: err,
				Warnings: append(loaded.Warnings, strangeVariables(os.Environ())...),
			})
			if stopped != nil {
				return stopped
			}
			if asJSON {
				err = printJSON(std.out, true, report)
			} else {
				err = report.Text(std.out)
			}
			if err != nil {
				return err
			}
			return worst(report.Errors())
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	return cmd
}

// worst is the error whose exit status says most: a mistake does not heal by itself, an outage may.
func worst(errs []error) error {
	rank := map[int]int{exitUnavailable: 1, exitUnexpected: 2, exitConfig: 3}
	var of error
	for _, err := range errs {
		err = reached(err)
		if of == nil || rank[statusOf(err)] > rank[statusOf(of)] {
			of = err
		}
	}
	if of == nil {
		return nil
	}
	return said{of}
}

// said is an error that the output has told already.
type said struct{ error }

func (s said) Unwrap() error { return s.error }

// strangeVariables are the variables that look like settings and are none.
func strangeVariables(environment []string) []string {
	var warnings []string
	for _, entry := range environment {
		name, _, _ := strings.Cut(entry, "=")
		if warning := pipeline.StrangeVariable(name); warning != "" {
			warnings = append(warnings, warning)
		}
	}
	return warnings
}
