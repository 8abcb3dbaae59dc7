package enrich

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// Report is what was checked of a bundle, in order.
type Report struct {
	Bundle string // directory
	Checks []Check
}

// Check is one named check of a bundle.
type Check struct {
	Name    string // manifest, files, cells, decoder, library, cnn, album, golden, precision
	OK      bool
	Skipped bool   // not tried, because an earlier check failed
	Detail  string // what was found, or what is wrong
}

// OK says whether every check was made and passed.
func (r Report) OK() bool {
	for _, c := range r.Checks {
		if !c.OK {
			return false
		}
	}
	return len(r.Checks) > 0
}

// String is the report for people, a line a check.
func (r Report) String() string {
	var text strings.Builder
	for _, c := range r.Checks {
		mark := "ok  "
		if c.Skipped {
			mark = "-   "
		} else if !c.OK {
			mark = "FAIL"
		}
		fmt.Fprintf(&text, "%s  %-8s  %s\n", mark, c.Name, strings.ReplaceAll(c.Detail, "\n", "\n                "))
	}
	return text.String()
}

// Verify makes the same checks as Load, golden photos always included, and
// reports each. The error is that of the check that failed, as Load would have
// returned it; the report is complete either way.
func Verify(ctx context.Context, o Options) (Report, error) {
	o.SkipGolden = false
	l := newLoading(o)
	report := Report{Bundle: o.Bundle}
	var failed error
	for _, step := range l.steps() {
		check := Check{Name: step.name, Skipped: failed != nil, Detail: "not tried"}
		if failed == nil {
			detail, err := l.run(ctx, step)
			if check.OK, check.Detail = err == nil, detail; err != nil {
				check.Detail = err.Error()
				failed = fmt.Errorf("verify bundle %s: %s: %w", o.Bundle, step.name, err)
			}
		}
		report.Checks = append(report.Checks, check)
	}
	return report, errors.Join(failed, l.model.Close())
}
