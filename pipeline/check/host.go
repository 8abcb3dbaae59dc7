package check

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"planetag/pipeline"
)

// spare is how much should be free where temporary files go. The worker itself writes no files.
const spare = 64 << 20

// disk looks at the temporary directory.
func (c *checking) disk(_ context.Context, k *Check) {
	dir := os.TempDir()
	free, err := freeBytes(dir)
	switch {
	case err != nil:
		k.warn(err.Error(), "set TMPDIR to a directory that is there")
	case free < spare:
		k.warn(fmt.Sprintf("%s has %s free", dir, roughly(free)), "free some, or set TMPDIR to a file system that has room")
	default:
		k.found("the worker writes no files; %s free in %s", roughly(free), dir)
	}
}

func freeBytes(dir string) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Statfs(dir, &s); err != nil {
		return 0, fmt.Errorf("look at the file system of %s: %w", dir, err)
	}
	return int64(s.Bavail) * int64(s.Bsize), nil
}

// program is what the worker takes beside memory.budget, as deploy/planetag.yaml has it.
const program = 300 << 20

// memory compares memory.budget with what the machine, or the control group that the process is in, has.
func (c *checking) memory(_ context.Context, k *Check) {
	limit, where := memoryLimit(c.root)
	if limit == 0 {
		k.warn("neither a control group nor /proc/meminfo tells how much memory there is", "")
		return
	}
	need := int64(c.cfg.Memory.Budget) + program
	if need > limit {
		remedy := fmt.Sprintf("allow at least %s", roughly(need))
		if room := (limit - program) >> 20; room > 0 && room<<20 >= int64(c.cfg.Photos.MaxObjectBytes) {
			remedy += fmt.Sprintf(", or set memory.budget: %dMiB", room)
		}
		k.fail(pipeline.ErrConfig, fmt.Sprintf("%s allows %s, and memory.budget (%s) with program and model takes up to %s: the kernel would end the worker",
			where, roughly(limit), c.cfg.Memory.Budget, roughly(need)), remedy)
		return
	}
	k.found("memory.budget %s and program fit into the %s of %s", c.cfg.Memory.Budget, roughly(limit), where)
}

// memoryLimit is the least of the limits of the process's control groups, of version 2 or 1, and of the machine's memory.
func memoryLimit(root string) (limit int64, where string) {
	least := func(n int64, from string) {
		if n > 0 && (limit == 0 || n < limit) {
			limit, where = n, from
		}
	}
	text, _ := os.ReadFile(filepath.Join(root, "/proc/meminfo"))
	if fields := strings.Fields(string(text)); len(fields) > 1 && fields[0] == "MemTotal:" {
		kib, _ := strconv.ParseInt(fields[1], 10, 64)
		least(kib<<10, "this machine")
	}
	text, _ = os.ReadFile(filepath.Join(root, "/proc/self/cgroup"))
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		base, file := filepath.Join(root, "/sys/fs/cgroup"), "memory.max"
		if parts[1] != "" {
			if !slices.Contains(strings.Split(parts[1], ","), "memory") {
				continue
			}
			base, file = filepath.Join(base, "memory"), "memory.limit_in_bytes"
		}
		// A limit holds for everything below it. In a container the path may be one of the host's, of which only the root is there.
		for dir := filepath.Clean("/" + parts[2]); ; dir = filepath.Dir(dir) {
			text, _ := os.ReadFile(filepath.Join(base, dir, file))
			n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			if err == nil { // "max" is none
				least(n, "the control group")
			}
			if dir == "/" {
				break
			}
		}
	}
	return limit, where
}

// roughly writes bytes for people.
func roughly(n int64) string {
	for _, unit := range []struct {
		size int64
		name string
	}{{1 << 40, "TiB"}, {1 << 30, "GiB"}, {1 << 20, "MiB"}, {1 << 10, "KiB"}} {
		if n >= unit.size {
			return fmt.Sprintf("%.1f %s", float64(n)/float64(unit.size), unit.name)
		}
	}
	return fmt.Sprintf("%d B", n)
}
