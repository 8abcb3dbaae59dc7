package pipeline

import (
	"encoding"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Duration is a time.Duration that is written as Go writes it: "100ms", "30s", "168h".
type Duration time.Duration

// UnmarshalText reads "30s"; a bare number is refused because nobody can tell its unit.
func (d *Duration) UnmarshalText(text []byte) error {
	v, err := time.ParseDuration(string(text))
	if err != nil {
		return fmt.Errorf("%q is not a duration; write a number with its unit, like 100ms, 30s or 15m", text)
	}
	*d = Duration(v)
	return nil
}

// UnmarshalYAML is UnmarshalText with the place in the file.
func (d *Duration) UnmarshalYAML(node ast.Node) error { return unmarshalNode(node, d) }

// MarshalText writes what UnmarshalText reads.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// String drops the zero units that time.Duration writes: "15m" instead of "15m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// Bytes is a number of bytes that is written with a binary unit: "512MiB". Decimal units are understood too.
type Bytes int64

// byteUnits in the order in which String prefers them; a longer suffix comes before the suffixes that it ends with.
func byteUnits() []struct {
	suffix string
	size   float64
} {
	return []struct {
		suffix string
		size   float64
	}{
		{"TiB", 1 << 40},
		{"GiB", 1 << 30},
		{"MiB", 1 << 20},
		{"KiB", 1 << 10},
		{"TB", 1e12},
		{"GB", 1e9},
		{"MB", 1e6},
		{"kB", 1e3},
		{"B", 1},
	}
}

// UnmarshalText reads "512MiB", "1.5GiB", "64MB" or a bare number of bytes.
func (b *Bytes) UnmarshalText(text []byte) error {
	number, unit := strings.TrimSpace(string(text)), 1.0
	for _, u := range byteUnits() {
		if head, ok := strings.CutSuffix(number, u.suffix); ok {
			number, unit = strings.TrimSpace(head), u.size
			break
		}
	}
	v, err := strconv.ParseFloat(number, 64)
	// The comparison is false for NaN; 1<<53 is where float64 stops counting single bytes.
	if err != nil || !(v*unit >= 0 && v*unit <= 1<<53) {
		return fmt.Errorf("%q is not a number of bytes; write it like 65536, 64MiB or 1.5GiB", text)
	}
	*b = Bytes(v * unit)
	return nil
}

// UnmarshalYAML is UnmarshalText with the place in the file.
func (b *Bytes) UnmarshalYAML(node ast.Node) error { return unmarshalNode(node, b) }

// MarshalText writes what UnmarshalText reads, without loss.
func (b Bytes) MarshalText() ([]byte, error) { return []byte(b.String()), nil }

// String uses the greatest binary unit that divides b.
func (b Bytes) String() string {
	for _, u := range byteUnits()[:4] {
		if n := int64(u.size); b != 0 && int64(b)%n == 0 {
			return strconv.FormatInt(int64(b)/n, 10) + u.suffix
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// unmarshalNode gives an error of UnmarshalText the position that the YAML package knows how to show.
func unmarshalNode(node ast.Node, into encoding.TextUnmarshaler) error {
	token := node.GetToken()
	if err := into.UnmarshalText([]byte(token.Value)); err != nil {
		return &yaml.SyntaxError{Token: token, Message: err.Error()}
	}
	return nil
}

// Secret is a string that is never printed, logged or marshalled; string(s) is the only way to its text.
type Secret string

const mask = "********"

// String hides the text and shows only whether there is one.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return mask
}

// GoString hides the text from %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// MarshalText hides the text from YAML, JSON and slog.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalYAML wants one text, and gives the error of everything else its place.
func (s *Secret) UnmarshalYAML(node ast.Node) error {
	switch node.(type) {
	case *ast.MappingNode, *ast.MappingValueNode, *ast.SequenceNode:
		return &yaml.SyntaxError{Token: node.GetToken(), Message: "a secret is one text; put it between quotes"}
	}
	var text string
	if err := yaml.NodeToValue(node, &text); err != nil {
		return err
	}
	*s = Secret(text)
	return nil
}

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = Secret(text)
	return nil
}
