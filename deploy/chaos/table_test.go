package chaos

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"planetag/deploy/report"
)

// result is one line of the report.
type result struct {
	row      row
	findings findings
	injected map[string]int
	notes    []string
	peak     int64
	took     time.Duration
}

// report writes a section of the document that CHAOS_REPORT names, if it does and nothing has failed.
func (s *stageSet) report(t *testing.T, name, text string) {
	t.Helper()
	document := os.Getenv("CHAOS_REPORT")
	if document == "" || t.Failed() {
		return
	}
	if err := report.Section(filepath.Join(s.root, document), name, text); err != nil {
		t.Error(err)
	}
}

func table(results []result) string {
	var b strings.Builder
	b.WriteString("| injected | references | albums | records read | lost | twice | wrong | peak RSS of a worker | took |\n")
	b.WriteString("|---|---|---|---|---|---|---|---|---|\n")
	var notes []string
	for _, r := range results {
		fmt.Fprintf(&b, "| %s: %s | %d | %d | %d | %d | %d | %d | %d MiB | %d s |\n", r.row.injects, counted(r.injected),
			r.findings.References, r.findings.Albums, r.findings.Records, r.findings.Lost, r.findings.Twice, r.findings.Wrong, r.peak>>20, int(r.took.Seconds()))
		for _, note := range r.notes {
			notes = append(notes, "- "+r.row.name+": "+note)
		}
	}
	b.WriteString("\n" + strings.Join(notes, "\n") + "\n")
	return b.String()
}

// counted lists what was injected.
func counted(injected map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(injected)) {
		if injected[name] > 0 {
			parts = append(parts, fmt.Sprintf("%d × %s", injected[name], name))
		}
	}
	return strings.Join(parts, ", ")
}
