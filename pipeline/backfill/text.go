package backfill

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// Text writes the report for a person.
func (r Report) Text(w io.Writer) error {
	p := &lines{w: w}
	switch {
	case r.DryRun:
		p.line("%s: a dry run, nothing was written", r.Archive)
	case r.Already:
		p.line("%s: all of it was listed by the backfill of %s; --again begins a new one", r.Archive, r.Started.Format(time.RFC3339))
	case r.Resumed:
		p.line("%s: went on with the backfill of %s", r.Archive, r.Started.Format(time.RFC3339))
	default:
		p.line("%s", r.Archive)
	}
	p.line("  %d objects listed, %s", r.Objects, size(r.Bytes))
	p.line("  %d references to photos, %s, in %d albums", r.References, size(r.ReferenceBytes), r.Albums)
	if r.Located > 0 {
		p.line("  %d left out that have a location by this bundle; --redo takes them, too", r.Located)
	}
	if r.OptedOut > 0 {
		p.line("  %d left out whose owners opted out", r.OptedOut)
	}
	for _, reason := range slices.SortedFunc(maps.Keys(r.Skipped), func(a, b string) int { return cmp.Or(cmp.Compare(r.Skipped[b], r.Skipped[a]), cmp.Compare(a, b)) }) {
		p.line("  %d left out: %s", r.Skipped[reason], reason)
	}
	if e := r.Estimate; e != nil {
		p.line("  %d requests to the store, to list and to read", r.Requests)
		if e.PhotosPerSecond > 0 {
			p.line("  about %s at %.1f photos a second, measured by %s", time.Duration(e.Seconds*float64(time.Second)).Round(time.Second), e.PhotosPerSecond, e.Measured)
		} else {
			p.line("  how long nobody knows: nothing was located yet; give --rate, or locate a sample first (--sample 0.001)")
		}
		if e.Cost > 0 {
			p.line("  about %.2f by the prices given", e.Cost)
		}
	}
	if r.Waited {
		p.line("  every photo has its outcome; %d of them are dead letters", r.Failed)
	}
	return p.err
}

// lines keeps the first error.
type lines struct {
	w   io.Writer
	err error
}

func (l *lines) line(format string, args ...any) {
	if l.err == nil {
		_, l.err = fmt.Fprintf(l.w, format+"\n", args...)
	}
}

func size(bytes int64) string {
	const unit = 1024
	n, names := float64(bytes), []string{"bytes", "KiB", "MiB", "GiB", "TiB"}
	for n >= unit && len(names) > 1 {
		n, names = n/unit, names[1:]
	}
	return fmt.Sprintf("%.4g %s", n, names[0])
}
