package survey

import (
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"planetag/pipeline"
)

// Photo is what is known of one photo after it was read.
type Photo struct {
	Key      string    `json:"key"`
	Size     int64     `json:"size"`
	ETag     string    `json:"etag,omitempty"`
	Modified time.Time `json:"modified"`
	Lat      *float64  `json:"lat,omitempty"` // degrees; nil if the photo does not say
	Lon      *float64  `json:"lon,omitempty"`
	TakenAt  time.Time `json:"taken_at,omitzero"`
	Camera   string    `json:"camera,omitempty"`
	PHash    string    `json:"phash,omitempty"`   // 64-bit perceptual hash of the pixels, 16 hex digits; only if asked for
	Problem  string    `json:"problem,omitempty"` // why it could not be read; the rest is then empty

	Requests int   `json:"requests"` // that were sent for it
	Bytes    int64 `json:"bytes"`    // that came
}

// Album is the photo's folder, as the worker takes it where a reference names no
// album.
func (p Photo) Album() string {
	if dir := path.Dir(p.Key); dir != "." {
		return dir
	}
	return ""
}

// kind says by its name what an object is: a photo to be read ("") or something
// that is counted and left alone. The listing knows nothing better, and one
// request per film would cost more than all photos.
func kind(o pipeline.Listed, optOut []string) string {
	ext := strings.ToLower(path.Ext(o.Key))
	switch {
	case slices.ContainsFunc(optOut, func(prefix string) bool { return strings.HasPrefix(o.Key, prefix) }):
		return "opted out"
	case !utf8.ValidString(o.Key): // neither the journal nor a reference could name it
		return "with a name that is not UTF-8"
	case strings.HasSuffix(o.Key, "/"):
		return "folder marks"
	case slices.Contains(pipeline.PhotoEndings(), ext):
		return ""
	case ext == "" || len(ext) > 6:
		return "without a known ending"
	}
	return ext
}
