package check

import (
	"fmt"
	"io"
	"strings"
)

// Text writes the list for a person: ✓ passed, ! passed with a warning, ✗ failed, – not tried; under it what is wrong and
// what to do.
func (r Report) Text(w io.Writer) error {
	marks := map[Status]string{OK: "✓", Warning: "!", Failed: "✗", Skipped: "–"}
	counts := make(map[Status]int)
	var b strings.Builder
	for _, c := range r.Checks {
		counts[c.Status]++
		took := ""
		if c.Status != Skipped {
			took = fmt.Sprintf("%.0f ms", c.Millis)
		}
		detail := c.Detail
		if c.Status == Skipped {
			detail = "skipped, " + detail
		}
		b.WriteString(strings.TrimRight(fmt.Sprintf("%s %-9s %8s  %s", marks[c.Status], c.Name, took, detail), " ") + "\n")
		for _, line := range c.Lines {
			fmt.Fprintf(&b, "%23s%s\n", "", line)
		}
		for _, p := range c.Problems {
			fmt.Fprintf(&b, "%23s%s\n", "", strings.ReplaceAll(p.What, "\n", "\n"+strings.Repeat(" ", 23)))
			if p.Remedy != "" {
				fmt.Fprintf(&b, "%23s→ %s\n", "", p.Remedy)
			}
		}
	}
	switch {
	case !r.OK:
		fmt.Fprintf(&b, "\n%d of %d failed, %d skipped: the worker would not work as it is configured\n", counts[Failed], len(r.Checks), counts[Skipped])
	case counts[Warning] > 0:
		fmt.Fprintf(&b, "\nthe worker would work, with %s\n", count(counts[Warning], "warning"))
	default:
		fmt.Fprintf(&b, "\nall is well: planetag run --config %s\n", r.Config)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
