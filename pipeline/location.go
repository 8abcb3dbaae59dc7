package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"

	"planetag/consumer"
)

// ErrLocation says that a location must not be published as it is: a number in it is not finite, or its parts contradict
// its status.
var ErrLocation = errors.New("bad location")

// The four things that a published location can be.
const (
	StatusEstimated = "estimated"
	StatusAbstained = "abstained" // the evidence was too thin: no location, no radius
	StatusGiven     = "given"     // the reference or the EXIF has a position; that one is published
	StatusOptedOut  = "opted_out" // nobody looked at the photo
)

// The two stages that publish. Of two answers for one photo the greater revision wins; the album's is above those of its photos.
const (
	StagePhoto = "photo"
	StageAlbum = "album"
)

// Location is the published answer for one photo. Its JSON form is a contract with its readers: fields are only ever
// added. deploy/schema/location.schema.json describes it.
//
// A reader that takes location for granted must look at status first: only with StatusGiven is it measured. A measured
// position never has a radius, a cell or a confidence beside it, so that nobody takes it for the model's.
type Location struct {
	PhotoID  string `json:"photo_id"`
	Status   string `json:"status"`
	Stage    string `json:"stage"`
	Revision int64  `json:"revision"`

	Location    *Point           `json:"location,omitempty"`
	RadiusP50M  int64            `json:"radius_p50_m,omitempty"` // half of all photos like this one lie within
	RadiusP90M  int64            `json:"radius_p90_m,omitempty"`
	Confidence  *float64         `json:"confidence,omitempty"`
	Entropy     *float64         `json:"entropy,omitempty"` // nats
	Cell        string           `json:"cell,omitempty"`    // S2 token
	S2Ancestors []string         `json:"s2_ancestors,omitempty"`
	Rollup      *Rollup          `json:"rollup,omitempty"`
	Place       *Place           `json:"place,omitempty"`
	Candidates  []CandidateCell  `json:"candidates,omitempty"`
	PhotoOnly   *Estimate        `json:"photo_only,omitempty"` // what the picture alone says, where more than the picture counted
	FromDiary   bool             `json:"from_diary,omitempty"` // the bundle knows where its archive's photos were taken around that day, and that counted
	Album       *AlbumPart       `json:"album,omitempty"`
	Given       *GivenPosition   `json:"given,omitempty"`
	Model       *ModelOfLocation `json:"model,omitempty"`
	Source      Source           `json:"source"`
	TakenAt     time.Time        `json:"taken_at,omitzero"`
	Time        time.Time        `json:"time"`
}

// Point is a position in degrees, WGS 84. The object form is the one that nobody can get the wrong way round.
type Point struct {
	Lat float64 `json:"lat"`
	Lon float64 `json:"lon"`
}

// Rollup is the finest S2 cell that holds at least half of the probability.
type Rollup struct {
	Cell  string  `json:"cell"`
	Level int     `json:"level"`
	P     float64 `json:"p"`
}

// Place names the region in which the location's cell mostly lies.
type Place struct {
	CountryCode string `json:"country_code,omitempty"`
	Country     string `json:"country,omitempty"`
	Region      string `json:"region,omitempty"`
	// CountryProbability is summed over all listed cells, not only the one that is answered.
	CountryProbability float64 `json:"country_probability,omitempty"`
}

// CandidateCell is one of the most probable cells and the mean location of the photos in it.
type CandidateCell struct {
	Cell string  `json:"cell"`
	P    float64 `json:"p"`
	Lat  float64 `json:"lat"`
	Lon  float64 `json:"lon"`
}

// Estimate is an answer of the model in brief, for comparison.
type Estimate struct {
	Lat        float64 `json:"lat"`
	Lon        float64 `json:"lon"`
	RadiusP90M int64   `json:"radius_p90_m"`
	Confidence float64 `json:"confidence"`
}

// AlbumPart says which album an album-level answer comes from, and what the album did to it.
type AlbumPart struct {
	ID       string  `json:"id"`
	Mode     string  `json:"mode"`
	Size     int     `json:"size"`
	Position int     `json:"position"` // in capture order, from 1
	MovedM   float64 `json:"moved_m"`  // from the photo-level answer; 0 when one of the two abstained

	// What follows is of the other photos of the album that have a position, and absent where there are none. Where the positions
	// of two cameras contradict each other, only photos of its own camera count.
	Anchors             int      `json:"anchors,omitempty"`               // how many
	NearestAnchorS      *float64 `json:"nearest_anchor_s,omitempty"`      // seconds to the nearest in time; absent without both times
	NearestAnchorSource string   `json:"nearest_anchor_source,omitempty"` // who gave it its position, as in Given
	FromAnchors         bool     `json:"from_anchors,omitempty"`          // the estimate is a place of theirs and no cell's mean
}

// GivenPosition is the measured position of a photo that has one, and how far off the model would have been.
type GivenPosition struct {
	Lat       float64   `json:"lat"`
	Lon       float64   `json:"lon"`
	Source    string    `json:"source"`
	DistanceM *int64    `json:"distance_m,omitempty"` // to the estimate; absent when the model abstained
	Estimate  *Estimate `json:"estimate,omitempty"`
}

// ModelOfLocation names the bundle and the precision cap that were in force.
type ModelOfLocation struct {
	Bundle            string `json:"bundle"` // name@version
	SHA256            string `json:"sha256"`
	PrecisionCapLevel int    `json:"precision_cap_level"`
}

// Source is the object that was read and the record that asked for it.
type Source struct {
	Bucket    string `json:"bucket"`
	Key       string `json:"key"`
	VersionID string `json:"version_id,omitempty"`
	ETag      string `json:"etag,omitempty"`
	Topic     string `json:"topic"`
	Partition int    `json:"partition"`
	Offset    int64  `json:"offset"`
}

// Record renders the location for a topic that is keyed by photo id, so that a compacted one keeps the last answer. Equal
// locations give equal bytes. The headers pass through as they are. Every error wraps ErrLocation.
func (l Location) Record(topic string, headers []consumer.Header) (consumer.Record, error) {
	if err := l.Check(); err != nil {
		return consumer.Record{}, err
	}
	l.Time, l.TakenAt = l.Time.UTC().Truncate(time.Millisecond), l.TakenAt.UTC()
	var value bytes.Buffer
	enc := json.NewEncoder(&value)
	enc.SetEscapeHTML(false) // object keys with an ampersand stay readable
	if err := enc.Encode(l.rounded()); err != nil {
		return consumer.Record{}, fmt.Errorf("%w of photo %q: %w", ErrLocation, l.PhotoID, err)
	}
	return consumer.Record{
		Topic: topic, Partition: -1, Key: []byte(l.PhotoID), Time: l.Time,
		Value: bytes.TrimSuffix(value.Bytes(), []byte("\n")), Headers: headers,
	}, nil
}

// Check holds the promises that a reader builds on. Its error wraps ErrLocation.
func (l Location) Check() error {
	if err := l.check(); err != nil {
		return fmt.Errorf("%w of photo %q: %w", ErrLocation, l.PhotoID, err)
	}
	return nil
}

func (l Location) check() error {
	located := l.Status == StatusEstimated || l.Status == StatusGiven
	switch {
	case l.PhotoID == "":
		return errors.New("no photo id")
	case !located && l.Status != StatusAbstained && l.Status != StatusOptedOut:
		return fmt.Errorf("unknown status %q", l.Status)
	case located != (l.Location != nil):
		return fmt.Errorf("status %s with location %v", l.Status, l.Location)
	case (l.Status == StatusGiven) != (l.Given != nil):
		return fmt.Errorf("status %s with given position %v", l.Status, l.Given)
	case (l.Status == StatusEstimated) != (l.RadiusP50M > 0 && l.RadiusP90M > 0):
		return fmt.Errorf("status %s with radii of %d and %d m", l.Status, l.RadiusP50M, l.RadiusP90M)
	case !l.PhotoOnly.sound() || l.Given != nil && !l.Given.Estimate.sound():
		return errors.New("an estimate to compare with has no radius")
	case l.Location != nil && !(Position{Lat: l.Location.Lat, Lon: l.Location.Lon}).onEarth():
		return fmt.Errorf("location %g, %g is not on earth", l.Location.Lat, l.Location.Lon)
	case l.Time.IsZero():
		return errors.New("no time")
	}
	return nil
}

// sound is true for an estimate that is absent.
func (e *Estimate) sound() bool { return e == nil || e.RadiusP90M > 0 }

// HeaderRevision is the header of a tombstone that says what its value cannot: its revision, in decimal.
const HeaderRevision = "planetag.revision"

// Tombstone is the record by which a compacted topic, and every sink that follows Kafka's convention, forgets a photo.
func Tombstone(topic, photoID string, revision int64) consumer.Record {
	return consumer.Record{
		Topic: topic, Partition: -1, Key: []byte(photoID), Time: time.Now().UTC(),
		Headers: []consumer.Header{{Key: HeaderRevision, Value: strconv.AppendInt(nil, revision, 10)}},
	}
}

// metres rounds a distance up to whole metres, so that a radius is never less than it was and never 0. What is not finite
// becomes negative, which check refuses.
func metres(m float64) int64 {
	if math.IsNaN(m) || math.IsInf(m, 0) || m < 0 {
		return -1
	}
	return int64(math.Max(math.Ceil(m), 1))
}
