package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() {
	os.Exit(run(os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// streams are where the command reads and writes.
type streams struct{ in, out, err *os.File }

// run is the whole program: it returns the exit status.
func run(args []string, std streams) int {
	ctx, stop := signals(std)
	defer stop()
	cmd := newRoot(std)
	cmd.SetArgs(args)
	err := cmd.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if told := new(said); !errors.Is(err, errSaid) && !errors.As(err, told) {
		fmt.Fprintln(std.err, "planetag: "+sentence(err))
	}
	return statusOf(err)
}

// signals ends the context at the first SIGINT or SIGTERM, so that a worker drains, and the process at the second: who
// asks twice does not want to wait.
func signals(std streams) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(context.Background())
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	go func() { // lives as long as the process
		<-caught
		cancel(errInterrupted)
		<-caught
		fmt.Fprintln(std.err, "planetag: stopped at once by a second signal; what was not committed will be done again")
		os.Exit(exitInterrupted)
	}()
	return ctx, func() { signal.Stop(caught); cancel(nil) }
}

// sentence puts an error on as few lines as it has to be. An excerpt of a file keeps its lines.
func sentence(err error) string {
	if errors.Is(err, context.Canceled) || errors.Is(err, errInterrupted) {
		return "interrupted"
	}
	return strings.TrimSpace(err.Error())
}
