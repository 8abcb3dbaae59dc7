package realkafka

import (
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// Some servers refuse to be root. Where the tests are, their directories and processes belong to the user nobody.

// ordinaryDir is a directory that an ordinary user may write, removed when the test ends. A test's own directory cannot be
// entered by others.
func ordinaryDir(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "planetag-"+name+"-")
	if err != nil {
		t.Fatalf("make a directory for %s: %v", name, err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	give(t, dir)
	return dir
}

// give makes path and all below it the ordinary user's.
func give(t testing.TB, path string) {
	t.Helper()
	to := ordinaryUser(t)
	if to == nil {
		return
	}
	err := filepath.WalkDir(path, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(to.Uid), int(to.Gid))
	})
	if err != nil {
		t.Fatalf("give %s to an ordinary user: %v", path, err)
	}
}

// ordinaryUser is nobody where the tests are root, and nil, for whoever runs them, elsewhere.
func ordinaryUser(t testing.TB) *syscall.Credential {
	t.Helper()
	if os.Geteuid() != 0 {
		return nil
	}
	nobody, err := user.Lookup("nobody")
	if err != nil {
		Missing(t, "the tests run as root, and there is no user nobody to run a server as")
	}
	uid, _ := strconv.ParseUint(nobody.Uid, 10, 32) // a number on every Unix
	gid, _ := strconv.ParseUint(nobody.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

// ordinarily runs a program as the ordinary user until its end.
func ordinarily(t testing.TB, dir string, argv ...string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
	cmd.Dir, cmd.SysProcAttr = dir, &syscall.SysProcAttr{Credential: ordinaryUser(t)}
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", filepath.Base(argv[0]), err, out)
	}
}
