package decode

import (
	"os"
	"slices"
	"strings"
)

// sayings keeps the beginning of what a process wrote to its standard error,
// which is where the reason of its end is. It is read after that end.
type sayings struct{ text []byte }

// Write keeps what there is room for and never fails, so that the process is
// not held up.
func (s *sayings) Write(p []byte) (int, error) {
	const most = 4 << 10
	s.text = append(s.text, p[:min(len(p), most-len(s.text))]...)
	return len(p), nil
}

// line is the first line about memory, else the first one.
func (s *sayings) line() string {
	first := ""
	for line := range strings.Lines(string(s.text)) {
		line = shown(line)
		if outOfMemory(line) {
			return line
		}
		if first == "" {
			first = line
		}
	}
	return first
}

// outOfMemory recognises the words of libvips, libjpeg, libheif, GLib and Go.
func outOfMemory(text string) bool {
	low := strings.ToLower(text)
	return slices.ContainsFunc([]string{
		"out of memory", "insufficient memory", "cannot allocate memory", "memory allocation error",
		"failed to allocate", "unable to allocate", "pthread_create failed",
	}, func(sign string) bool { return strings.Contains(low, sign) })
}

// childEnvironment leaves out everything but what the libraries look for: the
// worker's variables may hold passwords.
func childEnvironment() []string {
	env := []string{"GOMAXPROCS=2", "GOTRACEBACK=none"}
	for _, name := range []string{
		"PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "TMPDIR", "LD_LIBRARY_PATH", "LIBHEIF_PLUGIN_PATH", "MALLOC_ARENA_MAX", "GORACE", "GOCOVERDIR",
	} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
