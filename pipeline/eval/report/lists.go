package report

import (
	"fmt"
	"strings"

	"planetag/pipeline/eval"
)

// list names photos with which something is the matter.
type list struct {
	Title string
	Items []string
	More  int // beyond the items
}

func (l list) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n%s:\n", l.Title)
	for _, item := range l.Items {
		b.WriteString("  " + item + "\n")
	}
	if l.More > 0 {
		fmt.Fprintf(b, "  and %d more, in --json\n", l.More)
	}
}

func lists(r eval.Result) []list {
	return full(
		listOf("in the gallery too", r.Duplicates, func(d eval.Duplicate) string {
			why := fmt.Sprintf("hash differs in %d of 64 bits, cosine %.3f", d.HashBits, d.Cosine)
			if d.SameBytes {
				why = "same bytes"
			}
			return fmt.Sprintf("line %d  %s = line %d  %s  %s", d.Line, d.File, d.GalleryLine, d.GalleryFile, why)
		}),
		listOf("left out, the gallery holds their unit", r.Split.LeftOut, func(o eval.LeftOut) string {
			why := r.Split.By + " " + o.Unit
			if o.DistanceKm != nil {
				why = fmt.Sprintf("%.1f km apart", *o.DistanceKm)
			}
			return fmt.Sprintf("line %d  %s  %s, there %s", o.Line, o.ID, why, o.Gallery)
		}),
		listOf("unreadable", r.Unreadable, unreadable),
		listOf("unreadable in the gallery", r.GalleryBad, unreadable),
	)
}

func unreadable(u eval.Unreadable) string {
	return fmt.Sprintf("line %d  %s  %s", u.Line, u.File, u.Error)
}

func listOf[T any](title string, things []T, say func(T) string) list {
	l := list{Title: fmt.Sprintf("%s (%d)", title, len(things))}
	for i, thing := range things {
		if i == listed {
			l.More = len(things) - listed
			break
		}
		l.Items = append(l.Items, say(thing))
	}
	return l
}

// full leaves out the lists without items.
func full(all ...list) []list {
	var some []list
	for _, l := range all {
		if len(l.Items) > 0 {
			some = append(some, l)
		}
	}
	return some
}
