package demo

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"
)

// screen writes what the person sees. All of the demo's words are in this file; a failing writer is the caller's
// business (a closed pipe ends the program by itself), so its errors are not looked at.
type screen struct {
	out    io.Writer
	colour bool
	width  int // of the column of file names
}

const (
	green  = "32"
	yellow = "33"
	red    = "31"
	cyan   = "36"
	faint  = "2"
)

func (s screen) paint(code, text string) string {
	if !s.colour {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s screen) printf(format string, args ...any) { fmt.Fprintf(s.out, format, args...) }

// ticked is one line of the checklist: done, and what it was.
func (s screen) ticked(name, detail string) {
	s.printf("%s %-13s %s\n", s.paint(green, "✓"), name, s.paint(faint, detail))
}

// line is the final answer for one photo.
func (s screen) line(p photo, a answer) {
	file := fmt.Sprintf("%-*s", s.width, p.file)
	switch a.Status {
	case statusEstimated:
		s.printf("%s %s  %s\n", s.paint(green, "✓"), file, estimate(p, a))
	case statusAbstained:
		s.printf("%s %s  abstained: the best guess has only %.2f, too little to publish a place\n", s.paint(yellow, "○"), file, a.Confidence)
	case statusGiven:
		s.printf("%s %s  given: %s\n", s.paint(cyan, "="), file, given(a))
	case statusOptedOut:
		s.printf("%s %s  opted out: not looked at\n", s.paint(cyan, "="), file)
	case statusDeadLetter:
		s.printf("%s %s  dead letter: %s\n", s.paint(red, "✗"), file, a.reason)
	}
}

func estimate(p photo, a answer) string {
	text := fmt.Sprintf("%s ±%s  %.2f", place(a), distance(a.RadiusP90), a.Confidence)
	if m, ok := p.offBy(a); ok {
		text += "  " + distance(m) + " off"
	}
	// Moves inside one city are noise to a reader.
	if a.Album != nil && a.Album.MovedM >= 1000 {
		text += fmt.Sprintf("  (album moved it %s)", distance(a.Album.MovedM))
	}
	return text
}

func given(a answer) string {
	if a.Given == nil {
		return "the position that came with it is kept"
	}
	from := a.Given.Source
	if from == "exif" {
		from = "EXIF"
	}
	if a.Given.DistanceM == nil {
		return fmt.Sprintf("the position from its %s is kept", from)
	}
	return fmt.Sprintf("the position from its %s is kept; the estimate lies %s away", from, distance(*a.Given.DistanceM))
}

func place(a answer) string {
	switch {
	case a.Place != nil && a.Place.Region != "" && a.Place.Region != a.Place.Country:
		return a.Place.Region + ", " + a.Place.Country
	case a.Place != nil && a.Place.Country != "":
		return a.Place.Country
	case a.Location != nil:
		return fmt.Sprintf("%.2f, %.2f", a.Location.Lat, a.Location.Lon)
	}
	return "somewhere"
}

// distance prints metres the way one says them.
func distance(metres float64) string {
	switch km := metres / 1000; {
	case metres < 950:
		return fmt.Sprintf("%.0f m", metres)
	case km < 9.95:
		return fmt.Sprintf("%.1f km", km)
	default:
		return fmt.Sprintf("%.0f km", km)
	}
}

// summary is the last thing on the screen.
func (s screen) summary(sum Summary) {
	s.printf("\n%s in %s, %.1f s (%.0f photos/s after a start of %.1f s)\n",
		counted(sum.Photos, "photo"), counted(sum.Albums, "album"), sum.Seconds, sum.PhotosPerSecond, sum.StartSeconds)
	s.printf("  %d estimated · %d abstained · %d given · %s\n", sum.Estimated, sum.Abstained, sum.Given, counted(sum.DeadLetters, "dead letter"))
	if sum.MedianErrorKm != nil {
		s.printf("  median error %s · %.0f %% within 25 km · %.0f %% within 200 km (%s of known truth)\n",
			distance(1000**sum.MedianErrorKm), 100**sum.Within25km, 100**sum.Within200km, counted(sum.KnownTruth, "estimate"))
	}
	if len(sum.Stages) == 0 {
		return
	}
	s.printf("\n  %-8s %9s %9s\n", "stage", "p50", "p99")
	for _, name := range stageNames(sum.Stages) {
		t := sum.Stages[name]
		s.printf("  %-8s %9s %9s\n", name, milliseconds(t.P50), milliseconds(t.P99))
	}
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func stageNames(stages map[string]StageTime) []string {
	var names []string
	for name := range stages {
		names = append(names, name)
	}
	rank := func(name string) int {
		if i := slices.Index(stageOrder(), name); i >= 0 {
			return i
		}
		return len(stageOrder())
	}
	slices.SortFunc(names, func(a, b string) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a, b))
	})
	return names
}

func milliseconds(seconds float64) string {
	d := time.Duration(seconds * float64(time.Second))
	if d < 10*time.Millisecond {
		return fmt.Sprintf("%.1f ms", seconds*1000)
	}
	return fmt.Sprintf("%.0f ms", seconds*1000)
}
