package enrich

import (
	"errors"
	"fmt"
	"time"

	"planetag/enrich/cells"
)

// ErrAnchor says that an anchor is not a position on the earth.
var ErrAnchor = errors.New("anchor is not a position on the earth")

// Member is one photo of an album.
type Member struct {
	Sight   Sight
	TakenAt time.Time // zero = unknown; any clock, however wrong
	Anchor  *Anchor   // nil = nobody knows where it was taken
	Camera  string    // anything that tells cameras apart; "" = unknown
}

// CaptureOrder compares when two photos were taken; those without a time (zero)
// come last. Whoever sorts decides ties.
func CaptureOrder(a, b time.Time) int {
	if a.IsZero() != b.IsZero() {
		if a.IsZero() {
			return 1
		}
		return -1
	}
	return a.Compare(b)
}

// Anchor is the known position of a photo. It is evidence for the other photos
// of the album; what the model makes of the photo itself does not see it, so
// that the two can be compared.
type Anchor struct {
	Lat, Lon float64 // degrees
	Kind     string  // who says so, as it shall be published: reference, exif, …
}

// Reading is what the album makes of one photo, for AnswerAlbum; or, for
// AnswerAlone, what a photo alone makes of its day.
type Reading struct {
	// Top are the most probable classes, greatest first, at most Info.TopK.
	Top []Candidate
	// Fix is set where the anchors place the photo better than a class does.
	Fix *Fix
	// Anchors is how many other photos of the album have a position; where cameras
	// are read apart, how many of its own.
	Anchors int
	// Nearest is the anchor nearest in time; nil without anchors.
	Nearest *NearestAnchor
	// FromDiary is set where the album, or the photo alone, was told where the owner
	// of the archive that the bundle has learned was around then.
	FromDiary bool
}

// NearestAnchor is an anchor as one photo sees it.
type NearestAnchor struct {
	Kind  string
	Gap   time.Duration // between the two photos
	Timed bool          // false where one of the two times is not known
}

// Fix is a place that follows from the anchors.
type Fix struct {
	Lat, Lon             float64 // degrees
	P                    float64 // probability that the photo was taken within 25 km
	RadiusP50, RadiusP90 float64 // metres
}

// Check says what Album would refuse of a photo: an embedding or probabilities that
// are none (ErrOutput), or an anchor that is nowhere (ErrAnchor). Inside a graph an
// activation may turn NaN into a number that looks like any other.
func (m *Model) Check(p Member) error {
	if len(p.Sight.Embedding) != m.info.EmbeddingWidth {
		return fmt.Errorf("%w: embedding is %d wide, want %d", ErrOutput, len(p.Sight.Embedding), m.info.EmbeddingWidth)
	}
	if err := errors.Join(checkEmbedding(p.Sight.Embedding), checkTop(p.Sight.Top, m.info.Cells)); err != nil {
		return err
	}
	if a := p.Anchor; a != nil && !cells.Valid(a.Lat, a.Lon) {
		return fmt.Errorf("%w: %v, %v", ErrAnchor, a.Lat, a.Lon)
	}
	return nil
}
