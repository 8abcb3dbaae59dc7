package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// worker is `planetag run` as a process of its own, started again whenever it ends.
type worker struct {
	binary string
	env    []string
	log    string
	memory *memory

	cmd     *exec.Cmd
	ended   chan struct{}
	crashes []string // how it ended, each time that nobody had asked it to
}

// mostCrashes is how often the worker is started again. Whoever crashes more often will not come to an end.
const mostCrashes = 50

// mostStarts is how often a worker may end before it has asked for a file: then it is no file that it ends from.
const mostStarts = 3

// start starts the worker; it does not wait until it is ready, as no orchestrator does. It ends by stop and by no context, so that its end is in order.
func (w *worker) start() error {
	file, err := os.OpenFile(w.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("open the worker's log: %w", err)
	}
	defer file.Close()
	w.cmd, w.ended = exec.CommandContext(context.Background(), w.binary, "run"), make(chan struct{})
	w.cmd.Stdout, w.cmd.Stderr, w.cmd.Env = file, file, w.env
	if err := w.cmd.Start(); err != nil {
		return fmt.Errorf("start the worker: %w", err)
	}
	w.memory.follow(w.cmd.Process.Pid)
	go func(cmd *exec.Cmd, ended chan struct{}) { // awaited by stop
		defer close(ended)
		_ = cmd.Wait() // its status is read from ProcessState
	}(w.cmd, w.ended)
	return nil
}

// revive starts the worker again if it has ended, and remembers what was on the way.
func (w *worker) revive(suspects []string) error {
	select {
	case <-w.ended:
	default:
		return nil
	}
	w.crashes = append(w.crashes, fmt.Sprintf("the worker ended by itself (%s) with these on the way: %v", w.cmd.ProcessState, suspects))
	if len(w.crashes) >= mostCrashes || len(w.crashes) >= mostStarts && len(suspects) == 0 {
		return fmt.Errorf("the worker crashed %d times; the last: %s", len(w.crashes), w.crashes[len(w.crashes)-1])
	}
	return w.start()
}

// stop asks the worker to end, insists after half a minute, and says whether it ended in order.
func (w *worker) stop() string {
	if w.cmd == nil || w.cmd.Process == nil {
		return ""
	}
	_ = w.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-w.ended:
	case <-time.After(30 * time.Second):
		_ = w.cmd.Process.Kill()
		<-w.ended
	}
	if !w.cmd.ProcessState.Success() {
		return fmt.Sprintf("the worker did not end in order: %s", w.cmd.ProcessState)
	}
	return ""
}
