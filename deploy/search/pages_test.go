package search

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"planetag/deploy/realkafka"
	"planetag/deploy/report"
)

// run is what the demo puts before the names of one of its runs.
var run = regexp.MustCompile(`^(photos/)?demo-[0-9.-]+/`)

func page(t *testing.T) string {
	t.Helper()
	return filepath.Join(realkafka.Root(t), "docs", "search.md")
}

// pages runs the commands of docs/search.md as they stand there, but for the addresses.
func pages(ctx context.Context, t *testing.T, c command, search *searchServer, db *database) {
	blocks, err := report.Runnable(page(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(blocks) != 2 {
		t.Fatalf("found %d runnable blocks, want 2", len(blocks))
	}
	for i, says := range []string{`"hits"`, "radius_p90_m"} {
		script := blocks[i]
		if lines := strings.Count(script, "\n"); lines > 5 {
			t.Errorf("the block has %d commands, want at most five:\n%s", lines, script)
		}
		for old, here := range map[string]string{
			"http://localhost:9200": search.url, "postgres://postgres@localhost:5432/postgres": db.url, "--config planetag.yaml": "--config " + c.config,
		} {
			script = strings.ReplaceAll(script, old, here)
		}
		cmd := exec.CommandContext(ctx, "bash", "-euo", "pipefail", "-c", script)
		cmd.Dir, cmd.Env = realkafka.Root(t), environment()
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), says) {
			t.Errorf("%v: %s\nwant it to say %q\n%s", err, script, says, out)
		}
	}
}

// ofThePage are the questions, in the order of the page.
func ofThePage() [][2]string {
	return [][2]string{
		{"near", "within 5 km of the Colosseum"},
		{"box_across_antimeridian", "in a box across the antimeridian, around Fiji"},
		{"country", "in Italy, with at least three chances in ten"},
		{"better_than", "right within 50 km nine times out of ten"},
		{"drill_down", "how many in each S2 cell of level 4"},
		{"albums_that_moved", "albums that moved a photo by 100 km or more"},
		{"abstained", "where nobody was sure"},
	}
}

// answers is the page's table of what the demo's photos answer.
func answers(ctx context.Context, t *testing.T, to target) string {
	var b strings.Builder
	b.WriteString("| question | file | answers | which |\n|---|---|---|---|\n")
	for _, q := range ofThePage() {
		got := to.ask(ctx, t, q[0])
		names := slices.SortedFunc(maps.Keys(got), func(a, b string) int {
			if got[a] != got[b] {
				return got[b] - got[a]
			}
			return strings.Compare(a, b)
		})
		var some []string
		for _, name := range names[:min(len(names), 4)] {
			text := run.ReplaceAllString(name, "")
			if got[name] > 1 {
				text = fmt.Sprintf("%s (%d)", text, got[name])
			}
			some = append(some, text)
		}
		if len(names) == 0 {
			some = []string{"none"}
		}
		if len(names) > 4 {
			some = append(some, "…")
		}
		fmt.Fprintf(&b, "| %s | `%s` | %d | %s |\n", q[1], q[0], len(names), strings.Join(some, ", "))
	}
	return b.String()
}

// shows holds the page to the answers; SEARCH_REPORT=docs/search.md writes them there.
func shows(ctx context.Context, t *testing.T, to target) {
	table := answers(ctx, t, to)
	if os.Getenv("SEARCH_REPORT") != "" {
		if err := report.Section(page(t), "answers", table); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(page(t))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "<!-- answers -->\n")
	shown, _, _ := strings.Cut(rest, "<!-- /answers -->")
	if !alike(shown, table) {
		t.Errorf("docs/search.md shows other answers of the demo's photos; `make chaos-index REPORT=docs/search.md` writes these:\n%s", table)
	}
}

// alike says whether two tables of answers have the same questions and nearly as many answers to each: on another processor
// a photo may cross a limit.
func alike(shown, now string) bool {
	const few = 2
	a, b := strings.Split(shown, "\n"), strings.Split(now, "\n")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		x, y := strings.Split(a[i], " | "), strings.Split(b[i], " | ")
		if len(x) != len(y) || x[0] != y[0] {
			return false
		}
		if len(x) < 4 {
			continue
		}
		n, err := strconv.Atoi(x[2])
		m, again := strconv.Atoi(y[2])
		if x[1] != y[1] || (err == nil) != (again == nil) || max(n-m, m-n) > few {
			return false
		}
	}
	return true
}

func TestAlike(t *testing.T) {
	const table = "| question | file | answers | which |\n|---|---|---|---|\n| near | `near` | 4 | a, b |\n"
	for other, want := range map[string]bool{
		table: true,
		strings.Replace(table, "| 4 |", "| 6 |", 1):  true,
		strings.Replace(table, "| 4 |", "| 7 |", 1):  false,
		strings.Replace(table, "`near`", "`far`", 1): false,
		table + table: false,
		"":            false,
	} {
		if alike(table, other) != want {
			t.Errorf("alike is %v for\n%s", !want, other)
		}
	}
}
