package decode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// child is the parent's view of a decoder process. It serves one photo at a
// time.
type child struct {
	setup    setup
	cmd      *exec.Cmd
	control  *os.File
	memory   []byte // shared: pixels, and behind them the photo
	said     *sayings
	done     chan struct{} // closed when the process has ended and was waited for
	confined bool
	sequence uint64
}

// startTime is for a process to get ready on a machine that has much else to do.
const startTime = 30 * time.Second

// startChild returns when the process is ready for photos.
func startChild(ctx context.Context, command []string, s setup) (*child, error) {
	c := &child{setup: s, said: &sayings{}, done: make(chan struct{})}
	if err := c.spawn(command); err != nil {
		return nil, fmt.Errorf("start %s: %w", strings.Join(command, " "), err)
	}
	if err := c.greet(ctx); err != nil {
		return nil, fmt.Errorf("start %s: %w: %s", strings.Join(command, " "), err, c.end())
	}
	return c, nil
}

// spawn makes what is shared and the process.
func (c *child) spawn(command []string) error {
	memory, file, err := newShared(c.setup.memoryBytes())
	if err != nil {
		return err
	}
	defer file.Close()
	c.memory = memory
	theirs, err := c.connect()
	if err != nil {
		return errors.Join(err, unix.Munmap(memory))
	}
	defer theirs.Close()
	c.cmd = exec.CommandContext(context.Background(), "/proc/self/exe", command[1:]...)
	c.cmd.Args[0] = command[0]
	c.cmd.Env, c.cmd.Dir = childEnvironment(), "/"
	c.cmd.ExtraFiles = []*os.File{file, theirs}
	c.cmd.Stderr = c.said
	// A group of its own, so that Ctrl-C is the parent's to answer.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() { // ends with the process; end waits for it
		// The death signal comes when the starting thread ends, so it must stay.
		runtime.LockOSThread()
		defer close(c.done)
		err := c.cmd.Start()
		started <- err
		if err == nil {
			_ = c.cmd.Wait() // how it ended is in ProcessState
		}
	}()
	if err := <-started; err != nil {
		return errors.Join(err, c.control.Close(), unix.Munmap(memory))
	}
	return nil
}

// connect makes the control line and returns the child's end.
func (c *child) connect() (*os.File, error) {
	ends, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, fmt.Errorf("make control line: %w", err)
	}
	if err := unix.SetNonblock(ends[0], true); err != nil { // so that its deadlines work
		return nil, errors.Join(err, unix.Close(ends[0]), unix.Close(ends[1]))
	}
	c.control = os.NewFile(uintptr(ends[0]), "control")
	return os.NewFile(uintptr(ends[1]), "control"), nil
}

func (c *child) greet(ctx context.Context) error {
	defer c.killWhenOver(ctx)()
	if _, err := c.control.Write(bytesOf(&c.setup)); err != nil {
		return fmt.Errorf("send setup: %w", err)
	}
	var h hello
	if err := c.read(bytesOf(&h), 0, startTime); err != nil {
		return fmt.Errorf("wait until it is ready: %w", err)
	}
	if h.Word != helloWord {
		return errors.New("it is not a decoder")
	}
	c.confined = h.Confined == 1
	return nil
}

// killWhenOver kills the process when ctx ends; the returned function ends that.
func (c *child) killWhenOver(ctx context.Context) func() bool {
	return context.AfterFunc(ctx, func() { _ = c.cmd.Process.Kill() })
}

// ask has the photo decoded to dst. Its error is ctx's, ErrTooSlow or
// ErrCrashed, and the child is then of no more use.
func (c *child) ask(ctx context.Context, data, dst []byte, deadline time.Duration) (answer, error) {
	defer c.killWhenOver(ctx)()
	c.sequence++
	before := processorTime(c.cmd.Process.Pid)
	copy(c.memory[c.setup.photoAt():], data)
	in := make([]byte, replyBytes)
	_, err := c.control.Write(bytesOf(&request{c.sequence, int64(len(data))}))
	if err == nil {
		err = c.read(in, before, deadline)
	}
	switch {
	case ctx.Err() != nil:
		return answer{}, context.Cause(ctx)
	case errors.Is(err, os.ErrDeadlineExceeded):
		_ = c.cmd.Process.Kill() // end would first wait for it
		return answer{}, &fault{ErrTooSlow, fmt.Sprintf("photo was not decoded within %v of processor time, or hung for as long", deadline)}
	case err != nil:
		return answer{}, c.crash(c.end())
	}
	a, err := decodeReply(in, c.sequence)
	switch {
	case err != nil:
		return answer{}, c.crash(err.Error())
	case errors.Is(a.err, errMemory):
		return answer{}, c.crash(a.err.Error())
	}
	copy(dst, c.memory)
	if err := c.trim(len(data)); err != nil {
		return answer{}, err
	}
	return a, nil
}

func (c *child) crash(reason string) error {
	if outOfMemory(reason) {
		return &fault{ErrCrashed, fmt.Sprintf("photo needs more than %s MiB of memory to decode: %s", decimal(float64(c.setup.Memory)/(1<<20)), reason)}
	}
	return &fault{ErrCrashed, "photo crashed the decoder: " + reason}
}

// trim gives back what a large photo took of the shared memory.
func (c *child) trim(used int) error {
	const keep = 8 << 20
	if used <= keep {
		return nil
	}
	if err := unix.Madvise(c.memory[c.setup.photoAt()+keep:], unix.MADV_REMOVE); err != nil {
		return &fault{ErrCrashed, "free shared memory: " + err.Error()}
	}
	return nil
}

// waiting is how many times its limit of processor time a photo may take on the
// clock while it waits for a processor: a machine that is busy is no reason to
// give a photo up.
const waiting = 3

// read fills in while the process has used less than limit of the processor
// since before, and has not hung for as long: its threads waited, and not for a
// processor. It looks at the end of slices of time, of which one that lasted
// longer than meant counts once: when this process is stopped or the machine
// sleeps, the photo is not to blame.
func (c *child) read(in []byte, before, limit time.Duration) error {
	const slices = 20 // of the limit
	hung := 0
	for left := slices * waiting; ; left-- {
		if err := c.control.SetReadDeadline(time.Now().Add(limit / slices)); err != nil {
			return err
		}
		n, err := io.ReadFull(c.control, in)
		if in = in[n:]; err == nil || !errors.Is(err, os.ErrDeadlineExceeded) || left == 1 {
			return err
		}
		if !working(c.cmd.Process.Pid) {
			hung++
		}
		if hung == slices || processorTime(c.cmd.Process.Pid)-before >= limit {
			return err
		}
	}
}

func (c *child) alive() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// end closes the line, gives the process a moment to say why it ended if that
// has begun, and makes sure that it has. It answers how it ended. It may be
// called again.
func (c *child) end() string {
	_ = c.control.Close() // what it asks for is an end
	select {
	case <-c.done:
	case <-time.After(200 * time.Millisecond):
		_ = c.cmd.Process.Kill()
		<-c.done
	}
	if c.memory != nil {
		_ = unix.Munmap(c.memory) // whole, and ours
		c.memory = nil
	}
	reason := c.cmd.ProcessState.String()
	if said := c.said.line(); said != "" {
		reason += ": " + said
	}
	return reason
}
