package pipeline

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// Text writes the explanation for a person.
func (e Explanation) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n\n", e.Photo)
	for _, s := range e.Steps {
		fmt.Fprintf(&b, "  %-7s %8.2f ms  %s\n", s.Name, s.Millis, s.Detail)
	}
	if len(e.Cells) > 0 {
		fmt.Fprintf(&b, "\n  %-17s %5s %6s  %-20s %s\n", "cell", "level", "p", "mean location", "place")
		for _, c := range e.Cells {
			fmt.Fprintf(&b, "  %-17s %5d %6.3f  %-20s %s\n", c.Cell, c.Level, c.P, fmt.Sprintf("%.4f, %.4f", c.Lat, c.Lon), c.Place)
		}
		if e.Rollup != nil {
			fmt.Fprintf(&b, "  half of the probability lies in %s (level %d): %.3f\n", e.Rollup.Cell, e.Rollup.Level, e.Rollup.P)
		}
		fmt.Fprintf(&b, "  radius of answers like this: half of the photos within %s, nine of ten within %s\n", kilometres(e.RadiusP50M), kilometres(e.RadiusP90M))
	}
	fmt.Fprintf(&b, "\n%s: %s\n", strings.ReplaceAll(e.Status, "_", " "), e.Reason)
	if e.ErrorType != "" {
		fmt.Fprintf(&b, "the dead letter would carry error.type %s\n", e.ErrorType)
	}
	if e.Record != nil {
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, e.Record, "", "  "); err != nil {
			return fmt.Errorf("indent record: %w", err)
		}
		fmt.Fprintf(&b, "\nthe record (photo-level; an album may still change it):\n%s\n", pretty.String())
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// String is the place for a person, from fine to coarse; empty when there is none.
func (p *Place) String() string {
	switch {
	case p == nil:
		return ""
	case p.Region == "" || p.Region == p.Country:
		return p.Country
	}
	return p.Region + ", " + p.Country
}

func kilometres(metres int64) string {
	if metres < 10_000 {
		return fmt.Sprintf("%.1f km", float64(metres)/1000)
	}
	return fmt.Sprintf("%.0f km", float64(metres)/1000)
}
