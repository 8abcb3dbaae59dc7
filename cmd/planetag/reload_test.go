package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestHangupReloads sends a worker SIGHUP: after nothing changed, after a setting did, and after the file was spoilt. It works on, and stops as it should.
func TestHangupReloads(t *testing.T) {
	w := newWorld(t)
	w.makeTopics(t)
	dir := t.TempDir()
	config, log := filepath.Join(dir, "planetag.yaml"), filepath.Join(dir, "log")
	write := func(text string) {
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("albums: {idle: 5s}\n")
	out, err := os.Create(log)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	cmd := exec.Command("planetag", "run", "--config", config)
	cmd.Env, cmd.Stderr = w.env, out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() { _ = cmd.Process.Kill() }) // usually it has ended
	said := func() string {
		text, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	await := func(part string) {
		t.Helper()
		for deadline := time.Now().Add(60 * time.Second); !strings.Contains(said(), part); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("the log never says %q\n%s", part, said())
			}
		}
	}
	hangup := func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	await("partitions assigned")
	hangup()
	await("nothing has changed")
	write("albums: {idle: 7s}\ntopics: {input: other}\n")
	hangup()
	await(`"changed":["albums.idle"]`)
	await(`"keys":["topics.input"]`)
	write("albums: {idel: 7s}\n")
	hangup()
	await("reload failed, everything stays as it is")
	await("albums.idel")
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("%v\n%s", err, said())
	}
}
