package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// process is a worker, ours or a peer's, and what it says.
type process struct {
	cmd  *exec.Cmd
	said tail
	done chan struct{} // closed when it has ended and was waited for
	err  error         // how it ended

	children family
}

// start starts a program under the name argv[0]. It is ended by stop.
func start(program string, argv, env []string) (*process, error) {
	p := &process{done: make(chan struct{})}
	p.cmd = exec.CommandContext(context.Background(), program, argv[1:]...)
	p.cmd.Args[0] = argv[0]
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.said, &p.said
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // ^C is ours to answer
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: start %s: %w", ErrBench, program, err)
	}
	go func() { // ends with the process; stop waits for it
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// confined calls f on a thread that may use so many processors, and what f starts inherits that; 0 = all there are.
func confined(cores int, f func() error) error {
	if cores == 0 {
		return f()
	}
	var all, few unix.CPUSet
	runtime.LockOSThread()
	err := unix.SchedGetaffinity(0, &all)
	for cpu := 0; few.Count() < min(cores, all.Count()); cpu++ {
		if all.IsSet(cpu) {
			few.Set(cpu)
		}
	}
	if err == nil {
		err = unix.SchedSetaffinity(0, &few)
	}
	if err != nil {
		runtime.UnlockOSThread()
		return fmt.Errorf("%w: confine the worker to %d cores: %w", ErrBench, cores, err)
	}
	err = f()
	if unix.SchedSetaffinity(0, &all) == nil {
		runtime.UnlockOSThread() // else the thread ends with its goroutine
	}
	return err
}

// stop asks the process to end, insists after the given time, and waits.
func (p *process) stop(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	select {
	case <-p.done:
	case <-time.After(patience):
		_ = p.cmd.Process.Kill()
		<-p.done
	}
}

// alive is nil while the process runs, and if it may end by itself, also when it has done so in order.
func (p *process) alive(mayEnd bool) error {
	select {
	case <-p.done:
		if mayEnd && p.err == nil {
			return nil
		}
		return fmt.Errorf("%w: %s ended: %w; it said:\n%s", ErrBench, p.cmd.Path, errors.Join(p.err, io.ErrUnexpectedEOF), p.said.String())
	default:
		return nil
	}
}

// usage is what the process has taken of the machine. One that has ended was counted when it was waited for. It is for one
// goroutine at a time.
func (p *process) usage() usage {
	select {
	case <-p.done:
		return usage{worker: p.cmd.ProcessState.UserTime() + p.cmd.ProcessState.SystemTime()}
	default:
		return usageOf(p.cmd.Process.Pid, p.children.of(p.cmd.Process.Pid, childrenOf))
	}
}

// tail keeps the end of what is written to it.
type tail struct {
	mu   sync.Mutex
	text []byte
}

// Write is part of io.Writer.
func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 8 << 10
	t.text = append(t.text, p...)
	if over := len(t.text) - most; over > 0 {
		t.text = bytes.Clone(t.text[over:])
	}
	return len(p), nil
}

// String is the end of what was written.
func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.TrimSpace(string(t.text))
}
