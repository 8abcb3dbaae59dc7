package decode

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"strings"
	"time"

	"github.com/bep/imagemeta"
)

// Exif is what the camera wrote beside the picture.
type Exif struct {
	// TakenAt is DateTimeOriginal, else the time of digitising; zero when
	// absent. It carries the offset written beside it; without one the camera's
	// wall clock is read as UTC, which keeps the order within an album but may
	// be off by the time zone.
	TakenAt     time.Time
	Position    *Position // nil when absent or not credible
	Camera      string    // maker and model, "" when absent
	Orientation int       // 1 … 8, 0 when absent; HEIC and AVIF ignore it
}

// Position is a point on the earth in degrees, WGS 84, north and east positive.
type Position struct{ Lat, Lon float64 }

// Bounds on what one photo's metadata may cost.
const (
	exifBytes = 8 << 20
	exifTime  = 500 * time.Millisecond
	exifTags  = 2000
)

// ReadExif reads EXIF from a photo of any format of this package. No EXIF is a
// zero value and no error. Broken EXIF is a zero value and an error, which is
// [ErrCorrupt], or as for [Decoder.Pixels] when data is no photo at all; the
// pixels may still be fine. A position that is not a number, outside the
// earth, without its hemisphere, or with an axis of exactly zero (what a
// receiver without a fix, and a division by zero, leave) is no position.
func ReadExif(data []byte) (Exif, error) {
	f, err := sniff(data)
	if err != nil {
		return Exif{}, err
	}
	tags := exifFields{}
	if err := tags.read(f, data, exifBlocks(f, data)); err != nil {
		return Exif{}, &fault{ErrCorrupt, fmt.Sprintf("%s has broken exif: %s", f, printable(err.Error()))}
	}
	return tags.exif(), nil
}

// exifFields are the wanted tags by the path of their directory and their name.
type exifFields map[string]any

// wantedTags leaves out IFD1, whose tags describe the thumbnail, and names the
// directory because the library calls tag 1 a latitude wherever it stands.
var wantedTags = map[string]bool{
	"IFD0/Make": true, "IFD0/Model": true, "IFD0/Orientation": true,
	"IFD0/ExifIFDP/DateTimeOriginal": true, "IFD0/ExifIFDP/OffsetTimeOriginal": true,
	"IFD0/ExifIFDP/CreateDate": true, "IFD0/ExifIFDP/OffsetTimeDigitized": true,
	"IFD0/GPSInfoIFD/GPSLatitude": true, "IFD0/GPSInfoIFD/GPSLatitudeRef": true,
	"IFD0/GPSInfoIFD/GPSLongitude": true, "IFD0/GPSInfoIFD/GPSLongitudeRef": true,
}

// orientationOf is the EXIF orientation to undo, 1 when there is nothing to do.
// Damage behind the tag does not matter. HEIC and AVIF are turned by their
// container (irot, imir) while decoding; their EXIF tag is for the past.
func orientationOf(f format, data []byte, blocks []exifBlock) int {
	if f.heavy() {
		return 1
	}
	tags := exifFields{}
	_ = tags.read(f, data, blocks)
	return max(1, tags.orientation())
}

// read walks the tags; beside an error, t has those before the damage. The library's own Timeout is not used: it walks away
// from a goroutine that goes on reading buffers already given back to a pool.
func (t exifFields) read(f format, data []byte, blocks []exifBlock) error {
	if len(blocks) == 0 {
		return nil
	}
	tiff := blocks[0].tiff // the first one wins, as in viewers
	if f.heavy() {
		tiff = data
	}
	return t.walk(f, bytes.NewReader(tiff))
}

// walk walks the tags of a TIFF structure, or of a whole HEIC or AVIF, whose index says where it is.
func (t exifFields) walk(f format, in io.ReadSeeker) (err error) {
	kind := imagemeta.TIFF
	if f.heavy() {
		kind = imagemeta.HEIF
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("parser panicked: %v", p)
		}
	}()
	bounded := &boundedReader{data: in, left: exifBytes, deadline: time.Now().Add(exifTime)}
	_, err = imagemeta.Decode(imagemeta.Options{
		R:            bounded,
		ImageFormat:  kind,
		Sources:      imagemeta.EXIF,
		LimitNumTags: exifTags,
		LimitTagSize: 1024,
		ShouldHandleTag: func(tag imagemeta.TagInfo) bool {
			return wantedTags[tag.Namespace+"/"+tag.Tag]
		},
		HandleTag: func(tag imagemeta.TagInfo) error {
			path := tag.Namespace + "/" + tag.Tag
			if _, seen := t[path]; !seen { // here too
				t[path] = tag.Value
			}
			return nil
		},
	})
	if bounded.spent != nil {
		return bounded.spent
	}
	return err
}

func (t exifFields) exif() Exif {
	e := Exif{Position: t.position(), Camera: t.camera(), Orientation: t.orientation()}
	const dir = "IFD0/ExifIFDP/"
	e.TakenAt = exifTimeOf(t.text(dir+"DateTimeOriginal"), t.text(dir+"OffsetTimeOriginal"))
	if e.TakenAt.IsZero() {
		e.TakenAt = exifTimeOf(t.text(dir+"CreateDate"), t.text(dir+"OffsetTimeDigitized"))
	}
	return e
}

// orientation is 1 … 8, or 0 when absent. The standard wants a short; some
// programs write a long.
func (t exifFields) orientation() int {
	var v uint32
	switch tag := t["IFD0/Orientation"].(type) {
	case uint16:
		v = uint32(tag)
	case uint32:
		v = tag
	}
	if v > 8 {
		return 0
	}
	return int(v)
}

func (t exifFields) text(path string) string {
	s, _ := t[path].(string)
	return printable(s)
}

// camera joins maker and model; many models begin with their maker's name.
func (t exifFields) camera() string {
	maker, model := t.text("IFD0/Make"), t.text("IFD0/Model")
	name := strings.TrimSpace(maker + " " + model)
	if maker != "" && strings.HasPrefix(strings.ToLower(model), strings.ToLower(maker)) {
		name = model
	}
	if r := []rune(name); len(r) > 100 {
		name = string(r[:100])
	}
	return name
}

func (t exifFields) position() *Position {
	lat, latOK := t.axis("GPSLatitude", "N", "S", 90)
	lon, lonOK := t.axis("GPSLongitude", "E", "W", 180)
	if !latOK || !lonOK {
		return nil
	}
	return &Position{Lat: lat, Lon: lon}
}

func (t exifFields) axis(tag, positive, negative string, most float64) (float64, bool) {
	const dir = "IFD0/GPSInfoIFD/"
	v, ok := t[dir+tag].(float64)
	if !ok || math.IsNaN(v) || v <= 0 || v > most {
		return 0, false
	}
	switch strings.ToUpper(t.text(dir + tag + "Ref")) {
	case positive:
		return v, true
	case negative:
		return -v, true
	}
	return 0, false
}

// exifTimeOf reads "2006:01:02 15:04:05" and an offset "+02:00"; both are
// optional, and cameras write dashes, blanks and zeros for unknown.
func exifTimeOf(stamp, offset string) time.Time {
	if stamp == "" { // most photos that came through the web; each layout that does not fit is an error to be made
		return time.Time{}
	}
	if len(stamp) > 19 { // a fraction or a zone behind it is not in the standard
		stamp = stamp[:19]
	}
	for _, layout := range []string{"2006:01:02 15:04:05", "2006-01-02 15:04:05"} {
		if at, err := time.Parse(layout+"-07:00", stamp+offset); err == nil && plausible(at) {
			return at
		}
		if at, err := time.Parse(layout, stamp); err == nil && plausible(at) {
			return at
		}
	}
	return time.Time{}
}

// plausible leaves out the years that an unset clock writes before there was
// photography, or with a broken counter.
func plausible(at time.Time) bool { return at.Year() >= 1826 && at.Year() <= 9999 }

// boundedReader ends a walk that reads too much or for too long: offsets in
// the file are the file's to choose, so a small file can ask for much reading.
type boundedReader struct {
	data     io.ReadSeeker
	left     int
	deadline time.Time
	spent    error
}

// Seek moves as bytes.Reader does.
func (r *boundedReader) Seek(offset int64, whence int) (int64, error) {
	return r.data.Seek(offset, whence)
}

// Read answers the bytes, or why there are no more.
func (r *boundedReader) Read(p []byte) (int, error) {
	switch {
	case r.left <= 0:
		r.spent = errors.New("it asks for too much reading")
	case time.Now().After(r.deadline):
		r.spent = errors.New("it takes too long to read")
	}
	if r.spent != nil {
		return 0, r.spent
	}
	n, err := r.data.Read(p)
	r.left -= n
	return n, err
}
