package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
)

// marker is in every secret. It holds nothing that any encoding would have to quote.
const marker = "hush7never7print7this"

// loopback is the secret key of the embedded store, which the demo's worker is given.
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

// Check fails the test if the text shows a secret.
func Check(t testing.TB, what, text string) {
	t.Helper()
	for number, line := range strings.Split(text, "\n") {
		if as, found := Find(line); found {
			t.Errorf("%s shows a secret, %s, in line %d", what, as, number+1)
		}
	}
}
