package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestCommandsPageIsCurrent compares docs/commands.md with what the commands say; PLANETAG_UPDATE_GOLDEN=1 writes it anew.
func TestCommandsPageIsCurrent(t *testing.T) {
	var page bytes.Buffer
	if err := commandsPage(&page, newRoot(streams{in: os.Stdin, out: os.Stdout, err: os.Stderr})); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "docs", "commands.md")
	if os.Getenv("PLANETAG_UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(path, page.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, page.Bytes()) {
		t.Error("docs/commands.md is not what the commands say; run `make generate`")
	}
}

// TestEveryStatusIsDocumented: the constants of exit.go and the list that the page shows are the same.
func TestEveryStatusIsDocumented(t *testing.T) {
	text, err := os.ReadFile("exit.go")
	if err != nil {
		t.Fatal(err)
	}
	constants := regexp.MustCompile(`(?m)^\texit[A-Z]\w* += (\d+)`).FindAllStringSubmatch(string(text), -1)
	documented := make(map[int]bool)
	for _, s := range exitStatuses() {
		if documented[s.status] || s.means == "" || strings.HasSuffix(s.means, ".") {
			t.Errorf("status %d is documented badly", s.status)
		}
		documented[s.status] = true
	}
	if len(constants) != len(documented) {
		t.Errorf("%d constants, %d documented", len(constants), len(documented))
	}
}
