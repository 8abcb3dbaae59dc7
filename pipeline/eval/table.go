package eval

import (
	"fmt"
	"io"
	"strings"
)

// order is the order of the table's rows: baselines first, so that the eye compares with them.
func order() []string {
	return append([]string{modePrior, modeNearest, modeSingle}, sequenceRows()...)
}

// Table prints the result in fixed-width columns for a terminal of 80 columns. Shares are printed in per cent.
func (r Result) Table(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "bundle %s  sha256 %.12s\n", r.Bundle, r.SHA256)
	fmt.Fprintf(&b, "%d photos scored of %d, %d unreadable; %d of them in %d albums\n",
		r.Scored, r.Photos, len(r.Unreadable), r.AlbumPhotos, r.Albums)
	if r.Gallery > 0 {
		fmt.Fprintf(&b, "%d gallery photos, %d unreadable\n", r.Gallery, len(r.GalleryBad))
	}
	r.scores(&b, "all photos", r.Modes)
	if r.AlbumPhotos > 0 {
		r.scores(&b, "photos in albums", r.InAlbums)
	}
	r.Anchored.table(&b)
	r.answers(&b)
	names(&b, "unreadable", r.Unreadable)
	names(&b, "unreadable in the gallery", r.GalleryBad)
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Result) scores(b *strings.Builder, title string, modes map[string]Scores) {
	fmt.Fprintf(b, "\n%-18s %6s %6s %6s %6s %6s %8s %8s %6s\n", title+" %", "1 km", "25", "200", "750", "2500", "median", "mean", "score")
	for _, mode := range order() {
		s, ok := modes[mode]
		if !ok {
			continue
		}
		fmt.Fprintf(b, "%-18s %6.1f %6.1f %6.1f %6.1f %6.1f %8s %8s %6.0f\n", r.name(mode), 100*s.Within1km, 100*s.Within25km,
			100*s.Within200km, 100*s.Within750km, 100*s.Within2500km, km(s.MedianKm), km(s.MeanKm), s.GeoScore)
	}
}

func (r Result) answers(b *strings.Builder) {
	fmt.Fprintf(b, "\n%-18s %9s %8s %8s %8s %7s %7s\n", "answers %", "abstained", "≤25 km", "≤200 km", "ECE", "in p50", "in p90")
	for _, mode := range order() {
		c, ok := r.Calibrated[mode]
		if !ok {
			continue
		}
		fmt.Fprintf(b, "%-18s %9.1f %8s %8s %8.3f %7s %7s\n", r.name(mode), 100*c.Abstained,
			share(c.Within25km), share(c.Within200km), c.ECE, share(c.InsideP50), share(c.InsideP90))
	}
	b.WriteString("shares of distance and radius are of the answered photos; radii keep their word at 50 and 90\n")
}

// name marks the mode the worker answers with. The row of an order of chance stands below that of its mode.
func (r Result) name(mode string) string {
	if strings.HasSuffix(mode, shuffled) {
		return "  shuffled"
	}
	if mode == r.DefaultMode {
		return mode + " *"
	}
	return mode
}

// km prints a distance in kilometres with as many digits as mean something.
func km(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.1f km", v)
	}
	return fmt.Sprintf("%.0f km", v)
}

func share(s *float64) string {
	if s == nil {
		return "–"
	}
	return fmt.Sprintf("%.1f", 100**s)
}

func names(b *strings.Builder, title string, bad []Unreadable) {
	if len(bad) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%s:\n", title)
	for _, u := range bad {
		fmt.Fprintf(b, "  line %d  %s  %s\n", u.Line, u.File, u.Error)
	}
}
