package deploy_test

import (
	"crypto/sha256"
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"planetag/deploy/realkafka"
)

// onnxruntime runs the set-up's script for ONNX Runtime with its own .deps directory.
func onnxruntime(t *testing.T, deps string, args ...string) (string, error) {
	t.Helper()
	script := filepath.Join(realkafka.Root(t), "deploy", "setup", "onnxruntime.sh")
	cmd := exec.CommandContext(t.Context(), "bash", append([]string{script}, args...)...)
	cmd.Env = append(os.Environ(), "PLANETAG_DEPS="+deps, "PLANETAG_ORT_LIB=")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// pinned returns the checksum that the set-up expects of a channel on this machine.
func pinned(t *testing.T, channel string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(realkafka.Root(t), "deploy", "setup", "onnxruntime.sums"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == channel && f[1] == runtime.GOARCH {
			return f[2]
		}
	}
	t.Fatalf("no checksum for %s on %s", channel, runtime.GOARCH)
	return ""
}

func TestAForeignLibraryStopsTheSetUpWithBothChecksums(t *testing.T) {
	for _, channel := range []string{"pip", "npm"} {
		t.Run(channel, func(t *testing.T) {
			deps, file := t.TempDir(), filepath.Join(t.TempDir(), "libonnxruntime.so.1.30.0")
			content := []byte("not a library")
			if err := os.WriteFile(file, content, 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := onnxruntime(t, deps, "--from", file, channel)
			if err == nil {
				t.Fatalf("a library with a wrong checksum was installed:\n%s", out)
			}
			sum := sha256.Sum256(content)
			for _, want := range []string{file, hex.EncodeToString(sum[:]), pinned(t, channel)} {
				if !strings.Contains(out, want) {
					t.Errorf("the message lacks %q:\n%s", want, out)
				}
			}
			if left, _ := filepath.Glob(filepath.Join(deps, "onnxruntime", "*")); len(left) > 0 {
				t.Errorf("the set-up left %v", left)
			}
		})
	}
}

func TestAnInstalledLibraryThatChangedIsNotTrusted(t *testing.T) {
	deps := t.TempDir()
	library := filepath.Join(deps, "onnxruntime", "libonnxruntime.so.1.30.0")
	if err := os.Mkdir(filepath.Dir(library), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(library, []byte("flipped"), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := onnxruntime(t, deps)
	if err == nil || !strings.Contains(out, library) || !strings.Contains(out, pinned(t, "pip")) {
		t.Errorf("got error %v and:\n%s", err, out)
	}
}

func TestASecondSetUpIsQuiet(t *testing.T) {
	root := realkafka.Root(t)
	if _, err := os.Stat(filepath.Join(root, ".deps", "onnxruntime", "libonnxruntime.so.1.30.0")); err != nil {
		realkafka.Missing(t, "ONNX Runtime is not installed by `make setup`")
	}
	cmd := exec.CommandContext(t.Context(), "make", "-s", "setup")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "PLANETAG_ORT_LIB=", "MAKEFLAGS=")
	out, err := cmd.CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("error %v, output %q; want silence", err, out)
	}
}
