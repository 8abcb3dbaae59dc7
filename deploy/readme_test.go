package deploy_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"planetag/deploy/realkafka"
	"planetag/deploy/report"
)

func readme(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(realkafka.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheCommandsOfTheReadmeWork(t *testing.T) {
	blocks, err := report.Runnable(filepath.Join(realkafka.Root(t), "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) < 2 {
		t.Fatalf("found %d runnable blocks, want at least 2", len(blocks))
	}
	buildBinary(t)
	for _, block := range blocks {
		for command := range strings.Lines(block) {
			t.Run(strings.TrimSpace(command), func(t *testing.T) {
				cmd := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", command)
				cmd.Dir = realkafka.Root(t)
				cmd.Env = append(environment(), "MAKEFLAGS=")
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v\n%s", err, out)
				} else if len(out) == 0 {
					t.Error("it said nothing")
				}
			})
		}
	}
}

func TestTheReadmesFirstScreenFitsAScreen(t *testing.T) {
	first, _, found := strings.Cut(readme(t), "\n## ")
	if lines := strings.Count(first, "\n"); !found || lines > 60 {
		t.Errorf("the first screen has %d lines, want at most 60", lines)
	}
}

var (
	link   = regexp.MustCompile("`((?:cmd|pipeline|consumer|enrich|deploy|train|bundles)(?:/[A-Za-z0-9_./-]+)?)`")
	target = regexp.MustCompile("`make ([a-z0-9-]+)")
)

func TestWhatTheReadmeNamesExists(t *testing.T) {
	root := realkafka.Root(t)
	makefile, err := os.ReadFile(filepath.Join(root, "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile(filepath.Join(root, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range link.FindAllStringSubmatch(string(text), -1) {
			if _, err := os.Stat(filepath.Join(root, m[1])); err != nil {
				t.Errorf("%s names %s: %v", name, m[1], err)
			}
		}
		for _, m := range target.FindAllStringSubmatch(string(text), -1) {
			if !strings.Contains(string(makefile), "\n"+m[1]+":") {
				t.Errorf("%s names `make %s`, which the Makefile does not have", name, m[1])
			}
		}
	}
}

func TestTheContinuousIntegrationRunsTheReadmesTestCommand(t *testing.T) {
	root := realkafka.Root(t)
	text, err := os.ReadFile(filepath.Join(root, ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if last := lines[len(lines)-1]; last != "make test" {
		t.Errorf(".ci/run ends with %q, want %q", last, "make test")
	}
	if info, err := os.Stat(filepath.Join(root, ".ci", "run")); err != nil || info.Mode()&0o111 == 0 {
		t.Errorf(".ci/run is not executable: %v", err)
	}
}
