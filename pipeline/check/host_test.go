package check

import (
	"os"
	"path/filepath"
	"testing"
)

func TestMemoryLimit(t *testing.T) {
	machine := map[string]string{"proc/meminfo": "MemTotal:       16777216 kB\nMemFree: 1 kB\n"}
	for story, row := range map[string]struct {
		files map[string]string
		want  int64
		where string
	}{
		"nothing known":   {nil, 0, ""},
		"no group":        {nil, 16 << 30, "this machine"},
		"version 2":       {map[string]string{"proc/self/cgroup": "0::/pod/box\n", "sys/fs/cgroup/pod/box/memory.max": "1073741824\n"}, 1 << 30, "the control group"},
		"of one above":    {map[string]string{"proc/self/cgroup": "0::/pod/box\n", "sys/fs/cgroup/pod/box/memory.max": "max\n", "sys/fs/cgroup/pod/memory.max": "2147483648\n"}, 2 << 30, "the control group"},
		"in a container":  {map[string]string{"proc/self/cgroup": "0::/../../of/the/host\n", "sys/fs/cgroup/memory.max": "536870912\n"}, 512 << 20, "the control group"},
		"none in version": {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "max\n"}, 16 << 30, "this machine"},
		"version 1": {
			map[string]string{"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/x\n", "sys/fs/cgroup/memory/x/memory.limit_in_bytes": "3221225472\n"}, 3 << 30, "the control group",
		},
		"version 1, unlimited": {
			map[string]string{"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 16 << 30, "this machine",
		},
	} {
		root := t.TempDir()
		write := func(files map[string]string) {
			for name, content := range files {
				path := filepath.Join(root, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}
		if story != "nothing known" {
			write(machine)
		}
		write(row.files)
		if got, where := memoryLimit(root); got != row.want || where != row.where {
			t.Errorf("%s: %d of %q, want %d of %q", story, got, where, row.want, row.where)
		}
	}
}
