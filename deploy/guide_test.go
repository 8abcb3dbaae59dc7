package deploy_test

import (
	"io"
	"net/http"
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

// follow runs each block of a page of docs as it stands there, in the directory of somebody who follows it, and returns what
// they said.
func (s *scene) follow(page, dir string, least int, env ...string) string {
	s.t.Helper()
	root := realkafka.Root(s.t)
	text, err := os.ReadFile(filepath.Join(root, "docs", page))
	if err != nil {
		s.t.Fatal(err)
	}
	blocks := windows.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < least {
		s.t.Fatalf("%s: found %d runnable blocks, want at least %d", page, len(blocks), least)
	}
	if err := os.Symlink(filepath.Join(root, "bin"), filepath.Join(dir, "bin")); err != nil {
		s.t.Fatal(err)
	}
	var all strings.Builder
	for _, block := range blocks {
		cmd := exec.CommandContext(s.t.Context(), "bash", "-euo", "pipefail", "-c", block[2])
		cmd.Dir, cmd.Env = dir, s.environment(env...)
		if block[1] == "background" {
			s.beside(cmd)
			continue
		}
		out, err := cmd.CombinedOutput()
		if err != nil {
			s.t.Errorf("%s: %s\n%v\n%s", page, block[2], err, out)
		}
		all.Write(out)
	}
	return all.String()
}

// environment is what somebody sets who attaches a worker to the scene.
func (s *scene) environment(more ...string) []string {
	return append(append(environment(), "PLANETAG_KAFKA_BROKERS="+s.broker.Addr(), "PLANETAG_TOPICS_INPUT="+bucketEvents,
		"PLANETAG_KAFKA_SESSION_TIMEOUT=2s", "PLANETAG_S3_ENDPOINT="+s.store.URL, "PLANETAG_S3_BUCKET="+bucket,
		"PLANETAG_S3_ACCESS_KEY="+s.store.AccessKey, "PLANETAG_S3_SECRET_KEY="+s.store.SecretKey, "PLANETAG_ALBUMS_MODE=none"), more...)
}

// events waits until the store has written so many, its test event included.
func (s *scene) events(n int) {
	s.t.Helper()
	for begun := time.Now(); s.count(bucketEvents) < n; time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			s.t.Fatal("the store wrote no event")
		}
	}
}

func TestTheCommandsOfTheMappingGuideWork(t *testing.T) {
	buildBinary(t)
	s := newScene(t)
	s.upload("album 7/my photo+1.jpg", "ruins.jpg")
	s.events(2)
	said := s.follow("mapping.md", t.TempDir(), 5, "PLANETAG_HTTP_LISTEN=")
	for _, part := range []string{`"photo_id":"photos/album 7/my photo+1.jpg"`, "– skipped", "2 of 2 cases pass", "✓ location", "estimated"} {
		if !strings.Contains(said, part) {
			t.Errorf("the guide's commands did not say %q:\n%s", part, said)
		}
	}
}

// TestWhatHappensWhen runs the commands of that page beside a worker that has met a photo and something that is none, and
// looks whether the worker has the metrics that the page names.
func TestWhatHappensWhen(t *testing.T) {
	binary := buildBinary(t)
	s := newScene(t)
	s.upload("good.jpg", "ruins.jpg")
	s.upload("words.jpg", "manifest.csv")
	s.events(3)
	dir, address := t.TempDir(), realkafka.FreeAddress(t)
	init := exec.CommandContext(t.Context(), binary, "config", "init", "--preset", "s3-event")
	init.Dir = dir
	if out, err := init.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if err := os.WriteFile(filepath.Join(dir, "broken.jpg"), []byte{0xff, 0xd8, 0xff, 0xe0, 0}, 0o600); err != nil {
		t.Fatal(err)
	}
	listen := "PLANETAG_HTTP_LISTEN=" + address
	worker := exec.CommandContext(t.Context(), binary, "run", "--config", "planetag.yaml")
	worker.Dir, worker.Env = dir, s.environment(listen)
	s.beside(worker)
	s.ready(address)
	said := s.follow("what-happens.md", dir, 4, listen)
	for _, part := range []string{"status 3", "ready", "unknown_format", "1 dead letters", "✓ location"} {
		if !strings.Contains(said, part) {
			t.Errorf("the page's commands did not say %q:\n%s", part, said)
		}
	}
	page, err := os.ReadFile(filepath.Join(realkafka.Root(t), "docs", "what-happens.md"))
	if err != nil {
		t.Fatal(err)
	}
	metrics := s.get("http://" + address + "/metrics")
	for _, name := range regexp.MustCompile("planetag_[a-z_]+").FindAllString(string(page), -1) {
		if !strings.Contains(metrics, "# TYPE "+name+" ") {
			t.Errorf("the worker has no metric %s", name)
		}
	}
}

// ready waits for a worker.
func (s *scene) ready(address string) {
	s.t.Helper()
	for begun := time.Now(); !strings.HasPrefix(s.get("http://"+address+"/ready"), "200"); time.Sleep(50 * time.Millisecond) {
		if time.Since(begun) > time.Minute {
			s.t.Fatal("the worker is not ready")
		}
	}
}

// get is a page with its status before it; empty where nobody answers.
func (s *scene) get(url string) string {
	s.t.Helper()
	request, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, url, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return ""
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return response.Status + "\n" + string(body)
}
