package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/twmb/avro"
)

// TestFieldsAreOnlyEverAdded holds today's schemas against every released form: readers of an old one read what is published today, and readers of today's
// what was published then.
func TestFieldsAreOnlyEverAdded(t *testing.T) {
	released, err := filepath.Glob(filepath.Join("released", "*"))
	if err != nil || len(released) == 0 {
		t.Fatalf("no released form: %v", err)
	}
	for _, dir := range released {
		for _, breach := range breachesOfAvro(avroSchema(t, filepath.Join(dir, "location.avsc")), avroSchema(t, "location.avsc")) {
			t.Errorf("location.avsc breaks readers of %s: %s", dir, breach)
		}
		for _, breach := range breachesOfJSON(jsonSchema(t, filepath.Join(dir, "location.schema.json")), jsonSchema(t, "location.schema.json")) {
			t.Errorf("location.schema.json breaks readers of %s: %s", dir, breach)
		}
		of := records(t, filepath.Join(dir, "location_*.json"))
		today := records(t, filepath.Join("..", "..", "pipeline", "testdata", "location_*.golden.json"))
		for _, breach := range slices.Concat(refused(t, "location.schema.json", of), refused(t, filepath.Join(dir, "location.schema.json"), today)) {
			t.Error(breach)
		}
	}
}

// refused are the records that the schema in a file does not allow.
func refused(t *testing.T, schema string, records map[string][]byte) (breaches []string) {
	t.Helper()
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	compiled, err := compiler.Compile(schema)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range records {
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if err := compiled.Validate(value); err != nil {
			breaches = append(breaches, fmt.Sprintf("%s refuses %s: %v", schema, name, err))
		}
	}
	return breaches
}

// breachesOfAvro are what readers of the old schema, or of what was written with it, would miss.
func breachesOfAvro(before, after *avro.Schema) (breaches []string) {
	if err := avro.CheckCompatibility(before, after); err != nil {
		breaches = append(breaches, "what was written before cannot be read: "+err.Error())
	}
	if err := avro.CheckCompatibility(after, before); err != nil {
		breaches = append(breaches, "what is written now cannot be read by who knows the old schema: "+err.Error())
	}
	was, is := make(map[string]string), make(map[string]string)
	old, now := before.Root(), after.Root()
	flatten("", old.ExpandReferences(), was)
	flatten("", now.ExpandReferences(), is)
	for _, field := range slices.Sorted(maps.Keys(was)) {
		if is[field] != was[field] {
			breaches = append(breaches, fmt.Sprintf("field %s was %s and is %q", field, was[field], is[field]))
		}
	}
	return breaches
}

// flatten lists the fields of a record, and of those within, with their types.
func flatten(path string, n *avro.SchemaNode, types map[string]string) string {
	switch n.Type {
	case "record":
		for i := range n.Fields {
			f := &n.Fields[i]
			name := strings.TrimPrefix(path+"."+f.Name, ".")
			types[name] = flatten(name, &f.Type, types)
			if f.HasDefault {
				types[name] += fmt.Sprintf(" with default %v", f.Default)
			}
		}
		return "record " + n.Name
	case "array":
		return "array of " + flatten(path, n.Items, types)
	case "union":
		var branches []string
		for i := range n.Branches {
			branches = append(branches, flatten(path, &n.Branches[i], types))
		}
		return strings.Join(branches, " or ")
	}
	return strings.TrimSpace(n.Type + " " + n.LogicalType)
}

// breachesOfJSON are what readers who build on the old schema would miss: fields, their types, and that they are there.
func breachesOfJSON(before, after *node) []string {
	return compared("", before, after, before, after)
}

func compared(path string, before, after, oldRoot, newRoot *node) (breaches []string) {
	before, after = before.resolved(oldRoot), after.resolved(newRoot)
	if before.Type != after.Type {
		breaches = append(breaches, fmt.Sprintf("%q was %s and is %s", path, before.Type, after.Type))
	}
	if !slices.Equal(slices.Sorted(slices.Values(before.Required)), slices.Sorted(slices.Values(after.Required))) {
		breaches = append(breaches, fmt.Sprintf("%q required %v and requires %v", path, before.Required, after.Required))
	}
	if gone := slices.ContainsFunc(before.Enum, func(v any) bool { return !slices.Contains(after.Enum, v) }); gone || len(before.Enum) == 0 && len(after.Enum) > 0 {
		breaches = append(breaches, fmt.Sprintf("%q could be %v and can be %v", path, before.Enum, after.Enum))
	}
	for _, name := range slices.Sorted(maps.Keys(before.Properties)) {
		inner := strings.TrimPrefix(path+"."+name, ".")
		if after.Properties[name] == nil {
			breaches = append(breaches, fmt.Sprintf("%q is gone", inner))
			continue
		}
		breaches = append(breaches, compared(inner, before.Properties[name], after.Properties[name], oldRoot, newRoot)...)
	}
	switch {
	case before.Items != nil && after.Items == nil:
		breaches = append(breaches, fmt.Sprintf("%q says no more what is in it", path))
	case before.Items != nil:
		breaches = append(breaches, compared(path, before.Items, after.Items, oldRoot, newRoot)...)
	}
	return breaches
}

// TestABreachIsSeen changes today's schemas as nobody must, and as anybody may.
func TestABreachIsSeen(t *testing.T) {
	for _, row := range []struct{ name, file, old, new, breach string }{
		{"a field is renamed", "location.avsc", `"name": "radius_p90_m"`, `"name": "radius_95"`, "field radius_p90_m"},
		{"a field within is renamed", "location.avsc", `"name": "moved_m"`, `"name": "moved"`, "field album.moved_m"},
		{"a type is changed", "location.avsc", `"logicalType": "timestamp-millis"`, `"logicalType": "timestamp-micros"`, "field taken_at was null or long timestamp-millis"},
		{"what may be missing must be there", "location.avsc", "\"null\",\n        \"long\"\n      ],\n      \"default\": null", "\"long\"\n      ]", "field radius_p50_m"},
		{"a field is added without a default", "location.avsc", `"fields": [`, `"fields": [{"name": "added", "type": "string"},`, "what was written before cannot be read"},
		{"a field is added", "location.avsc", `"fields": [`, `"fields": [{"name": "added", "type": ["null", "string"], "default": null},`, ""},
		{"a field is renamed", "location.schema.json", `"moved_m":`, `"moved":`, `"album.moved_m" is gone`},
		{"a type is changed", "location.schema.json", `"revision": {"type": "integer"`, `"revision": {"type": "string"`, `"revision" was integer`},
		{"a field is required", "location.schema.json", `"source", "time"]`, `"source", "time", "cell"]`, "requires"},
		{"a field is no longer promised", "location.schema.json", `"status", "stage", "revision", "source"`, `"status", "stage", "source"`, "requires"},
		{"a status is gone", "location.schema.json", `"given", "opted_out"]`, `"given"]`, `"status" could be`},
		{"what is referred to changes", "location.schema.json", `"point": {`, `"point": {"type": "string"}, "old": {`, `"location" was object`},
		{"a field is added", "location.schema.json", `"cell": {"$ref"`, `"added": {"type": "string"}, "cell": {"$ref"`, ""},
	} {
		text := string(read(t, row.file))
		changed := strings.Replace(text, row.old, row.new, 1)
		if changed == text {
			t.Errorf("%s, %s: %q is not there", row.file, row.name, row.old)
		}
		var breaches []string
		if strings.HasSuffix(row.file, ".avsc") {
			after, err := avro.Parse(changed)
			if err != nil {
				t.Fatalf("%s: %v", row.name, err)
			}
			breaches = breachesOfAvro(avroSchema(t, row.file), after)
		} else {
			var after node
			if err := json.Unmarshal([]byte(changed), &after); err != nil {
				t.Fatal(err)
			}
			breaches = breachesOfJSON(jsonSchema(t, row.file), &after)
		}
		if said := strings.Join(breaches, "\n"); row.breach == "" && said != "" || !strings.Contains(said, row.breach) {
			t.Errorf("%s, %s: %q, want %q", row.file, row.name, said, row.breach)
		}
	}
}
