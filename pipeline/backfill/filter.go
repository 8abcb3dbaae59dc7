package backfill

import (
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"path"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"planetag/pipeline"
)

// ErrFilter says that a filter cannot be understood; the message names the flag and the remedy.
var ErrFilter = errors.New("bad filter")

// Filter says which objects of an archive are photos to be located. It is kept in the checkpoint as it was asked for.
type Filter struct {
	Newer    string   `json:"newer,omitempty"` // modified after: a date, a time, or a duration before the run began
	Older    string   `json:"older,omitempty"` // modified before
	Ext      []string `json:"ext,omitempty"`   // without dots; none = what the decoder knows
	MinSize  int64    `json:"min_size,omitempty"`
	Exclude  []string `json:"exclude,omitempty"` // patterns of path.Match for a key or its last part, or a prefix that ends in a slash
	Sample   float64  `json:"sample,omitempty"`  // share of the albums, 0 = all
	Versions bool     `json:"versions,omitempty"`
	Redo     bool     `json:"redo,omitempty"`
}

// compiled is a filter of a run that began at a known time.
type compiled struct {
	Filter
	newer, older time.Time
	endings      []string
	share        uint64 // hashes of albums up to here are in the sample
}

// compile reads the filter. Every error is ErrFilter.
func (f Filter) compile(began time.Time) (c compiled, err error) {
	c = compiled{Filter: f, share: math.MaxUint64}
	if c.newer, err = Moment("--newer", f.Newer, began); err != nil {
		return c, err
	}
	if c.older, err = Moment("--older", f.Older, began); err != nil {
		return c, err
	}
	for _, ext := range f.Ext {
		c.endings = append(c.endings, "."+strings.ToLower(strings.TrimPrefix(ext, ".")))
	}
	if len(c.endings) == 0 {
		c.endings = pipeline.PhotoEndings()
	}
	for _, pattern := range f.Exclude {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" {
			return c, fmt.Errorf("%w: --exclude is %q; write a pattern like '*_thumb.jpg', or a prefix that ends in a slash", ErrFilter, pattern)
		}
	}
	switch {
	case f.Sample < 0 || f.Sample > 1 || f.Sample != f.Sample:
		return c, fmt.Errorf("%w: --sample is %g; it is a share, greater than 0 and at most 1", ErrFilter, f.Sample)
	case f.Sample > 0 && f.Sample < 1:
		c.share = uint64(f.Sample * math.MaxUint64)
	}
	return c, nil
}

// Moment reads a date, a time, or a duration before began; the zero time for nothing. Errors are
// ErrFilter and name the flag.
func Moment(flag, text string, began time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if ago, err := time.ParseDuration(text); err == nil {
		return began.Add(-ago), nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%w: %s is %q; write a date (2024-05-01), a time (2024-05-01T12:00:00Z) or how long ago (720h)", ErrFilter, flag, text)
}

// reason says why an object is left out, in the words of the report; "" for one that is to be located.
func (c compiled) reason(o pipeline.Listed) string {
	ext := strings.ToLower(path.Ext(o.Key))
	switch {
	case strings.HasSuffix(o.Key, "/"):
		return "folder mark"
	case !utf8.ValidString(o.Key):
		return "name is not UTF-8"
	case !slices.Contains(c.endings, ext):
		return "no photo by its name"
	case o.Size < c.MinSize:
		return "too small"
	case !c.newer.IsZero() && !o.Modified.After(c.newer):
		return "too old"
	case !c.older.IsZero() && !o.Modified.Before(c.older):
		return "too new"
	case slices.ContainsFunc(c.Exclude, func(pattern string) bool { return excludes(pattern, o.Key) }):
		return "excluded"
	case c.share != math.MaxUint64 && albumHash(o.Key) > c.share:
		return "not in the sample"
	}
	return ""
}

func excludes(pattern, key string) bool {
	if strings.HasSuffix(pattern, "/") {
		return strings.HasPrefix(key, pattern)
	}
	whole, _ := path.Match(pattern, key) // compile has tried the patterns
	last, _ := path.Match(pattern, path.Base(key))
	return whole || last
}

// albumHash spreads albums evenly and the same way in every run; photos without an album each for themselves.
func albumHash(key string) uint64 {
	name := pipeline.AlbumOf(key)
	if name == "" {
		name = key
	}
	x := contentHash(name) // FNV leaves short names close together: its high bits need the mixing
	for range 2 {
		x ^= x >> 32
		x *= 0xd6e8feb86659fd93
	}
	return x ^ x>>32
}

func contentHash(s string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(s)) // cannot fail
	return h.Sum64()
}
