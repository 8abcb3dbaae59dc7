package main

import (
	"context"
	"errors"
	"net"
	"os"
	"os/signal"
	"sync"
	"syscall"

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
case: what was not committed is done again by whoever owns the partition next.

SIGHUP reads the configuration anew: the bundle, and the keys that
docs/configuration.md lists, are put into force without leaving the groups, once the
new bundle is verified and warm. When anything fails everything stays as it is.`,
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
			reloads, stop := hangups(func() pipeline.Reload {
				cfg, err := g.config(path)
				return pipeline.Reload{Config: cfg, Err: err}
			})
			defer stop()
			err = pipeline.RunReloading(cmd.Context(), cfg, log, reloads)
			if cmd.Context().Err() != nil && onlyInterrupted(err) {
				return nil // a stop that was asked for is a success
			}
			return reached(err)
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// hangups reads something anew at each SIGHUP, until stop, which waits.
func hangups(read func() pipeline.Reload) (reloads <-chan pipeline.Reload, stop func()) {
	caught, out := make(chan os.Signal, 1), make(chan pipeline.Reload)
	ctx, cancel := context.WithCancel(context.Background())
	signal.Notify(caught, syscall.SIGHUP)
	var listen sync.WaitGroup
	listen.Go(func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-caught:
			}
			select { // one that comes while another is under way is not lost
			case out <- read():
			case <-ctx.Done():
			}
		}
	})
	return out, func() {
		signal.Stop(caught)
		cancel()
		listen.Wait()
	}
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
