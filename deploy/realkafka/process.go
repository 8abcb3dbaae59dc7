package realkafka

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// process is a child of the test and everything it wrote.
type process struct {
	name string
	cmd  *exec.Cmd
	log  string
	done chan struct{} // closed when the child has ended and was waited for
}

// startProcess runs a program with its output in the file log, which grows over restarts. Its end is asked for by kill9 or terminate and by no context: a
// test's own context ends before its clean-up, too early for an orderly end.
func startProcess(name, log string, argv ...string) (*process, error) {
	return startOrdinary(nil, name, log, argv...)
}

// startOrdinary is startProcess for another user, where one is given.
func startOrdinary(as *syscall.Credential, name, log string, argv ...string) (*process, error) {
	file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open log of %s: %w", name, err)
	}
	p := &process{name: name, cmd: exec.CommandContext(context.Background(), argv[0], argv[1:]...), log: log, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = file, file
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Credential: as}
	if as != nil {
		p.cmd.Dir = filepath.Dir(log) // the caller's may be closed to them
	}
	started := make(chan error)
	go func() {
		// The death signal comes when the starting thread ends, so this thread stays until the child has gone.
		runtime.LockOSThread()
		defer close(p.done)
		defer func() { _ = file.Close() }() // the child wrote through its own copy
		err := p.cmd.Start()
		started <- err
		if err == nil {
			_ = p.cmd.Wait() // a killed child is no error here
		}
	}()
	if err := <-started; err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	return p, nil
}

// kill9 ends the child without warning and waits until it is gone.
func (p *process) kill9() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.done
}

// terminate asks the child to end, and insists after the given time.
func (p *process) terminate(patience time.Duration) {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(patience):
		p.kill9()
	}
}

// waitPort is await for a child that is ready when addr accepts connections.
func (p *process) waitPort(addr string, patience time.Duration) error {
	dialer := net.Dialer{Timeout: time.Second}
	return p.await(patience, func() error {
		conn, err := dialer.DialContext(context.Background(), "tcp", addr)
		if err != nil {
			return err
		}
		return conn.Close()
	})
}

// await asks until the child is ready; it gives up when the child ends or the time is over, with the end of the child's log.
func (p *process) await(patience time.Duration, ready func() error) error {
	for deadline := time.Now().Add(patience); ; {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("%s ended before it was ready: %w; its log ends:\n%s", p.name, err, p.tail())
		case <-time.After(50 * time.Millisecond):
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s was not ready within %s: %w; its log ends:\n%s", p.name, patience, err, p.tail())
		}
	}
}

func (p *process) tail() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-30):], []byte("\n")))
}

// FreeAddress is a loopback address, host:port, that nobody listens on; see freePorts.
func FreeAddress(t testing.TB) string {
	t.Helper()
	return fmt.Sprintf("127.0.0.1:%d", freePorts(t, 1)[0])
}

// freePorts returns n loopback ports that nobody listens on. They lie below those that systems give to outgoing connections: between this look and the
// moment a child binds it, such a one would be taken by whoever connects anywhere.
func freePorts(t testing.TB, n int) []int {
	t.Helper()
	var ports []int
	for range 100 * n {
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err != nil {
			continue
		}
		defer func() { _ = listener.Close() }() // all at once at the end, so that no port comes twice
		if ports = append(ports, listener.Addr().(*net.TCPAddr).Port); len(ports) == n {
			return ports
		}
	}
	t.Fatalf("found %d free ports of %d between 10000 and 30000", len(ports), n)
	return nil
}

// Planetag is the path of a program of its own for a test: planetag as `make build` makes it, so that little is compiled anew, without the race detector.
func Planetag(t testing.TB) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "planetag")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-o", program, "./cmd/planetag")
	cmd.Dir = Root(t)
	if said, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("build planetag: %v\n%s", err, said)
	}
	return program
}

// Root is the directory of the repository: the nearest one upwards that holds go.mod.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("find the repository: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("find the repository: no go.mod upwards of the test's directory")
		}
		dir = parent
	}
}

// Missing skips the test for want of a part, or fails it when PLANETAG_REQUIRE_ALL is 1, as it is in `make test`.
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
		t.Fatalf("%s, and PLANETAG_REQUIRE_ALL=1 forbids to skip", what)
	}
	t.Skip(what)
}
