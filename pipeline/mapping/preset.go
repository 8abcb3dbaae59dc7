package mapping

import (
	"embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

//go:embed input/*.jq output/*.jq
var texts embed.FS

// Direction says which way a program maps.
type Direction string

// The two directions.
const (
	Input  Direction = "input"  // from a record of the input topic to references
	Output Direction = "output" // from a location to the value that is published
)

// Plain and Default are the presets that need no program: values are taken, and published, as they are.
const (
	Plain   = "plain"
	Default = "default"
)

// Presets lists the presets of a direction, the one that is in force when nothing is set first.
func Presets(d Direction) []string {
	if d == Output {
		return []string{Default, "flat", "connect", "geojson", "cloudevents"}
	}
	return []string{Plain, "auto", "s3-event", "cloudevents", "debezium"}
}

// include is the line by which a preset takes in another as a function.
var include = regexp.MustCompile(`(?m)^# include ([a-z0-9-]+) as ([a-z_0-9]+)\n`)

// Show returns the text of a preset, complete in itself: what it takes in of others is a function in it.
func Show(d Direction, preset string) (string, error) {
	if !slices.Contains(Presets(d), preset) {
		return "", fmt.Errorf("%w: no preset for %s is called %q; there are %s", ErrProgram, d, preset, strings.Join(Presets(d), ", "))
	}
	source, err := texts.ReadFile(string(d) + "/" + preset + ".jq")
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrProgram, err)
	}
	text := string(source)
	for {
		at := include.FindStringSubmatchIndex(text)
		if at == nil {
			return text, nil
		}
		inner, err := Show(d, text[at[2]:at[3]])
		if err != nil {
			return "", err
		}
		text = text[:at[0]] + "def " + text[at[4]:at[5]] + ":\n" + indented(inner) + ";\n" + text[at[1]:]
	}
}

func indented(text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = "  " + line
		}
	}
	return strings.Join(lines, "\n") + "\n"
}
