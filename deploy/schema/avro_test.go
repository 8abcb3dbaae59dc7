package schema

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/avro"

	"planetag/pipeline"
)

// avroRecord and avroField are written in this order.
type avroRecord struct {
	Type      string      `json:"type"`
	Name      string      `json:"name"`
	Namespace string      `json:"namespace,omitempty"`
	Doc       string      `json:"doc,omitempty"`
	Fields    []avroField `json:"fields"`
}

type avroField struct {
	Name    string `json:"name"`
	Type    any    `json:"type"`
	Default any    `json:"default,omitempty"`
	Doc     string `json:"doc,omitempty"`
}

// node is a part of location.schema.json.
type node struct {
	Ref         string           `json:"$ref"`
	Type        string           `json:"type"`
	Description string           `json:"description"`
	Required    []string         `json:"required"`
	Enum        []any            `json:"enum"`
	Properties  map[string]*node `json:"properties"`
	Items       *node            `json:"items"`
	Defs        map[string]*node `json:"$defs"`
}

// resolved is the node with what it refers to filled in; its own description goes before.
func (n *node) resolved(root *node) *node {
	if n.Ref == "" {
		return n
	}
	to := *root.Defs[strings.TrimPrefix(n.Ref, "#/$defs/")]
	if n.Description != "" {
		to.Description = n.Description
	}
	return &to
}

// generator makes an Avro schema of a Go struct, with what location.schema.json says as documentation.
type generator struct {
	t     *testing.T
	root  *node
	named map[string]bool
}

func (g *generator) record(of reflect.Type, at *node, where string) any {
	if g.named[of.Name()] {
		return of.Name()
	}
	g.named[of.Name()] = true
	r := avroRecord{Type: "record", Name: of.Name(), Doc: at.Description}
	described := maps.Clone(at.Properties)
	for i := range of.NumField() {
		f := of.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		inner := at.Properties[name]
		if inner == nil {
			g.t.Fatalf("location.schema.json does not describe %s%s", where, name)
		}
		inner = inner.resolved(g.root)
		delete(described, name)
		field := avroField{Name: name, Type: g.of(f.Type, inner, where+name+"."), Doc: inner.Description}
		switch {
		case f.Type.Kind() == reflect.Slice:
			field.Default = []any{}
		case options != "": // omitempty or omitzero: absent where there is nothing
			field.Type, field.Default = []any{"null", field.Type}, json.RawMessage("null")
		}
		r.Fields = append(r.Fields, field)
	}
	for name := range described {
		g.t.Errorf("location.schema.json describes %s%s, which no location has", where, name)
	}
	return r
}

func (g *generator) of(kind reflect.Type, at *node, where string) any {
	switch {
	case kind == reflect.TypeFor[time.Time]():
		return map[string]string{"type": "long", "logicalType": "timestamp-millis"}
	case kind.Kind() == reflect.Pointer:
		return g.of(kind.Elem(), at, where)
	case kind.Kind() == reflect.Struct:
		return g.record(kind, at, where)
	case kind.Kind() == reflect.Slice:
		return map[string]any{"type": "array", "items": g.of(kind.Elem(), at.Items.resolved(g.root), where)}
	}
	name := map[reflect.Kind]string{
		reflect.String: "string", reflect.Int: "long", reflect.Int64: "long", reflect.Float64: "double", reflect.Bool: "boolean",
	}[kind.Kind()]
	if name == "" {
		g.t.Fatalf("%s is a %s, which has no word in Avro yet", where, kind)
	}
	return name
}

// TestAvroIsCurrent compares location.avsc with pipeline.Location; PLANETAG_UPDATE_GOLDEN=1 writes it anew.
func TestAvroIsCurrent(t *testing.T) {
	g := &generator{t: t, root: jsonSchema(t, "location.schema.json"), named: make(map[string]bool)}
	made := g.record(reflect.TypeFor[pipeline.Location](), g.root, "").(avroRecord)
	made.Namespace = "planetag"
	var want bytes.Buffer
	enc := json.NewEncoder(&want)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(made); err != nil {
		t.Fatal(err)
	}
	if os.Getenv("PLANETAG_UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile("location.avsc", want.Bytes(), 0o644); err != nil { //nolint:gosec // it is for everybody
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff(string(read(t, "location.avsc")), want.String()); diff != "" {
		t.Errorf("location.avsc is not what a location is; `make generate` writes it (-file +location):\n%s", diff)
	}
}

// TestLocationsPassThroughAvro encodes every kind of location and gets the same back, but for parts of a millisecond.
func TestLocationsPassThroughAvro(t *testing.T) {
	schema := avroSchema(t, "location.avsc")
	for name, text := range records(t, filepath.Join("..", "..", "pipeline", "testdata", "location_*.golden.json")) {
		var want map[string]any
		if err := json.Unmarshal(text, &want); err != nil {
			t.Fatal(err)
		}
		if taken, has := want["taken_at"].(string); has {
			at, err := time.Parse(time.RFC3339Nano, taken)
			if err != nil {
				t.Fatal(err)
			}
			want["taken_at"] = at.Truncate(time.Millisecond).Format(time.RFC3339Nano)
		}
		data, err := schema.Encode(want)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		var got any
		if rest, err := schema.Decode(data, &got); err != nil || len(rest) > 0 {
			t.Errorf("%s: %v, %d bytes are left", name, err, len(rest))
		}
		if diff := cmp.Diff(any(want), plain(got)); diff != "" {
			t.Errorf("%s (-JSON +Avro):\n%s", name, diff)
		}
	}
}

// plain is what was decoded, as JSON has it: without what is absent.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			if v[name] = plain(inner); v[name] == nil {
				delete(v, name)
			}
		}
		return v
	case []any:
		if len(v) == 0 {
			return nil
		}
		for i := range v {
			v[i] = plain(v[i])
		}
		return v
	case int64:
		return float64(v)
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return v
}

func jsonSchema(t *testing.T, name string) *node {
	t.Helper()
	var root node
	if err := json.Unmarshal(read(t, name), &root); err != nil {
		t.Fatal(err)
	}
	return &root
}

func avroSchema(t *testing.T, name string) *avro.Schema {
	t.Helper()
	schema, err := avro.Parse(string(read(t, name)))
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// records are files with a location each.
func records(t *testing.T, pattern string) map[string][]byte {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil || len(names) < 7 {
		t.Fatalf("%s: %v, %v", pattern, names, err)
	}
	found := make(map[string][]byte)
	for _, name := range slices.Sorted(slices.Values(names)) {
		found[name] = read(t, name)
	}
	return found
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
