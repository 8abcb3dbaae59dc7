package chaos

import (
	"fmt"
	"maps"
	"os"
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

// write puts the table of one run into its section of the document.
func write(path, name, head string, results []result) error {
	return section(path, name, head+"\n\n"+table(results))
}

// section puts text into the document between the two comments that carry the section's name; what else the document says stays.
func section(path, name, text string) error {
	document, err := os.ReadFile(path)
	if err != nil {
		return fmt.Errorf("read the document: %w", err)
	}
	begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
	before, rest, ok := strings.Cut(string(document), begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return fmt.Errorf("write the report: %s has no section %q", path, name)
	}
	if err := os.WriteFile(path, []byte(before+begin+text+end+after), 0o600); err != nil {
		return fmt.Errorf("write the report: %w", err)
	}
	return nil
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

// counted lists what was injected, durations left out: they are in the notes.
func counted(injected map[string]int) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(injected)) {
		if !strings.HasSuffix(name, " ms") {
			parts = append(parts, fmt.Sprintf("%d × %s", injected[name], name))
		}
	}
	return strings.Join(parts, ", ")
}
