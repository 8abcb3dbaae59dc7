package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
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
