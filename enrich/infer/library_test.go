package infer

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

func touch(t *testing.T, path string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte("not a library"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindLibraryTakesTheFlagBeforeTheEnvironment(t *testing.T) {
	flag, env := touch(t, filepath.Join(t.TempDir(), "flag.so")), touch(t, filepath.Join(t.TempDir(), "env.so"))
	t.Setenv(LibraryVariable, env)
	if got, err := FindLibrary(flag); err != nil || got != flag {
		t.Errorf("with both: %s, %v", got, err)
	}
	if got, err := FindLibrary(""); err != nil || got != env {
		t.Errorf("with the environment: %s, %v", got, err)
	}
}

func TestFindLibraryDoesNotLookElsewhereForANamedOne(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{filepath.Join(dir, "gone.so"), dir} {
		t.Setenv(LibraryVariable, path)
		_, err := FindLibrary("")
		if !errors.Is(err, ErrLibrary) || !strings.Contains(err.Error(), LibraryVariable+" names "+path) || !strings.Contains(err.Error(), "make setup") {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := FindLibrary("/nowhere/lib.so"); !errors.Is(err, ErrLibrary) || !strings.Contains(err.Error(), "--ort-lib names /nowhere/lib.so") {
		t.Errorf("a flag that leads nowhere: %v", err)
	}
}

func TestNewestInAFolder(t *testing.T) {
	tests := []struct {
		name  string
		files []string
		want  string
	}{
		{"an empty folder", nil, ""},
		{"other libraries", []string{"libvips.so", "libonnxruntime_providers_shared.so"}, ""},
		{"one without version", []string{"libonnxruntime.so"}, "libonnxruntime.so"},
		{"the newer of two", []string{"libonnxruntime.so.1.30.0", "libonnxruntime.so.1.9.2"}, "libonnxruntime.so.1.30.0"},
		{"the full name of several", []string{"libonnxruntime.so", "libonnxruntime.so.1", "libonnxruntime.so.1.30.0"}, "libonnxruntime.so.1.30.0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "odd [name]")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			for _, f := range tt.files {
				touch(t, filepath.Join(dir, f))
			}
			got := newestIn(dir)
			if got != "" {
				got = filepath.Base(got)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestOpenRefusesWhatIsNoLibrary(t *testing.T) {
	path := touch(t, filepath.Join(t.TempDir(), "libonnxruntime.so"))
	_, err := Open(path)
	if !errors.Is(err, ErrLibrary) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "make setup") {
		t.Errorf("got %v", err)
	}
}

// TestOpenRefusesAnOldLibrary builds a library that, as an old ONNX Runtime
// does, has no interface of the version asked for.
func TestOpenRefusesAnOldLibrary(t *testing.T) {
	const source = `
struct base { const void *(*get_api)(unsigned); const char *(*version)(void); };
static const void *get_api(unsigned version) { (void)version; return 0; }
static const char *version(void) { return "1.17.0"; }
static const struct base b = { get_api, version };
const struct base *OrtGetApiBase(void) { return &b; }
`
	dir := t.TempDir()
	c, path := filepath.Join(dir, "old.c"), filepath.Join(dir, "libonnxruntime.so.1.17.0")
	if err := os.WriteFile(c, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("cc", "-shared", "-fPIC", "-o", path, c).CombinedOutput(); err != nil {
		t.Fatalf("cc, which built this test too: %v\n%s", err, out)
	}
	_, err := Open(path)
	if !errors.Is(err, ErrLibrary) || !strings.Contains(err.Error(), path+" is older than 1.29") {
		t.Errorf("got %v", err)
	}
	t.Run("and then opens a good one", func(t *testing.T) { openRuntime(t) })
}

func TestOneLibraryPerProcess(t *testing.T) {
	first := openRuntime(t)
	if _, err := Open("/other/libonnxruntime.so"); !errors.Is(err, ErrLibrary) || !strings.Contains(err.Error(), "already runs "+first.Library()) {
		t.Errorf("another library: %v", err)
	}
	second, err := Open(first.Library())
	if err != nil {
		t.Fatal(err)
	}
	if second.Version() != first.Version() || first.Version() == "" {
		t.Errorf("versions %q and %q", first.Version(), second.Version())
	}
	for range 3 { // a Runtime closed twice is one user less, not two
		if err := second.Close(); err != nil {
			t.Fatal(err)
		}
	}
	c, err := first.OpenCNN(tinySpec())
	if err != nil {
		t.Fatalf("after another user left: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if v := second.Version(); v != first.Version() {
		t.Errorf("a closed runtime forgot its version: %q", v)
	}
}
