package pipeline

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestSchemaIsCurrent makes the schema of what the configuration is, and compares it with the two copies that are shipped: the binary's and the editors'.
// PLANETAG_UPDATE_GOLDEN=1 writes them anew.
func TestSchemaIsCurrent(t *testing.T) {
	example, err := os.ReadFile(filepath.Join("..", "deploy", "planetag.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	root := sectionSchema(t, reflect.ValueOf(DefaultConfig()), "", comments(string(example)))
	root["$schema"], root["$id"], root["title"] = "https://json-schema.org/draft/2020-12/schema", "config.schema.json", "The configuration of planetag"
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(root); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"config.schema.json", filepath.Join("..", "deploy", "schema", "config.schema.json")} {
		if os.Getenv("PLANETAG_UPDATE_GOLDEN") == "1" {
			if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want.Bytes()) {
			t.Errorf("%s is not current; run `make generate`", path)
		}
	}
}

// sectionSchema describes a section of the configuration by its defaults.
func sectionSchema(t *testing.T, v reflect.Value, section string, comments map[string]string) map[string]any {
	t.Helper()
	properties := make(map[string]any)
	for i := range v.NumField() {
		name := v.Type().Field(i).Tag.Get("yaml")
		key := section + name
		var s map[string]any
		if v.Field(i).Kind() == reflect.Struct {
			s = sectionSchema(t, v.Field(i), key+".", comments)
		} else {
			s = valueSchema(t, key, v.Field(i).Interface())
		}
		if text := comments[key]; text != "" {
			s["description"] = text
		}
		properties[name] = s
	}
	for _, r := range renamings() {
		if parent, old, _ := strings.Cut(r.old, "."); parent+"." == section {
			properties[old] = map[string]any{"deprecated": true, "description": "Is called " + r.now + " now."}
		}
	}
	return map[string]any{"type": []string{"object", "null"}, "additionalProperties": false, "properties": properties}
}

func valueSchema(t *testing.T, key string, standard any) map[string]any {
	t.Helper()
	s := map[string]any{"default": standard}
	switch standard.(type) {
	case bool:
		s["type"] = []string{"boolean", "null"}
	case int:
		s["type"] = []string{"integer", "null"}
	case Duration:
		s["type"], s["pattern"] = []string{"string", "null"}, `^[0-9.]+(ns|us|µs|ms|s|m|h)([0-9.]+(ns|us|µs|ms|s|m|h))*$`
	case Bytes:
		s["type"], s["pattern"] = []string{"string", "integer", "null"}, `^[0-9.]+ *([KMGT]iB|[kMGT]B|B)?$`
	case []string:
		items := map[string]any{"type": "string"}
		if values := allowed(key); len(values) > 0 {
			items["enum"] = values
		}
		s["type"], s["items"] = []string{"array", "null"}, items
	default:
		s["type"] = []string{"string", "null"}
		if values := allowed(key); len(values) > 0 {
			s["enum"] = append(values, nil)
		}
	}
	return s
}

// allowed is what Validate says that a key can be.
func allowed(key string) []any {
	c := DefaultConfig()
	switch v := leaves(reflect.ValueOf(&c).Elem(), "")[key]; v.Kind() {
	case reflect.String:
		v.SetString("no such value")
	default:
		v.Set(reflect.ValueOf([]string{"no such value"}))
	}
	err := c.Validate()
	if err == nil {
		return nil
	}
	found := regexp.MustCompile(regexp.QuoteMeta(key) + ` is "no such value"; it can be (.*)`).FindStringSubmatch(err.Error())
	if found == nil {
		return nil
	}
	var values []any
	for word := range strings.SplitSeq(found[1], ", ") {
		if word == "empty" {
			word = ""
		}
		values = append(values, word)
	}
	return values
}

// comments are what the example says above each key, without the name of the variable.
func comments(example string) map[string]string {
	found := make(map[string]string)
	var above []string
	section := make(map[int]string)
	for line := range strings.Lines(example) {
		text := strings.TrimSpace(line)
		indent := len(line) - len(strings.TrimLeft(line, " "))
		switch {
		case text == "":
			above = nil
		case strings.HasPrefix(text, "#"):
			above = append(above, strings.TrimSpace(strings.TrimPrefix(text, "#")))
		default:
			name, _, _ := strings.Cut(text, ":")
			key := name
			if indent > 0 {
				key = section[indent-2] + "." + name
			}
			section[indent] = key
			about := regexp.MustCompile(`\s*PLANETAG_[A-Z0-9_]+$`).ReplaceAllString(strings.Join(above, " "), "")
			found[key] = strings.TrimSpace(about)
			above = nil
		}
	}
	return found
}

// compiled is the schema, ready to judge.
func compiled(t *testing.T) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("config.schema.json", doc); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("config.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestTheSchemaJudgesAsTheWorkerDoes: what the one refuses of these files, the other refuses too.
func TestTheSchemaJudgesAsTheWorkerDoes(t *testing.T) {
	schema := compiled(t)
	example, err := os.ReadFile(filepath.Join("..", "deploy", "planetag.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, row := range map[string]struct {
		text  string
		taken bool
	}{
		"the example":           {string(example), true},
		"a key without a value": {"kafka:\n  brokers:\n", true},
		"a renamed key":         {"s3: {parallel: 7}\n", true},
		"a bare size":           {"memory: {budget: 134217728}\n", true},
		"two units":             {"albums: {idle: 1m30s}\n", true},
		"a misspelt key":        {"albums: {idel: 5s}\n", false},
		"a time without unit":   {"albums: {idle: 5}\n", false},
		"a size in words":       {"memory: {budget: plenty}\n", false},
		"a word not of the few": {"kafka: {delivery: perhaps}\n", false},
		"a list's wrong word":   {"stages: [videos]\n", false},
		"a number in words":     {"batch: {max_size: many}\n", false},
	} {
		var value any
		if err := yaml.Unmarshal([]byte(row.text), &value); err != nil {
			t.Fatal(name, err)
		}
		plain, err := json.Marshal(value)
		if err != nil {
			t.Fatal(name, err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(plain))
		if err != nil {
			t.Fatal(name, err)
		}
		_, refused := load(t, row.text, nil)
		if said := schema.Validate(doc); (said == nil) != row.taken || (refused == nil) != row.taken {
			t.Errorf("%s: the schema says %v, the worker %v", name, said, refused)
		}
	}
}
