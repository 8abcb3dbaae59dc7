package main

import (
	"errors"
	"net"

	"github.com/spf13/cobra"

	"planetag/pipeline"
)

func newRun(g *global, std streams) *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Run the worker until it is asked to stop",
		Long: `Run the worker: read references, publish locations, until SIGINT or SIGTERM.
The first signal drains what is in flight within shutdown.deadline and ends with
status 0, or with status 70 when something did not return in time; the
second ends at once, with status 130. A call that stays longer than its limit (watchdog)
ends the membership of its stage, so that other workers go on; when it does not
return either, the process ends by itself with status 70. Nothing is lost in any
case: what was not committed is done again by whoever owns the partition next.`,
		Example: `  planetag run --config planetag.yaml
  PLANETAG_KAFKA_BROKERS=kafka:9092 planetag run`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg, err := g.config(path)
			if err != nil {
				return err
			}
			log, err := logger(cfg.Log, std.err)
			if err != nil {
				return err
			}
			err = pipeline.Run(cmd.Context(), cfg, log)
			if cmd.Context().Err() != nil && onlyInterrupted(err) {
				return nil // a stop that was asked for is a success
			}
			return reached(err)
		},
	}
	cmd.Flags().StringVar(&path, "config", "", "configuration file (default: built-in defaults and PLANETAG_… variables)")
	return cmd
}

// onlyInterrupted says whether the end of the context is all that err is about.
func onlyInterrupted(err error) bool {
	return err == nil || statusOf(err) == exitInterrupted
}

// reached marks errors of a network that is not there, which the parts report each in their own words.
func reached(err error) error {
	var op *net.OpError
	var name *net.DNSError
	if errors.As(err, &op) || errors.As(err, &name) {
		return tagged{err, errUnavailable}
	}
	return err
}
