package survey

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"planetag/enrich/cells/gazetteer"
)

// mostRows is how many cameras and countries the text shows; the JSON has all.
const mostRows = 12

// Text prints the report for a person.
func (r Report) Text(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d photos, %s, in %d albums\n", r.Archive, r.Photos, size(r.Bytes), r.Albums.Albums)
	for _, kind := range slices.Sorted(maps.Keys(r.Skipped)) {
		fmt.Fprintf(&b, "  not looked at: %d %s, %s\n", r.Skipped[kind].Objects, kind, size(r.Skipped[kind].Bytes))
	}
	if r.DryRun {
		fmt.Fprintf(&b, "reading them would take at least %d requests and %s\n", r.Requests, size(r.BytesRead))
		return send(w, &b)
	}
	for _, problem := range slices.Sorted(maps.Keys(r.Unreadable)) {
		fmt.Fprintf(&b, "  could not be read: %d, %s\n", r.Unreadable[problem], problem)
	}
	fmt.Fprintf(&b, "%s read with %d requests\n\n", size(r.BytesRead), r.Requests)
	fmt.Fprintf(&b, "%d have a position (%s), %d a time\n", r.Positioned, percent(r.Positioned, r.Photos), r.Timed)
	for _, reason := range slices.Sorted(maps.Keys(r.SetAside)) {
		fmt.Fprintf(&b, "  positions set aside: %d, %s\n", r.SetAside[reason], reason)
	}
	r.clocks(&b)
	counts(&b, "year", r.Years, len(r.Years), func(name string) string { return name })
	counts(&b, "camera", r.Cameras, mostRows, func(name string) string { return name })
	counts(&b, "country", r.Countries, mostRows, gazetteer.CountryName)
	r.albums(&b)
	return send(w, &b)
}

func send(w io.Writer, b *strings.Builder) error {
	_, err := io.WriteString(w, b.String())
	return err
}

func (r Report) clocks(b *strings.Builder) {
	if r.Clocks.Future+r.Clocks.Unset == 0 {
		return
	}
	fmt.Fprintf(b, "  times set aside: %d in the future of their file, %d of a clock that nobody set; cameras:", r.Clocks.Future, r.Clocks.Unset)
	for _, camera := range slices.Sorted(maps.Keys(r.Clocks.Cameras)) {
		fmt.Fprintf(b, " %s (%d)", camera, r.Clocks.Cameras[camera])
	}
	b.WriteByte('\n')
}

func counts(b *strings.Builder, title string, list []Count, most int, name func(string) string) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "\n%-28s %9s %12s\n", title, "photos", "positioned")
	for _, c := range list[:min(most, len(list))] {
		fmt.Fprintf(b, "%-28.28s %9d %12s\n", name(c.Name), c.Photos, percent(c.Positioned, c.Photos))
	}
	if more := len(list) - most; more > 0 {
		fmt.Fprintf(b, "and %d more\n", more)
	}
}

func (r Report) albums(b *strings.Builder) {
	fmt.Fprintf(b, "\nalbums by size:")
	for _, size := range r.Albums.Sizes {
		switch {
		case size.Albums == 0:
		case size.To == 0:
			fmt.Fprintf(b, "  %d or more: %d", size.From, size.Albums)
		case size.From == size.To:
			fmt.Fprintf(b, "  %d: %d", size.From, size.Albums)
		default:
			fmt.Fprintf(b, "  %d to %d: %d", size.From, size.To, size.Albums)
		}
	}
	g := r.Gain
	fmt.Fprintf(b, "\n\nwhat the archive can teach: %d photos with a position, in %d albums\n", g.CouldTeach, g.TeachAlbums)
	fmt.Fprintf(b, "%d photos have none; of them %s are in an album with some, %s within an hour of one, %s within a day\n",
		g.Without, percent(g.InMixed, g.Without), percent(g.WithinHour, g.Without), percent(g.WithinDay, g.Without))
	if r.Out != "" {
		fmt.Fprintf(b, "\nwritten to %s, for you alone: it says where these photos were taken\n", r.Out)
	}
}

func percent(n, of int64) string {
	if of == 0 {
		return "–"
	}
	return fmt.Sprintf("%.1f %%", 100*float64(n)/float64(of))
}

// size is a number of bytes as people say it.
func size(n int64) string {
	switch {
	case n >= 1e9:
		return fmt.Sprintf("%.1f GB", float64(n)/1e9)
	case n >= 1e6:
		return fmt.Sprintf("%.1f MB", float64(n)/1e6)
	case n >= 1e3:
		return fmt.Sprintf("%.1f kB", float64(n)/1e3)
	}
	return fmt.Sprintf("%d bytes", n)
}
