package realkafka

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// mounted sees to it that a directory, which is empty, lies on a mount that can be seen: in a chroot its root need not be one,
// and Java, which looks for the mount of every file store by its device, finds none there.
func mounted(t testing.TB, dir string) {
	t.Helper()
	text, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil || onMount(string(text), dir) {
		return
	}
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, "mode=0755"); err != nil {
		t.Skipf("the root here is no mount (a chroot), in which Java servers find no file store, and none can be made: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
}

// onMount says whether one of the mounts, as /proc/self/mountinfo lists them, holds a path.
func onMount(mounts, path string) bool {
	for line := range strings.Lines(mounts) {
		fields := strings.Fields(line)
		if len(fields) < 5 {
			continue
		}
		if below, err := filepath.Rel(fields[4], path); err == nil && below != ".." && !strings.HasPrefix(below, "../") {
			return true
		}
	}
	return false
}
