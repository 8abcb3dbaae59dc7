package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// usage is what processes have taken of the machine so far.
type usage struct {
	worker, children time.Duration // of the processor, user and system
	rss              int64         // bytes resident now; pages that processes share count once in each
}

func (u usage) cpu() time.Duration { return u.worker + u.children }

// usageOf adds up a process and its children: for a worker, its decoders. Children that have ended count with their parent,
// which waits for them.
func usageOf(pid int, children []int) usage {
	cpu, dead, rss := statOf(pid)
	u := usage{cpu, dead, rss}
	for _, child := range children {
		cpu, dead, rss := statOf(child)
		u.children, u.rss = u.children+cpu+dead, u.rss+rss
	}
	return u
}

// family is the children of a process as they were when they were last looked for. To read the list that every thread has of
// them costs more than all the rest of watching a worker, on the cores that the worker could use; once they have stayed
// the same for a while they are looked for no more than once a second.
type family struct {
	pids   []int
	looked time.Time
	same   int // looks that found no change
}

func (f *family) of(pid int, look func(pid int) []int) []int {
	const settled = 4
	if f.same < settled || time.Since(f.looked) >= time.Second {
		pids := look(pid)
		f.same++
		if !slices.Equal(pids, f.pids) {
			f.same = 0
		}
		f.pids, f.looked = pids, time.Now()
	}
	return f.pids
}

// statOf reads proc_pid_stat(5): processor time of the process and of its children that have ended, and resident bytes;
// zeros when it is gone.
func statOf(pid int) (cpu, dead time.Duration, rss int64) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, found := bytes.Cut(text, []byte(") ")) // the name before it may hold anything
	f := strings.Fields(string(rest))
	if err != nil || !found || len(f) < 22 {
		return 0, 0, 0
	}
	ticks := func(a, b int) time.Duration {
		x, _ := strconv.ParseInt(f[a], 10, 64) // numbers, says the manual
		y, _ := strconv.ParseInt(f[b], 10, 64)
		return time.Duration(x+y) * (time.Second / 100) // USER_HZ is 100 on every Linux
	}
	pages, _ := strconv.ParseInt(f[21], 10, 64)
	return ticks(11, 12), ticks(13, 14), pages * int64(os.Getpagesize())
}

func childrenOf(pid int) []int {
	lists, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid)) // the pattern is sound
	var pids []int
	for _, list := range lists {
		text, err := os.ReadFile(list)
		if err != nil { // the thread has ended
			continue
		}
		for _, word := range strings.Fields(string(text)) {
			if child, err := strconv.Atoi(word); err == nil {
				pids = append(pids, child)
			}
		}
	}
	return pids
}

// ownTime is what this process has had of the processor, user and system.
func ownTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_PROCESS_CPUTIME_ID, &t) != nil {
		return 0
	}
	return time.Duration(t.Nano())
}

func cpuName() string {
	text, _ := os.ReadFile("/proc/cpuinfo") // no name on another system
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return "unknown"
}

func loadAverage() float64 {
	text, _ := os.ReadFile("/proc/loadavg") // no load on another system
	first, _, _ := strings.Cut(string(text), " ")
	load, _ := strconv.ParseFloat(first, 64)
	return load
}
