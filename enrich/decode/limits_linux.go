package decode

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// confine limits this process for good: memory bytes more than it has now, no
// core, no bytes into files, few open files, no new rights, and, if it answers
// true, none of the system calls that decoding has no use for.
//
// The memory is RLIMIT_DATA and not RLIMIT_AS: Go and the sanitizers reserve
// address space by the terabyte, and only what can be written costs anything.
func confine(memory int64) (bool, error) {
	used, err := writableBytes()
	if err != nil {
		return false, err
	}
	for _, limit := range []struct {
		what int
		most uint64
	}{
		{unix.RLIMIT_CORE, 0},
		{unix.RLIMIT_FSIZE, 0},
		{unix.RLIMIT_NOFILE, 64},
		{unix.RLIMIT_DATA, used + uint64(memory)},
	} {
		if err := unix.Setrlimit(limit.what, &unix.Rlimit{Cur: limit.most, Max: limit.most}); err != nil {
			return false, fmt.Errorf("set limit %d to %d: %w", limit.what, limit.most, err)
		}
	}
	err = filterCalls()
	if errors.Is(err, errNoFilter) {
		return false, nil
	}
	return err == nil, err
}

// errNoFilter: this system cannot filter system calls.
var errNoFilter = errors.New("system calls cannot be filtered")

// writableBytes is what counts towards RLIMIT_DATA.
func writableBytes() (uint64, error) {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, fmt.Errorf("read size of this process: %w", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmData:"); ok {
			kib, err := strconv.ParseUint(strings.TrimSuffix(strings.TrimSpace(rest), " kB"), 10, 54)
			if err != nil {
				return 0, fmt.Errorf("read size of this process: %w", err)
			}
			return kib << 10, nil
		}
	}
	return 0, errors.New("read size of this process: no VmData")
}
