package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/deploy/realkafka"
)

// windows finds the commands that a guide marks as runnable, and those that run in a window of their own.
var windows = regexp.MustCompile("(?ms)^```sh (run|background)\n(.*?)^```")

// beside runs a worker until the test ends, and returns when there is a topic of its locations.
func (s *scene) beside(cmd *exec.Cmd) {
	s.t.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the shell may not pass a signal on
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGTERM) }
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { // before it the test's context ends, and so the worker
		if err := cmd.Wait(); err != nil {
			s.t.Logf("the worker: %v\n%s", err, out.String())
		}
	})
	for begun := time.Now(); !s.has("planetag.locations"); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			s.t.Fatal("the worker has made no topic")
		}
	}
}

func (s *scene) has(topic string) bool {
	s.t.Helper()
	client, err := consumer.NewClient(consumer.Config{Brokers: []string{s.broker.Addr()}})
	if err != nil {
		s.t.Fatal(err)
	}
	defer client.Close()
	state, _ := client.Examine(s.t.Context(), consumer.Topic{Name: topic}, false)
	return state.Exists
}

// TestTheCommandsOfTheMappingGuideWork runs each block of docs/mapping.md as it stands there, beside a store that writes
// events, in a directory of somebody who follows it.
func TestTheCommandsOfTheMappingGuideWork(t *testing.T) {
	root := realkafka.Root(t)
	text, err := os.ReadFile(filepath.Join(root, "docs", "mapping.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := windows.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 5 {
		t.Fatalf("found %d runnable blocks, want at least 5", len(blocks))
	}
	s := newScene(t)
	s.upload("album 7/my photo+1.jpg", "ruins.jpg")
	for deadline := time.Now().Add(time.Minute); s.count(bucketEvents) < 2; { // the test event and the photo's
		if time.Now().After(deadline) {
			t.Fatal("the store wrote no event")
		}
		time.Sleep(50 * time.Millisecond)
	}
	dir := t.TempDir()
	buildBinary(t)
	if err := os.Symlink(filepath.Join(root, "bin"), filepath.Join(dir, "bin")); err != nil {
		t.Fatal(err)
	}
	env := append(environment(), "PLANETAG_KAFKA_BROKERS="+s.broker.Addr(), "PLANETAG_TOPICS_INPUT="+bucketEvents, "PLANETAG_KAFKA_SESSION_TIMEOUT=2s",
		"PLANETAG_S3_ENDPOINT="+s.store.URL, "PLANETAG_S3_BUCKET="+bucket, "PLANETAG_S3_ACCESS_KEY="+s.store.AccessKey,
		"PLANETAG_S3_SECRET_KEY="+s.store.SecretKey, "PLANETAG_HTTP_LISTEN=", "PLANETAG_ALBUMS_MODE=none")
	var all strings.Builder
	for _, block := range blocks {
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", block[2])
		cmd.Dir, cmd.Env = dir, env
		if block[1] == "background" {
			s.beside(cmd)
			continue
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s\n%v\n%s", block[2], err, out)
		}
		all.Write(out)
	}
	for _, part := range []string{`"photo_id":"photos/album 7/my photo+1.jpg"`, "– skipped", "2 of 2 cases pass", "✓ location", `estimated`} {
		if !strings.Contains(all.String(), part) {
			t.Errorf("the guide's commands did not say %q:\n%s", part, all.String())
		}
	}
}
