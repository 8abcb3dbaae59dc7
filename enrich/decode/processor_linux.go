package decode

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// processorTime is what a process has used of the processor so far, user and
// system; 0 when it is gone. See proc_pid_stat(5).
func processorTime(pid int) time.Duration {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(text, []byte(") ")) // the name before it may hold anything
	fields := bytes.Fields(rest)
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
		text, err := os.ReadFile(thread)
		_, rest, named := bytes.Cut(text, []byte(") "))
		if err == nil && named && bytes.HasPrefix(rest, []byte("R")) {
			return true
		}
	}
	return false
}
