package chaos

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"planetag/deploy/realkafka"
	"planetag/deploy/secrets"
)

// fleet is the worker processes of one group, which are killed, frozen and stopped as the plan says.
type fleet struct {
	t      *testing.T
	binary string
	env    []string // every setting, as environment variables
	log    string   // of all of them, appended

	watched sync.Once // the log, for secrets
	running []*worker
	ended   []string // how workers ended that nobody had touched
	redone  int      // photos that a killed worker's CNN had seen and nobody had published: most at one kill
	turned  int      // workers that ended at their start because nothing answered, as an orchestrator expects
	peak    int64    // greatest resident memory of one worker, bytes
}

// unavailable is the exit status of a worker that cannot reach a broker or the store at its start.
const unavailable = 69

// worker is one `planetag run`.
type worker struct {
	cmd  *exec.Cmd
	url  string
	done chan struct{} // closed once it was waited for
	err  error         // how it ended
}

// start starts one more worker; it does not wait until the worker is ready, as no orchestrator does.
func (f *fleet) start() *worker {
	f.t.Helper()
	address := realkafka.FreeAddress(f.t)
	file, err := os.OpenFile(f.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		f.t.Fatal(err)
	}
	defer file.Close()
	w := &worker{cmd: exec.CommandContext(context.Background(), f.binary, "run"), url: "http://" + address, done: make(chan struct{})}
	w.cmd.Stdout, w.cmd.Stderr = file, file
	f.watched.Do(func() { secrets.WatchFile(f.t, f.log) })
	w.cmd.Env = append(append(os.Environ(), f.env...), "PLANETAG_HTTP_LISTEN="+address)
	if err := w.cmd.Start(); err != nil {
		f.t.Fatal(err)
	}
	go func() { // ends with the process, which the test's clean-up kills and waits for
		w.err = w.cmd.Wait()
		close(w.done)
	}()
	f.running = append(f.running, w)
	return w
}

// scale brings the fleet to n workers; those too many are asked to end, or killed.
func (f *fleet) scale(n int, hard bool) {
	for len(f.running) < n {
		f.start()
	}
	for len(f.running) > n {
		w := f.running[0]
		if hard {
			f.kill9(w)
			continue
		}
		f.terminate(w)
	}
}

// terminate asks a worker to end and wants it to end in order, within its deadline.
func (f *fleet) terminate(w *worker) {
	f.sample(w)
	_ = w.cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	select {
	case <-w.done:
		var exit *exec.ExitError
		if errors.As(w.err, &exit) && exit.ExitCode() != 0 {
			f.ended = append(f.ended, "told to stop: "+w.err.Error())
		}
	case <-time.After(60 * time.Second):
		f.ended = append(f.ended, "did not stop within a minute of SIGTERM")
		_ = w.cmd.Process.Kill()
		<-w.done
	}
	f.forget(w)
}

// kill9 ends a worker without warning; what its CNN had seen for nothing is counted first.
func (f *fleet) kill9(w *worker) {
	f.sample(w)
	if figures, err := w.scrape(); err == nil {
		seen := figures.sum("planetag_batch_size_sum")
		told := figures.sum(`planetag_photos_total{status="abstained"}`) + figures.sum(`planetag_photos_total{status="estimated"}`) +
			figures.sum(`planetag_photos_total{status="given"}`)
		f.redone = max(f.redone, int(seen-told))
	}
	_ = w.cmd.Process.Kill()
	<-w.done
	f.forget(w)
}

// freeze stops a worker's clock; thaw lets it go on as if nothing had happened.
func (w *worker) freeze() { _ = w.cmd.Process.Signal(syscall.SIGSTOP) }
func (w *worker) thaw()   { _ = w.cmd.Process.Signal(syscall.SIGCONT) }

func (f *fleet) forget(w *worker) {
	for i, other := range f.running {
		if other == w {
			f.running = append(f.running[:i:i], f.running[i+1:]...)
			return
		}
	}
}

// tend restarts workers that ended by themselves, as an orchestrator would, and remembers it.
func (f *fleet) tend() {
	for _, w := range f.running {
		select {
		case <-w.done:
			var exit *exec.ExitError
			if errors.As(w.err, &exit) && exit.ExitCode() == unavailable {
				f.turned++
			} else {
				f.ended = append(f.ended, fmt.Sprintf("by itself: %v; last words of the workers:\n%s", w.err, lastWords(f.log)))
			}
			f.forget(w)
			f.start()
			return
		default:
			f.sample(w)
		}
	}
}

// close kills what is left.
func (f *fleet) close() {
	for len(f.running) > 0 {
		w := f.running[0]
		_ = w.cmd.Process.Kill()
		<-w.done
		f.forget(w)
	}
}

// sample looks at a worker's memory, that of its children included.
func (f *fleet) sample(w *worker) {
	f.peak = max(f.peak, treeRSS(w.cmd.Process.Pid))
}

// treeRSS is the resident memory of a process and its children in bytes, shared pages counted once for each.
func treeRSS(pid int) int64 {
	total := rss(pid)
	for _, child := range children(pid) {
		total += treeRSS(child)
	}
	return total
}

func children(pid int) (list []int) {
	files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is sound
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue
		}
		for _, child := range strings.Fields(string(text)) {
			if n, err := strconv.Atoi(child); err == nil {
				list = append(list, n)
			}
		}
	}
	return list
}

func rss(pid int) int64 {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}
