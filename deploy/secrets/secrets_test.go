package secrets

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"planetag/pipeline/devstore"
)

func TestFindSeesASecretInEveryDress(t *testing.T) {
	secret := Of("a user's password")
	quoted, err := json.Marshal(map[string]string{"password": secret})
	if err != nil {
		t.Fatal(err)
	}
	for dress, text := range map[string]string{
		"the demo's":   "key " + devstore.SecretKey,
		"plain":        "cannot log in with " + secret,
		"upper case":   strings.ToUpper(secret),
		"quoted":       fmt.Sprintf("%q", secret),
		"JSON":         string(quoted),
		"URL":          "http://user:" + url.QueryEscape(secret) + "@host/",
		"hexadecimal":  hex.EncodeToString([]byte(secret)),
		"HEXADECIMAL":  fmt.Sprintf("%X", secret),
		"bytes":        fmt.Sprint([]byte(secret)),
		"SASL plain":   base64.StdEncoding.EncodeToString([]byte("\x00user\x00" + secret)),
		"basic":        base64.StdEncoding.EncodeToString([]byte("planetag:" + secret)),
		"base64":       base64.URLEncoding.EncodeToString([]byte(secret)),
		"shift of one": base64.StdEncoding.EncodeToString([]byte("x" + secret)),
		"shift of two": base64.StdEncoding.EncodeToString([]byte("xy" + secret)),
		"a key's PEM":  "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE",
	} {
		if as, found := Find(text); !found || as == "" || strings.Contains(as, marker) {
			t.Errorf("%s: found %v, %q", dress, found, as)
		}
	}
	for _, text := range []string{"", "hush", "password=********", "-----BEGIN CERTIFICATE-----", "the private key file does not exist"} {
		if as, found := Find(text); found {
			t.Errorf("%q was taken for a secret, %s", text, as)
		}
	}
}

// recorder is a test that remembers how it ended.
type recorder struct {
	testing.TB
	errors  []string
	cleanup []func()
}

func (r *recorder) Helper() {}
func (r *recorder) Errorf(format string, args ...any) {
	r.errors = append(r.errors, fmt.Sprintf(format, args...))
}
func (r *recorder) Cleanup(f func()) { r.cleanup = append(r.cleanup, f) }

func TestWatchFailsATestWithoutRepeatingTheSecret(t *testing.T) {
	r := &recorder{TB: t}
	log := "first line\n"
	Watch(r, "the worker's log", func() string { return log })
	log += "password is " + Of("test") + "\n"
	for _, f := range r.cleanup {
		f()
	}
	if len(r.errors) != 1 || !strings.Contains(r.errors[0], "the worker's log shows a secret, in clear, in line 2") {
		t.Fatalf("reported %q", r.errors)
	}
	if _, found := Find(r.errors[0]); found {
		t.Error("the report repeats the secret")
	}
	Check(t, "a clean log", "first line\nsecond line\n")
}

func TestALoggerThatIsGivenASecretFailsTheTest(t *testing.T) {
	for secret, leaks := range map[string]int{"hush": 0, Of("test"): 1} {
		r := &recorder{TB: t}
		Log(r).Debug("logged in", "password", secret)
		for _, f := range r.cleanup {
			f()
		}
		if len(r.errors) != leaks {
			t.Errorf("reported %q, want %d", r.errors, leaks)
		}
	}
}
