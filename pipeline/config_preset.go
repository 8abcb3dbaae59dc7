package pipeline

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
)

// Preset is a configuration to start from, for one kind of messages.
type Preset struct {
	Name  string
	About string // what the messages of the input topic are
	set   []presetValue
}

// presetValue is a key in the written form of its value. Keys that this version does not have are left out of the file.
type presetValue struct{ key, value string }

// Presets are all there are. What a preset sets beside the common keys stands in this one table.
func Presets() []Preset {
	return []Preset{
		{"plain", "each message is a reference of planetag's own form, see README.md", []presetValue{{"input.map", "plain"}}},
		{"s3-event", "each message is an event that an S3 store sends when an object is written or removed", []presetValue{{"input.map", "s3-event"}}},
		{"cloudevents", "each message is a CloudEvent, binary or structured, whose data is a reference", []presetValue{{"input.map", "cloudevents"}}},
		{"debezium", "each message is a change of a row that Debezium captured, whose columns are those of a reference", []presetValue{{"input.map", "debezium"}}},
	}
}

// FindPreset returns the preset of a name.
func FindPreset(name string) (Preset, bool) {
	all := Presets()
	i := slices.IndexFunc(all, func(p Preset) bool { return p.Name == name })
	if i < 0 {
		return Preset{}, false
	}
	return all[i], true
}

// startingKeys are those that are set first, in the order of the file.
func startingKeys() []string {
	return []string{
		"kafka.brokers", "kafka.group", "topics.input", "topics.locations", "topics.create", "topics.partitions", "topics.replication",
		"input.map", "s3.endpoint", "s3.access_key", "s3.secret_key_file", "s3.bucket",
		"albums.idle", "memory.budget", "http.listen",
	}
}

// File is the text of a configuration file: the keys that are set first, each with its comment, and nothing else.
func (p Preset) File() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# planetag, preset %s: %s.\n", p.Name, p.About)
	b.WriteString("# All other keys keep their defaults: `planetag config print` shows them. Before the first start: `planetag check --config THIS`.\n")
	section := ""
	for _, key := range startingKeys() {
		schema := keySchemaOf(key)
		if schema == nil {
			continue
		}
		parent, name, _ := strings.Cut(key, ".")
		if parent != section {
			fmt.Fprintf(&b, "\n%s:\n", parent)
			section = parent
		}
		if schema.Description != "" {
			fmt.Fprintf(&b, "  # %s\n", strings.Join(wrapped(schema.Description, 120), "\n  # "))
		}
		fmt.Fprintf(&b, "  %s: %s\n", name, p.value(key, schema.Default))
	}
	return b.String()
}

// value is what the preset sets a key to, or else its default.
func (p Preset) value(key string, standard any) string {
	for _, v := range p.set {
		if v.key == key {
			return v.value
		}
	}
	if n, is := standard.(json.Number); is {
		return n.String()
	}
	text, err := yaml.MarshalWithOptions(standard, yaml.Flow(true))
	if err != nil {
		return `""` // the default; no value of the schema leads here
	}
	return strings.TrimSpace(string(text))
}

// wrapped breaks a text into lines of at most so many bytes, between words.
func wrapped(text string, most int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > most {
			lines, line = append(lines, line), ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	return append(lines, line)
}
