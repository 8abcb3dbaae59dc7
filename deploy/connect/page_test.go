package connect

import (
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"planetag/deploy/realkafka"
	"planetag/deploy/report"
)

// page runs the commands of docs/connect.md as they stand there, but for the address, after everything was written.
func (w *world) page(ctx context.Context, t *testing.T) {
	blocks, err := report.Runnable(filepath.Join(realkafka.Root(t), "docs", "connect.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 2 {
		t.Fatalf("found %d runnable blocks, want 2", len(blocks))
	}
	for i, says := range []string{"CREATE TRIGGER", "taken again with a revision below its old album's"} {
		script := strings.ReplaceAll(blocks[i], "postgres://postgres@localhost:5432/postgres", w.server.URL)
		cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", "DATABASE="+w.server.URL+"\n"+script)
		cmd.Dir = realkafka.Root(t)
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), says) {
			t.Errorf("%v: %s\nwant it to say %q\n%s", err, script, says, out)
		}
	}
}
