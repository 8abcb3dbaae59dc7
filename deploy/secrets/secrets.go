package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// marker is in every secret. It holds nothing that any encoding would have to quote.
const marker = "hush7never7print7this"

// loopback is the secret key of the embedded store.
const loopback = "planetag-loopback-only"

// Of returns the secret for a purpose; the purpose is what a report of a leak says.
func Of(purpose string) string { return marker + "-" + purpose }

// Find reports whether text shows a secret, and as what: "in clear", "in base64", "in hexadecimal", "as bytes" or "a private key". It never returns the
// secret itself.
func Find(text string) (as string, found bool) {
	lower := strings.ToLower(text)
	switch {
	case strings.Contains(lower, marker), strings.Contains(lower, loopback):
		return "in clear", true
	case strings.Contains(lower, hex.EncodeToString([]byte(marker))):
		return "in hexadecimal", true
	case strings.Contains(text, strings.Trim(fmt.Sprint([]byte(marker)), "[]")):
		return "as bytes", true
	case strings.Contains(text, "PRIVATE KEY-----"):
		return "a private key", true
	}
	for shift := range 3 {
		if strings.Contains(text, inBase64(shift)) {
			return "in base64", true
		}
	}
	return "", false
}

// inBase64 is the part of the marker's encoding that is the same whatever comes before it, shift bytes beyond a multiple of three, and after it.
func inBase64(shift int) string {
	encoded := base64.RawStdEncoding.EncodeToString(append(make([]byte, shift), marker...))
	if (shift+len(marker))%3 != 0 {
		encoded = encoded[:len(encoded)-1]
	}
	return encoded[(shift*8+5)/6:]
}

// Watch fails the test, when it ends, if the text shows a secret; what names the text.
func Watch(t testing.TB, what string, text func() string) {
	t.Helper()
	t.Cleanup(func() {
		t.Helper()
		Check(t, what, text())
	})
}

// WatchFile is Watch for a file that grows until the test ends.
func WatchFile(t testing.TB, path string) {
	t.Helper()
	Watch(t, filepath.Base(path), func() string {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Errorf("look for secrets: %v", err)
		}
		return string(text)
	})
}

// Check fails the test if the text shows a secret.
func Check(t testing.TB, what, text string) {
	t.Helper()
	for number, line := range strings.Split(text, "\n") {
		if as, found := Find(line); found {
			t.Errorf("%s shows a secret, %s, in line %d", what, as, number+1)
		}
	}
}

// Log returns a logger at level debug that keeps nothing, and fails the test, when it ends, if a secret went through it.
func Log(t testing.TB) *slog.Logger {
	t.Helper()
	found := &leaks{}
	t.Cleanup(func() {
		found.mu.Lock()
		defer found.mu.Unlock()
		for _, as := range found.as {
			t.Errorf("a secret was logged, %s", as)
		}
	})
	return slog.New(slog.NewJSONHandler(found, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// leaks remembers how secrets were written. A logger writes a record at once.
type leaks struct {
	mu sync.Mutex
	as []string
}

func (l *leaks) Write(record []byte) (int, error) {
	if as, found := Find(string(record)); found {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.as = append(l.as, as)
	}
	return len(record), nil
}
