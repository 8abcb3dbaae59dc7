package pipeline

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
	"unicode/utf8"

	"planetag/consumer"
)

// ErrReference says that a record of the input topic is not a reference. The message names the field and the remedy.
var ErrReference = errors.New("bad reference")

const (
	sourceReference = "reference" // Position.Source of a position that the producer gave
	sourceExif      = "exif"      // … that the camera wrote

	maxKeyBytes = 1024 // what S3 allows
	maxIDBytes  = 2048 // of photo and album ids: a bucket, a slash and a key, with room for a producer's own scheme
)

// Position is a measured position, as opposed to a predicted one: degrees, WGS 84.
type Position struct {
	Lat, Lon float64
	Source   string // "reference" or "exif", or what the producer called it
}

// Reference is what the input topic carries: where a photo lies and what is known of it without looking.
type Reference struct {
	PhotoID   string // default: bucket/key
	Bucket    string
	Key       string
	VersionID string // when set, exactly this version is read
	ETag      string // without quotes; when set, an object with another one is refused
	Album     string // default: the key's directory; empty = no album
	TakenAt   time.Time
	Position  *Position
	OptOut    bool   // do not look at the photo
	Camera    string // that took it, as its EXIF says; no producer is asked
}

// InputKind says what a record of the input topic asks for.
type InputKind int

// The three things that a record of the input topic can ask for.
const (
	PhotoInput         InputKind = iota // locate this photo
	RemovedInput                        // the photo is gone: forget its location
	AlbumCompleteInput                  // no more photos will come for this album
)

// Input is one record of the input topic, understood.
type Input struct {
	Kind        InputKind
	Reference   Reference // RemovedInput: at least PhotoID; AlbumCompleteInput: only Album
	AlbumPhotos int       // AlbumCompleteInput: how many photos the album has; 0 = unknown
	IfGone      bool      // PhotoInput: an object that is not there is no mistake, its photo is gone
}

// ParseReference reads one record of the input topic:
//
//	{"bucket":"images","key":"rome/1.jpg","version_id":"…","etag":"…","album":"rome-2019","taken_at":"2019-07-01T12:00:00Z",
//	 "position":{"lat":41.89,"lon":12.49,"source":"gps"},"opt_out":false,"photo_id":"…"}
//	{"album_complete":"rome-2019","photos":14}
//	null, with the photo id as the record's key
//
// Only key is required, and bucket where there is no defaultBucket. Field names are exact; unknown fields are ignored, and
// a field that is null counts as absent. An album that is given as "" means no album. Every error wraps ErrReference.
func ParseReference(rec consumer.Record, defaultBucket string) (Input, error) {
	if rec.Value == nil || string(rec.Value) == "null" {
		return parseRemoved(rec.Key, defaultBucket)
	}
	f, err := parseFields(rec.Value)
	if err != nil {
		return Input{}, err
	}
	if !f.has("album_complete") && (f.has("Records") || f.has("EventName")) {
		return Input{}, fmt.Errorf("%w: value is an S3 event notification; send {\"bucket\":…,\"key\":…} instead, or set input.map to s3-event", ErrReference)
	}
	return parseInput(f, defaultBucket)
}

func parseInput(f fields, defaultBucket string) (Input, error) {
	if f.has("album_complete") {
		return parseAlbumComplete(f)
	}
	return parsePhoto(f, defaultBucket)
}

func parseRemoved(key []byte, defaultBucket string) (Input, error) {
	id := string(key)
	switch {
	case id == "":
		return Input{}, fmt.Errorf("%w: the value is null and so is the key; a removal needs the photo id as its key", ErrReference)
	case !utf8.ValidString(id) || len(id) > maxIDBytes:
		return Input{}, fmt.Errorf("%w: the key of a removal is not a photo id (at most %d bytes of UTF-8)", ErrReference, maxIDBytes)
	}
	in := Input{Kind: RemovedInput, Reference: Reference{PhotoID: id}}
	// The album can only be the default one; a producer that names albums itself completes them itself.
	if _, object, ok := strings.Cut(id, "/"); ok {
		in.Reference.Album = AlbumOf(object)
	}
	return in, nil
}

func parseAlbumComplete(f fields) (Input, error) {
	in := Input{Kind: AlbumCompleteInput}
	in.Reference.Album = f.text("album_complete", maxIDBytes)
	f.into("photos", &in.AlbumPhotos, "a whole number")
	switch {
	case *f.err != nil:
		return Input{}, *f.err
	case in.Reference.Album == "":
		return Input{}, fmt.Errorf("%w: album_complete is empty; name the album", ErrReference)
	case in.AlbumPhotos < 0:
		return Input{}, fmt.Errorf("%w: photos is %d; give the album's number of photos, or leave it out", ErrReference, in.AlbumPhotos)
	}
	return in, nil
}

func parsePhoto(f fields, defaultBucket string) (Input, error) {
	ref := Reference{
		Bucket: f.text("bucket", maxIDBytes), Key: f.text("key", maxKeyBytes),
		VersionID: f.text("version_id", maxIDBytes), ETag: strings.Trim(f.text("etag", maxIDBytes), `"`),
		Album: f.text("album", maxIDBytes), PhotoID: f.text("photo_id", maxIDBytes),
		TakenAt: f.time("taken_at"), Position: f.position("position"),
	}
	f.into("opt_out", &ref.OptOut, "true or false")
	if ref.Bucket == "" {
		ref.Bucket = defaultBucket
	}
	switch {
	case *f.err != nil:
		return Input{}, *f.err
	case ref.Key == "":
		return Input{}, fmt.Errorf("%w: key is missing; it is the object's key in its bucket", ErrReference)
	case ref.Bucket == "":
		return Input{}, fmt.Errorf("%w: bucket is missing; name it in the reference or set s3.bucket", ErrReference)
	}
	if err := checkBucket(ref.Bucket); err != nil {
		return Input{}, fmt.Errorf("%w: bucket %q %w", ErrReference, ref.Bucket, err)
	}
	if ref.PhotoID == "" {
		ref.PhotoID = ref.Bucket + "/" + ref.Key
	}
	if !f.has("album") {
		ref.Album = AlbumOf(ref.Key)
	}
	return Input{Kind: PhotoInput, Reference: ref}, nil
}

// AlbumOf is the album of a reference that names none: the directory of its key, empty for a key without one.
func AlbumOf(key string) string {
	directory, _ := path.Split(key)
	return strings.TrimSuffix(directory, "/")
}

// checkBucket refuses what no store can have as a bucket, so that a slip of the pen is not taken for a missing bucket.
func checkBucket(name string) error {
	ok := func(r rune) bool {
		return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || strings.ContainsRune("-._:", r)
	}
	if len(name) < 3 || len(name) > 63 || strings.ContainsFunc(name, func(r rune) bool { return !ok(r) }) {
		return errors.New("is not a bucket name (3 to 63 letters, digits, dots and hyphens)")
	}
	return nil
}
