package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"planetag/deploy/secrets"
)

func TestTheClosingLineCountsAndFailuresAreShown(t *testing.T) {
	for _, c := range []struct {
		name    string
		sources map[string]string
		closing string
		code    int
		shows   []string
		hides   []string
	}{
		{
			name: "all pass, one skips with its reason",
			sources: map[string]string{"a_test.go": `package a
import "testing"
func TestOne(t *testing.T) { t.Log("chatter"); t.Run("inner", func(t *testing.T) {}) }
func TestTwo(t *testing.T) { t.Skip("no broker here") }`},
			closing: "2 passed, 0 failed, 1 skipped", code: 0,
			shows: []string{"no broker here", "pass "}, hides: []string{"chatter"},
		},
		{
			name: "a failure shows its output",
			sources: map[string]string{"a_test.go": `package a
import "testing"
func TestGood(t *testing.T) {}
func TestBad(t *testing.T) { t.Error("got 2, want 3") }`},
			closing: "1 passed, 1 failed, 0 skipped", code: 1, shows: []string{"got 2, want 3"},
		},
		{
			name: "a secret in the output of a test that passes",
			sources: map[string]string{"a_test.go": `package a
import ("testing"; "fmt")
func TestGood(t *testing.T) { fmt.Println("password is ` + secrets.Of("test") + `") }`},
			closing: "1 passed, 1 failed, 0 skipped", code: 1, shows: []string{"LEAK  a TestGood"}, hides: []string{secrets.Of("test")},
		},
		{
			name:    "a package that does not build is one failure",
			sources: map[string]string{"a_test.go": "package a\nvar x int = \"no\"\n"},
			closing: "0 passed, 1 failed, 0 skipped", code: 1, shows: []string{"cannot use"},
		},
		{
			name: "a process that ends by itself is a failure",
			sources: map[string]string{"a_test.go": `package a
import ("os"; "testing")
func TestExit(t *testing.T) { os.Exit(3) }`},
			closing: "0 passed, 1 failed, 0 skipped", code: 1,
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			c.sources["go.mod"] = "module a\n\ngo 1.26\n"
			for name, text := range c.sources {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			t.Chdir(dir)
			var out bytes.Buffer
			code, err := run(context.Background(), []string{"./..."}, &out)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			if got := lines[len(lines)-1]; got != c.closing || code != c.code {
				t.Errorf("closing line %q, exit code %d; want %q, %d; all output:\n%s", got, code, c.closing, c.code, out.String())
			}
			for _, want := range c.shows {
				if !strings.Contains(out.String(), want) {
					t.Errorf("output lacks %q:\n%s", want, out.String())
				}
			}
			for _, no := range c.hides {
				if strings.Contains(out.String(), no) {
					t.Errorf("output has %q of a passing test:\n%s", no, out.String())
				}
			}
		})
	}
}

func TestAStreamThatIsNotEventsIsAnError(t *testing.T) {
	if _, err := count(strings.NewReader("not json"), new(bytes.Buffer)); err == nil {
		t.Error("garbage was counted")
	}
}

// TestASecretInAnyOutputIsAFailureAndIsNotRepeated feeds what go test -json would write, in one piece and in two.
func TestASecretInAnyOutputIsAFailureAndIsNotRepeated(t *testing.T) {
	secret := secrets.Of("somebody's password")
	for story, outputs := range map[string][]string{
		"of a test that passes":  {"    a_test.go:3: logged in with " + secret + "\n"},
		"of a line in two parts": {"{\"password\":\"" + secret[:7], secret[7:] + "\"}\n"},
		"in base64":              {base64.StdEncoding.EncodeToString([]byte("user:"+secret)) + "\n"},
		"a private key":          {"-----BEGIN PRIVATE KEY-----\n"},
	} {
		for _, end := range []string{"pass", "fail"} {
			var events, out bytes.Buffer
			write := json.NewEncoder(&events)
			for _, output := range append([]string{"innocent\n"}, outputs...) {
				write.Encode(event{Action: "output", Package: "a", Test: "TestOne", Output: output})
			}
			write.Encode(event{Action: end, Package: "a", Test: "TestOne"})
			write.Encode(event{Action: end, Package: "a"})
			total, err := count(&events, &out)
			if err != nil || total.Failed == 0 || !strings.Contains(out.String(), "LEAK  a TestOne: the output shows a secret") {
				t.Errorf("%s, %s: %+v, %v\n%s", story, end, total, err, out.String())
			}
			if _, found := secrets.Find(out.String()); found {
				t.Errorf("%s, %s: the secret is repeated", story, end)
			}
		}
	}
	total, err := count(strings.NewReader(`{"Action":"output","Package":"a","Test":"TestOne","Output":"password=********\n"}
{"Action":"pass","Package":"a","Test":"TestOne"}
{"Action":"pass","Package":"a"}`), new(bytes.Buffer))
	if err != nil || total != (totals{Passed: 1}) {
		t.Errorf("an innocent output: %+v, %v", total, err)
	}
}
