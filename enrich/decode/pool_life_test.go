package decode

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func TestPoolForbids(t *testing.T) {
	p, seen := newPool(t, PoolOptions{Processes: 1})
	_, _, err := p.see(t.Context(), order("do what is forbidden"))
	if seen.unconfined > 0 {
		t.Skip("this system cannot filter system calls")
	}
	if !errors.Is(err, ErrFormat) || err.Error() != "allowed:" {
		t.Errorf("%v", err)
	}
}

// A process that dies between two photos is replaced without blaming a photo.
func TestPoolReplacesTheDead(t *testing.T) {
	p, seen := newPool(t, PoolOptions{Processes: 1})
	for range 3 {
		p.works(t)
		if err := p.idle[0].cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		<-p.idle[0].done
	}
	p.works(t)
	if seen.started != 4 || seen.crashed != 3 {
		t.Errorf("counted %+v", seen)
	}
}

// Who waits for a photo hangs, who is busy with one does not, whether or not it
// has a processor. A look at a busy process may fall between two of its threads,
// one of which has handed its work to the other; a photo is given up only after
// many looks (see child.read).
func TestPoolKnowsWhoWorks(t *testing.T) {
	p, _ := newPool(t, PoolOptions{Processes: 1, Deadline: time.Hour})
	p.works(t)
	pid := p.idle[0].cmd.Process.Pid
	await := func(is bool) {
		t.Helper()
		for begun := time.Now(); working(pid) != is; time.Sleep(10 * time.Millisecond) {
			if time.Since(begun) > 20*time.Second {
				t.Fatalf("working is %v, want %v", !is, is)
			}
		}
	}
	await(false)
	ctx, cancel := context.WithCancel(t.Context())
	var spinning sync.WaitGroup
	spinning.Go(func() { _, _, _ = p.see(ctx, order("spin")) }) // it is ended by ctx
	await(true)
	const looks = 100
	idle := 0
	for range looks {
		if !working(pid) {
			idle++
		}
		time.Sleep(time.Millisecond)
	}
	if idle > looks/4 {
		t.Errorf("a process that spins hangs in %d of %d looks", idle, looks)
	}
	cancel()
	spinning.Wait()
	await(false) // it is gone
}

func TestPoolEndsWithContext(t *testing.T) {
	p, _ := newPool(t, PoolOptions{Processes: 1, Deadline: time.Hour})
	because := errors.New("rebalance")
	ctx, cancel := context.WithCancelCause(t.Context())
	var waiting sync.WaitGroup
	for range 3 { // one is decoded, the others wait for their turn
		waiting.Go(func() {
			if _, _, err := p.see(ctx, order("hang")); !errors.Is(err, because) {
				t.Errorf("error %v, want %v", err, because)
			}
		})
	}
	time.AfterFunc(500*time.Millisecond, func() { cancel(because) })
	waiting.Wait()
	p.works(t)
}

// stop returns when every thread of a process stands still. The signal goes to
// one thread, and until that one has had a processor the others may yet decode
// a photo.
func stop(t *testing.T, pid int) {
	t.Helper()
	if err := unix.Kill(pid, unix.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	for begun := time.Now(); !standsStill(pid); time.Sleep(time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			t.Fatal("a process does not stop")
		}
	}
}

// standsStill says whether every thread of a process is stopped.
func standsStill(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // the pattern is sound
	return !slices.ContainsFunc(threads, func(thread string) bool {
		fields := statOf(thread)
		return len(fields) == 0 || string(fields[0]) != "T"
	})
}

// A stopped decoder is too slow; a stopped worker makes no photo too slow.
func TestPoolCountsNoPause(t *testing.T) {
	p, _ := newPool(t, PoolOptions{Processes: 1, Deadline: time.Second})
	p.works(t)
	pid := p.idle[0].cmd.Process.Pid
	stop(t, pid)
	if _, _, err := p.see(t.Context(), fixture(t, "photo.jpg")); !errors.Is(err, ErrTooSlow) {
		t.Errorf("error %v, want %v", err, ErrTooSlow)
	}
	p.works(t)
}

func TestPoolThatCannotStart(t *testing.T) {
	for _, row := range []struct{ command, words string }{
		{"decode-stillborn", "exit status 127: error while loading shared libraries; set decode.isolation to none"},
		{"-decode-unknown", "flag provided but not defined: -decode-unknown"},
	} {
		p, seen := newPool(t, PoolOptions{Processes: 1, command: []string{os.Args[0], row.command}})
		_, _, err := p.see(t.Context(), fixture(t, "photo.jpg"))
		if !errors.Is(err, ErrChild) || !strings.Contains(err.Error(), row.words) || seen.started != 0 {
			t.Errorf("error %v, want %v with %q", err, ErrChild, row.words)
		}
	}
}

func TestPoolAfterClose(t *testing.T) {
	p, _ := newPool(t, PoolOptions{Processes: 2})
	p.works(t)
	p.Close()
	if _, _, err := p.see(t.Context(), fixture(t, "photo.jpg")); !errors.Is(err, ErrClosed) {
		t.Errorf("error %v, want %v", err, ErrClosed)
	}
}

// Many callers, with bad photos among the good ones, all get their own answer.
func TestPoolSideBySide(t *testing.T) {
	p, seen := newPool(t, PoolOptions{Processes: 2})
	good := fixture(t, "photo.jpg")
	_, want, err := p.see(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	var callers sync.WaitGroup
	for caller := range 4 {
		callers.Go(func() {
			for i := range 50 {
				if (i+caller)%20 == 7 {
					if _, _, err := p.see(t.Context(), order("exit")); !errors.Is(err, ErrCrashed) {
						t.Errorf("order: %v", err)
					}
					continue
				}
				if _, pixels, err := p.see(t.Context(), good); err != nil || string(pixels) != string(want) {
					t.Errorf("a good photo: %v, or other pixels", err)
				}
			}
		})
	}
	callers.Wait()
	if len(p.idle) > 2 || seen.crashed != 24 {
		t.Errorf("%d idle, counted %+v", len(p.idle), seen)
	}
}

// beParent says which processes it has, one of them busy for ever, and stays.
func beParent() {
	p, err := NewPool(DefaultLimits(), testGeometry, PoolOptions{Processes: 2, Deadline: time.Hour})
	if err != nil {
		os.Exit(1)
	}
	a, errA := p.start(context.Background())
	b, errB := p.start(context.Background())
	if err := errors.Join(errA, errB); err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	p.idle = []*child{a, b}
	go p.see(context.Background(), order("spin"))
	time.Sleep(200 * time.Millisecond)
	fmt.Println(a.cmd.Process.Pid, b.cmd.Process.Pid)
	select {}
}

// Nothing of a worker that was killed stays, not even a decoder that is busy.
func TestChildrenDieWithTheirParent(t *testing.T) {
	parent := exec.Command(os.Args[0], "decode-parent")
	out, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	parent.Process.Kill()
	parent.Wait()
	if err != nil || len(strings.Fields(line)) != 2 {
		t.Fatalf("%q, %v", line, err)
	}
	for _, word := range strings.Fields(line) {
		pid, _ := strconv.Atoi(word)
		for deadline := time.Now().Add(20 * time.Second); running(pid); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("process %d still runs", pid)
			}
		}
	}
}

// running tells a process from none and from a zombie that init will reap.
func running(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}
