package pipeline

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"time"
	"unicode/utf8"
)

// fields are the fields of a JSON object by their exact names. The first mistake sticks in *err.
type fields struct {
	raw map[string]json.RawMessage
	err *error
}

func parseFields(value []byte) (fields, error) {
	f := fields{err: new(error)}
	if !utf8.Valid(value) {
		// The decoder would replace what is wrong, and so silently read another object.
		return f, fmt.Errorf("%w: value is not UTF-8", ErrReference)
	}
	if err := json.Unmarshal(value, &f.raw); err != nil {
		return f, fmt.Errorf("%w: value is not a JSON object: %s", ErrReference, err.Error())
	}
	return f, nil
}

func (f fields) has(name string) bool {
	raw, ok := f.raw[name]
	return ok && string(raw) != "null"
}

// into reads a field that is there into v and leaves v alone otherwise; want completes the sentence "… is not".
func (f fields) into(name string, v any, want string) {
	if !f.has(name) || *f.err != nil {
		return
	}
	if json.Unmarshal(f.raw[name], v) != nil {
		f.refuse("%s is %s, which is not %s", name, excerpt(f.raw[name]), want)
	}
}

func (f fields) refuse(format string, args ...any) {
	if *f.err == nil {
		*f.err = fmt.Errorf("%w: %s", ErrReference, fmt.Sprintf(format, args...))
	}
}

func (f fields) text(name string, longest int) (s string) {
	f.into(name, &s, "a string")
	if len(s) > longest {
		f.refuse("%s has %d bytes, at most %d are allowed", name, len(s), longest)
	}
	return s
}

func (f fields) time(name string) time.Time {
	var t time.Time
	f.into(name, &t, "a time like 2019-07-01T12:00:00Z (RFC 3339)")
	if t.IsZero() {
		return time.Time{}
	}
	return t.UTC()
}

func (f fields) position(name string) *Position {
	if !f.has(name) {
		return nil
	}
	var raw struct {
		Lat    *float64 `json:"lat"`
		Lon    *float64 `json:"lon"`
		Source string   `json:"source"`
	}
	f.into(name, &raw, `{"lat":degrees,"lon":degrees}`)
	if *f.err != nil {
		return nil
	}
	if raw.Lat == nil || raw.Lon == nil {
		f.refuse("%s lacks lat or lon; give both in degrees, or leave it out", name)
		return nil
	}
	p := &Position{Lat: *raw.Lat, Lon: *raw.Lon, Source: raw.Source}
	if !p.onEarth() {
		f.refuse("%s %g, %g is not on earth; lat is -90 to 90 and lon -180 to 180 degrees", name, p.Lat, p.Lon)
	}
	if p.Source == "" {
		p.Source = sourceReference
	}
	return p
}

// onEarth is false for NaN, too.
func (p Position) onEarth() bool { return math.Abs(p.Lat) <= 90 && math.Abs(p.Lon) <= 180 }

// excerpt is the beginning of a value, short enough for a message.
func excerpt(b []byte) string {
	const most = 60
	if len(b) <= most {
		return string(b)
	}
	return strings.ToValidUTF8(string(b[:most]), "") + "…"
}
