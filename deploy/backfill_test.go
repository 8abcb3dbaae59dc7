package deploy_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"planetag/consumer/devbroker"
	"planetag/deploy/realkafka"
	"planetag/deploy/report"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

// TestTheCommandsOfTheBackfillPage runs docs/backfill.md from top to bottom against a broker, a bucket of photos and a worker, and wants every photo in the export.
func TestTheCommandsOfTheBackfillPage(t *testing.T) {
	if testing.Short() {
		t.Skip("runs a worker")
	}
	blocks, err := report.Runnable(filepath.Join(realkafka.Root(t), "docs", "backfill.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) < 5 {
		t.Fatalf("found %d runnable blocks, want at least 5", len(blocks))
	}
	dir := t.TempDir()
	const photos = 12
	binary := buildBinary(t)
	startArchive(t, binary, dir, photos)
	for _, block := range blocks {
		for command := range strings.Lines(block) {
			cmd := inDirectory(binary, dir, "bash", "-euo", "pipefail", "-c", command)
			out, err := cmd.CombinedOutput()
			if err != nil || len(out) == 0 {
				t.Fatalf("%s: %v\n%s", strings.TrimSpace(command), err, out)
			}
			t.Logf("%s\n%s", strings.TrimSpace(command), out)
		}
	}
	exported, err := os.ReadFile(filepath.Join(dir, "locations.geojson"))
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(exported), `"id":"archive/2019/`); n != photos || strings.Count(string(exported), `"stage":"album"`) != photos {
		t.Errorf("%d photos were exported, want %d with the answers of their albums:\n%s", n, photos, exported)
	}
	wantSidecars(t, filepath.Join(dir, "sidecars"), string(exported))
	failAndRise(t, binary, dir)
}

// wantSidecars wants one for each estimate of the export, and none with a position that an application would take for measured.
func wantSidecars(t *testing.T, dir, exported string) {
	t.Helper()
	found := 0
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := os.ReadFile(path)
		if n := strings.Count(string(text), "<exif:GPSLatitude>"); n != 1 || !strings.Contains(string(text), "LocationCreated") {
			t.Errorf("%s has %d positions, want that of LocationCreated:\n%s", path, n, text)
		}
		found++
		return err
	})
	if want := strings.Count(exported, `"status":"estimated"`); err != nil || found != want || want == 0 {
		t.Errorf("%v, %d sidecars, want %d", err, found, want)
	}
}

// failAndRise backfills an album of which one object is no photo: the status says so, failures.jsonl names it, and a replay puts it back once.
func failAndRise(t *testing.T, binary, dir string) {
	t.Helper()
	out, err := inDirectory(binary, dir, binary, "backfill", "s3://archive/broken/", "--config", "planetag.yaml", "--wait").CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 || !strings.Contains(string(out), "1 photos are dead letters; see failures.jsonl") {
		t.Errorf("%v, want status 3\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "failures.jsonl"))
	if lines := strings.Split(strings.TrimSpace(string(text)), "\n"); err != nil || len(lines) != 1 ||
		!strings.Contains(lines[0], `"error_type":"unknown_format"`) || !strings.Contains(lines[0], `"key":"broken/text.jpg"`) {
		t.Errorf("failures.jsonl: %v\n%s", err, text)
	}
	out, err = inDirectory(binary, dir, binary, "replay", "--config", "planetag.yaml", "--type", "unknown_format").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "1 dead letters: 1 put back, 0 were before") {
		t.Errorf("replay: %v\n%s", err, out)
	}
}

// startArchive starts a broker, a bucket and a worker, and writes planetag.yaml into dir.
func startArchive(t *testing.T, binary, dir string, photos int) {
	t.Helper()
	broker, err := devbroker.Start(devbroker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	server, err := devstore.Start(devstore.Options{Buckets: []string{"archive"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close() })
	cfg := pipeline.DefaultConfig().S3
	cfg.Endpoint, cfg.AccessKey, cfg.SecretKey = server.URL(), devstore.AccessKey, devstore.SecretKey
	store, err := pipeline.NewStore(cfg, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	red, err := os.ReadFile(filepath.Join(realkafka.Root(t), "enrich", "testdata", "tiny", "golden", "red.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range photos {
		if err := store.Put(t.Context(), "archive", fmt.Sprintf("2019/album %d/my photo+%02d.jpg", i%3, i), red); err != nil {
			t.Fatal(err)
		}
	}
	for key, data := range map[string][]byte{"broken/text.jpg": []byte("no photo, but words"), "broken/1.jpg": red} {
		if err := store.Put(t.Context(), "archive", key, data); err != nil {
			t.Fatal(err)
		}
	}
	address := realkafka.FreeAddress(t)
	settings := fmt.Sprintf("kafka:\n  brokers: [%s]\ntopics:\n  partitions: 2\ns3:\n  endpoint: %s\n  access_key: %s\n  secret_key: %s\n"+
		"bundle:\n  path: %s\nalbums:\n  idle: 10m\nhttp:\n  listen: %s\n", broker.Addr(), server.URL(), devstore.AccessKey, devstore.SecretKey,
		filepath.Join(realkafka.Root(t), "enrich", "testdata", "tiny"), address)
	if err := os.WriteFile(filepath.Join(dir, "planetag.yaml"), []byte(settings), 0o600); err != nil {
		t.Fatal(err)
	}
	worker := inDirectory(binary, dir, binary, "run", "--config", "planetag.yaml")
	log, err := os.Create(filepath.Join(dir, "worker.log"))
	if err != nil {
		t.Fatal(err)
	}
	worker.Stdout, worker.Stderr = log, log
	if err := worker.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = worker.Process.Signal(syscall.SIGTERM)
		if err := worker.Wait(); err != nil {
			text, _ := os.ReadFile(log.Name())
			t.Errorf("the worker did not end in order: %v\n%s", err, text)
		}
		log.Close()
	})
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if inDirectory(binary, dir, binary, "health", "--url", "http://"+address+"/ready").Run() == nil {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the worker did not get ready within a minute")
		}
	}
}

// inDirectory is a command that finds the binary by the name planetag.
func inDirectory(binary, dir, name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	for _, pair := range environment() {
		if path, is := strings.CutPrefix(pair, "PATH="); is {
			pair = "PATH=" + filepath.Dir(binary) + string(os.PathListSeparator) + path
		}
		cmd.Env = append(cmd.Env, pair)
	}
	return cmd
}
