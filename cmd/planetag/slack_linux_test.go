package main

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// Every thread has the slack: the runtime's monitor, which is the one that it is for, is older than all but the first.
func TestEveryThreadHasSlack(t *testing.T) {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	for _, thread := range threads {
		slack, err := os.ReadFile(filepath.Join("/proc", thread.Name(), "timerslack_ns"))
		switch {
		case errors.Is(err, fs.ErrPermission): // of other threads, only who may tune them
		case err != nil:
			t.Log(err) // it has ended
		case string(bytes.TrimSpace(slack)) != "1000000":
			t.Errorf("thread %s has a slack of %s ns", thread.Name(), bytes.TrimSpace(slack))
		default:
			read++
		}
	}
	if read == 0 {
		t.Error("no thread says what its slack is")
	}
}
