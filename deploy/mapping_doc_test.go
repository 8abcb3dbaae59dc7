package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"planetag/deploy/realkafka"
)

// TestTheCommandsOfTheMappingGuideWork runs each block of docs/mapping.md as it stands there, beside a store that writes
// events, in a directory of somebody who follows it.
func TestTheCommandsOfTheMappingGuideWork(t *testing.T) {
	root := realkafka.Root(t)
	text, err := os.ReadFile(filepath.Join(root, "docs", "mapping.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := fence.FindAllStringSubmatch(string(text), -1)
	if len(blocks) < 4 {
		t.Fatalf("found %d runnable blocks, want at least 4", len(blocks))
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
	var all strings.Builder
	for _, block := range blocks {
		cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", block[1])
		cmd.Dir, cmd.Env = dir, append(environment(), "PLANETAG_KAFKA_BROKERS="+s.broker.Addr())
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s\n%v\n%s", block[1], err, out)
		}
		all.Write(out)
	}
	for _, part := range []string{`"photo_id":"photos/album 7/my photo+1.jpg"`, "– skipped", "2 of 2 cases pass", "✓ planetag.yaml"} {
		if !strings.Contains(all.String(), part) {
			t.Errorf("the guide's commands did not say %q:\n%s", part, all.String())
		}
	}
}
