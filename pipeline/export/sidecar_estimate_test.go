package export

import (
	"testing"

	"planetag/pipeline"
)

// TestWhatASidecarSays is the rule by which a guess may be taken for a measurement, and all the ways in which it may not.
func TestWhatASidecarSays(t *testing.T) {
	sure := 0.9
	estimated := of("a.jpg", "estimated")
	estimated.Confidence = &sure
	estimated.Model.PrecisionCapLevel = 12
	reference := of("a.jpg", "given")
	reference.Given.Source = "reference"
	change := func(l pipeline.Location, with func(*pipeline.Location)) pipeline.Location { with(&l); return l }
	ask := Sidecars{GPS: true, MinConfidence: 0.8, MaxRadiusKM: 25}
	for _, c := range []struct {
		name                 string
		l                    pipeline.Location
		x                    Sidecars
		cap                  int
		positioned, unread   bool
		nothing, gps, create bool
	}{
		{name: "nobody asks for positions", l: estimated, create: true},
		{name: "a sure one is asked for", l: estimated, x: ask, create: true, gps: true},
		{name: "just sure enough", l: change(estimated, func(l *pipeline.Location) { sure := 0.8; l.Confidence = &sure }), x: ask, create: true, gps: true},
		{name: "not sure enough", l: change(estimated, func(l *pipeline.Location) { unsure := 0.79; l.Confidence = &unsure }), x: ask, create: true},
		{name: "no word of how sure", l: change(estimated, func(l *pipeline.Location) { l.Confidence = nil }), x: ask, create: true},
		{name: "too far around", l: change(estimated, func(l *pipeline.Location) { l.RadiusP90M = 25_001 }), x: ask, create: true},
		{name: "the photo cannot be read", l: estimated, x: ask, unread: true, create: true},
		{name: "it has a position", l: estimated, x: ask, positioned: true, nothing: true},
		{name: "published before the cap was lowered", l: estimated, x: ask, cap: 8, nothing: true},
		{name: "as fine as the cap allows", l: estimated, cap: 12, create: true},
		{name: "measured, by the camera", l: of("a.jpg", "given"), x: ask, nothing: true},
		{name: "measured, by somebody else", l: reference, nothing: true},
		{name: "measured by somebody else, and asked for", l: reference, x: ask, gps: true},
		{name: "measured by two", l: reference, x: ask, positioned: true, nothing: true},
		{name: "abstained", l: of("a.jpg", "abstained"), x: ask, nothing: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := &folder{Sidecars: c.x, capped: c.cap}
			got := f.estimate(c.l, c.positioned, !c.unread)
			switch {
			case (got == nil) != c.nothing:
				t.Errorf("it says %+v", got)
			case got != nil && (got.GPS != c.gps || got.Created != c.create):
				t.Errorf("exif:GPS %v, LocationCreated %v", got.GPS, got.Created)
			}
		})
	}
}
