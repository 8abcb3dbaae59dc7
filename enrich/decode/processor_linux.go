package decode

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what a process has used of the processor so far, user and
// system; 0 when it is gone. It is asked for with every photo, and the clock that
// a process has (clock_getcpuclockid(3)) is one call instead of a file in /proc.
func processorTime(pid int) time.Duration {
	const scheduled = 2 // CPUCLOCK_SCHED of the kernel
	var t unix.Timespec
	if unix.ClockGettime(int32(^pid)<<3|scheduled, &t) == nil {
		return time.Duration(t.Nano())
	}
	return ticksOf(pid)
}

// ticksOf is the same in hundredths of a second, for a kernel without that clock.
func ticksOf(pid int) time.Duration {
	fields := statOf(fmt.Sprintf("/proc/%d/stat", pid))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(string(fields[11]), 10, 64) // numbers, says the manual
	system, _ := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * (time.Second / 100) // USER_HZ is 100 on every Linux
}

// working says whether any thread of a process runs or would, if it got a
// processor. A process in which all of them wait for something else hangs.
func working(pid int) bool {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/stat", pid)) // the pattern is sound
	for _, thread := range threads {
		if fields := statOf(thread); len(fields) > 0 && string(fields[0]) == "R" {
			return true
		}
	}
	return false
}

// statOf is what a file like /proc/PID/stat says from the state on; nothing when
// its process or thread is gone. See proc_pid_stat(5).
func statOf(path string) [][]byte {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	_, rest, _ := bytes.Cut(text, []byte(") ")) // the name before it may hold anything
	return bytes.Fields(rest)
}
