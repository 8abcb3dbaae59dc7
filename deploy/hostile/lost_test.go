package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestALostFileIsReported runs a worker that takes references and answers none.
func TestALostFileIsReported(t *testing.T) {
	o := options{root: "../..", binary: "testdata/idle.sh", count: 3, seed: 1, limit: time.Second, memory: 1 << 20, patience: 3 * time.Second}
	o.log = filepath.Join(t.TempDir(), "worker.log")
	o.report = filepath.Join(t.TempDir(), "report.md")
	if err := os.WriteFile(o.report, []byte("before\n<!-- hostile -->\nold\n<!-- /hostile -->\nafter\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := do(t.Context(), o); !errors.Is(err, errFound) {
		t.Errorf("got %v, want %v", err, errFound)
	}
	table, err := os.ReadFile(o.report)
	text := string(table)
	if err != nil || !strings.Contains(text, "| without a verdict | 4 |") || !strings.Contains(text, "no verdict for 3s") ||
		!strings.HasPrefix(text, "before\n") || !strings.HasSuffix(text, "after\n") || strings.Contains(text, "old") {
		t.Errorf("%v\n%s", err, table)
	}
}

// TestAWorkerThatCannotStartEndsTheRun does not wait for verdicts of a worker that never works.
func TestAWorkerThatCannotStartEndsTheRun(t *testing.T) {
	o := options{root: "../..", binary: "testdata/broken.sh", count: 3, seed: 1, limit: time.Second, memory: 1 << 20, patience: time.Minute}
	o.log = filepath.Join(t.TempDir(), "worker.log")
	if _, err := run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "the worker crashed 3 times") || !strings.Contains(err.Error(), o.log) {
		t.Errorf("got %v", err)
	}
}
