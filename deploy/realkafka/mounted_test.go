package realkafka

import "testing"

func TestOnMount(t *testing.T) {
	const chroot = "25 30 0:23 / /proc rw - proc proc rw\n26 30 0:5 / /dev rw - devtmpfs dev rw\n"
	for _, row := range []struct {
		mounts, path string
		want         bool
	}{
		{"22 1 8:1 / / rw - ext4 /dev/sda1 rw\n", "/tmp/a", true},
		{chroot, "/tmp/a", false},
		{chroot, "/dev/shm/a", true},
		{chroot, "/devices", false},
		{chroot + "40 30 8:1 /tmp/a /tmp/a rw - ext4 /dev/sda1 rw\n", "/tmp/a", true},
	} {
		if got := onMount(row.mounts, row.path); got != row.want {
			t.Errorf("%s on %q: %v", row.path, row.mounts, got)
		}
	}
}
