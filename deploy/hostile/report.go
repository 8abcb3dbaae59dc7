package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"planetag/deploy/report"
)

// write puts the table into its section of a document.
func (out *outcome) write(path string) error {
	name := "hostile"
	if out.o.corpus != "" {
		name = "hostile corpus"
	}
	return report.Section(path, name, out.markdown())
}

// markdown is the table.
func (out *outcome) markdown() string {
	var b strings.Builder
	kinds, dead := out.byKind()
	command := fmt.Sprintf("make hostile SEED=%d COUNT=%d", out.o.seed, out.o.count)
	if out.o.corpus != "" {
		command += " CORPUS=…"
	}
	fmt.Fprintf(&b, "`%s`, %s, %.0f s.\n\n", command, time.Now().UTC().Format(time.DateOnly), out.elapsed.Seconds())
	fmt.Fprintf(&b, "| figure | value |\n|---|---|\n| files tried | %d |\n", len(out.files))
	fmt.Fprintf(&b, "| of which nothing was done to | %d |\n| of which sent again, alone | %d |\n", out.count(func(s *sent) bool { return s.good }), out.count(func(s *sent) bool { return s.alone }))
	fmt.Fprintf(&b, "| located | %d |\n| dead letters | %d |\n| without a verdict | %d |\n", len(out.verdicts)-dead, dead, out.count(func(s *sent) bool { _, ok := out.verdicts[s.id]; return !ok }))
	fmt.Fprintf(&b, "| worker crashes | %d |\n| child processes, at a time and altogether | %d, %d |\n", len(out.crashes), out.children, out.seen)
	if f := out.worst(); f != nil {
		fmt.Fprintf(&b, "| worst file | %.2f s, `%s` |\n", out.took[f.id].Seconds(), f.name)
	}
	fmt.Fprintf(&b, "| peak memory, worker and children | %d MiB resident (%d MiB with shared pages once) |\n", out.peak>>20, out.share>>20)
	for _, line := range out.decodings {
		name, value, _ := strings.Cut(line, " ")
		fmt.Fprintf(&b, "| `%s` | %s |\n", name, value)
	}
	b.WriteString("\n| verdict | files |\n|---|---|\n")
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		fmt.Fprintf(&b, "| %s | %d |\n", kind, kinds[kind])
	}
	out.matrix(&b)
	for _, text := range out.problems {
		fmt.Fprintf(&b, "\n- %s", text)
	}
	return b.String()
}

func (out *outcome) count(of func(*sent) bool) (n int) {
	for _, f := range out.files {
		if of(f) {
			n++
		}
	}
	return n
}

func (out *outcome) byKind() (kinds map[string]int, dead int) {
	kinds = map[string]int{}
	for _, v := range out.verdicts {
		if v.dead {
			dead++
			kinds["dead letter: "+v.kind]++
			continue
		}
		kinds["location: "+v.kind]++
	}
	return kinds, dead
}

// matrix tells files by mutation and format, each as located/dead.
func (out *outcome) matrix(b *strings.Builder) {
	type cell struct{ located, dead int }
	cells, formats := map[string]map[string]*cell{}, map[string]bool{}
	for _, f := range out.files {
		v, ok := out.verdicts[f.id]
		if !ok || f.alone {
			continue
		}
		formats[f.format] = true
		row := cells[f.mutation]
		if row == nil {
			row = map[string]*cell{}
			cells[f.mutation] = row
		}
		c := cmp.Or(row[f.format], &cell{})
		row[f.format] = c
		if v.dead {
			c.dead++
		} else {
			c.located++
		}
	}
	columns := slices.Sorted(maps.Keys(formats))
	fmt.Fprintf(b, "\nLocated + dead letters:\n\n| change | %s |\n|---%s|\n", strings.Join(columns, " | "), strings.Repeat("|---", len(columns)))
	for _, mutation := range slices.Sorted(maps.Keys(cells)) {
		fmt.Fprintf(b, "| %s |", mutation)
		for _, format := range columns {
			if c := cells[mutation][format]; c != nil {
				fmt.Fprintf(b, " %d + %d |", c.located, c.dead)
				continue
			}
			b.WriteString(" |")
		}
		b.WriteString("\n")
	}
}
