package report

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// grid is a table that is printed as text and as HTML.
type grid struct {
	Title string // heads the column of names
	Head  []string
	Rows  []line
	Foot  string
}

// line is one row: what it is of, its figures, and under them their intervals, if there are any.
type line struct {
	Name  string
	Cells []string
	Under []string
}

// text writes the table with columns as narrow as they can be, so that it fits into 80 of them.
func (g grid) text(b *strings.Builder) {
	if len(g.Rows) == 0 {
		return
	}
	name, widths := utf8.RuneCountInString(g.Title), make([]int, len(g.Head))
	for i, h := range g.Head {
		widths[i] = utf8.RuneCountInString(h)
	}
	for _, l := range g.Rows {
		name = max(name, utf8.RuneCountInString(l.Name))
		for _, cells := range [][]string{l.Cells, l.Under} {
			for i, c := range cells {
				widths[i] = max(widths[i], utf8.RuneCountInString(c))
			}
		}
	}
	row := func(first string, cells []string) {
		text := fmt.Sprintf("%-*s", name, first)
		for i, c := range cells {
			text += fmt.Sprintf(" %*s", widths[i], c)
		}
		b.WriteString(strings.TrimRight(text, " ") + "\n")
	}
	b.WriteString("\n")
	row(g.Title, g.Head)
	for _, l := range g.Rows {
		row(l.Name, l.Cells)
		if l.Under != nil {
			row("", l.Under)
		}
	}
	if g.Foot != "" {
		b.WriteString(g.Foot + "\n")
	}
}
