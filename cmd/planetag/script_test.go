package main

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"planetag/deploy/realkafka"
	"planetag/deploy/secrets"
	"planetag/enrich/infer"
)

// TestMain lets tests run this test binary under the name planetag.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"planetag": main})
}

// TestScripts runs testdata/*.txt: each is a session of a person at the command line.
func TestScripts(t *testing.T) {
	library, err := infer.FindLibrary("")
	if err != nil && os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
		t.Fatal(err)
	}
	tiny, err := filepath.Abs("../../enrich/testdata/tiny")
	if err != nil {
		t.Fatal(err)
	}
	// With the race detector the scripts would take five times as long; what runs at once in a command has tests in its own
	// package, with the detector.
	program := filepath.Dir(realkafka.Planetag(t))
	ready := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/ready" {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		fmt.Fprint(w, `{"ok":true,"reason":"as the test wants it"}`)
	}))
	t.Cleanup(ready.Close)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", program+string(os.PathListSeparator)+env.Getenv("PATH"))
			env.Setenv("TINY", tiny)
			env.Setenv("WORKER", ready.URL)
			env.Setenv(infer.LibraryVariable, library)
			return nil
		},
		Condition: func(name string) (bool, error) {
			if name != "library" {
				return false, fmt.Errorf("unknown condition %s", name)
			}
			return library != "", nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){"exits": exits, "flip": flip, "secretly": secretly, "hushed": hushed},
	})
}

// exits STATUS COMMAND… runs a command that must end with the status.
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits STATUS COMMAND…")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	var ended *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &ended) {
		got = ended.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// secretly VARIABLE sets it to a secret, which must not stand in the script: scripts are printed.
func secretly(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: secretly VARIABLE")
	}
	ts.Setenv(args[0], secrets.Of("environment"))
}

// hushed wants no secret in what the last command wrote.
func hushed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: hushed")
	}
	for _, output := range []string{"stdout", "stderr"} {
		if as, found := secrets.Find(ts.ReadFile(output)); found {
			ts.Fatalf("%s shows a secret, %s", output, as)
		}
	}
}

// flip FILE turns one bit over in the middle of a file.
func flip(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: flip FILE")
	}
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	data[len(data)/2] ^= 1
	ts.Check(os.WriteFile(path, data, 0o600))
}
