package pipeline

import (
	"fmt"
	"io"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
)

// Loaded is a configuration and how it came about.
type Loaded struct {
	Config Config
	// Origins say where the values of keys come from: "planetag.yaml:12", or a variable. A key without has its default.
	Origins  map[string]string
	Warnings []string // of keys and variables with a name that is not theirs any more
}

// variableOf is the environment's name for a key.
func variableOf(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// trace notes the line of every key that node gives a value.
func (l *Loaded) trace(path string, node ast.Node, t reflect.Type, section string) {
	m, ok := node.(*ast.MappingNode)
	if !ok || t.Kind() != reflect.Struct {
		return
	}
	for _, v := range m.Values {
		token := v.Key.GetToken()
		field, known := fieldByKey(t, token.Value)
		if !known || v.Value.Type() == ast.NullType { // a key without a value means the default
			continue
		}
		key, at := section+token.Value, fmt.Sprintf("%s:%d", path, token.Position.Line)
		switch _, written := v.Value.(*ast.MappingNode); {
		case field.Type.Kind() != reflect.Struct:
			l.Origins[key] = at
		case written:
			l.trace(path, v.Value, field.Type, key+".")
		default: // a section that is another's alias
			for _, inner := range keysOf(field.Type, key+".") {
				l.Origins[inner] = at
			}
		}
	}
}

// Print writes the configuration as YAML that LoadConfig reads, with every secret masked, and behind each key where its
// value comes from.
func (l Loaded) Print(w io.Writer) error {
	comments := make(yaml.CommentMap)
	for _, key := range valueKeys(reflect.TypeFor[Config](), "") {
		origin := l.Origins[key]
		if origin == "" {
			origin = "default"
		}
		comment := yaml.LineComment(" " + origin)
		if v := valueOf(&l.Config, key); v.Kind() == reflect.Slice && v.Len() == 0 {
			comment = yaml.HeadComment(" " + origin) // behind an empty list the encoder would write it before the colon
		}
		comments["$."+key] = []*yaml.Comment{comment}
	}
	text, err := yaml.MarshalWithOptions(l.Config, yaml.WithComment(comments))
	if err != nil {
		return fmt.Errorf("render configuration: %w", err)
	}
	_, err = w.Write(text)
	return err
}

// Setting is the value of a key and where it comes from.
type Setting struct {
	Value  any    `json:"value"` // as it is written in the file; a secret is masked
	Origin string `json:"origin"`
}

// Settings are all keys by their full names.
func (l Loaded) Settings() map[string]Setting {
	settings := make(map[string]Setting)
	for _, key := range valueKeys(reflect.TypeFor[Config](), "") {
		origin := l.Origins[key]
		if origin == "" {
			origin = "default"
		}
		settings[key] = Setting{valueOf(&l.Config, key).Interface(), origin}
	}
	return settings
}

// valueOf is the field of a key.
func valueOf(c *Config, key string) reflect.Value {
	v := reflect.ValueOf(c).Elem()
	for word := range strings.SplitSeq(key, ".") {
		field, _ := fieldByKey(v.Type(), word)
		v = v.FieldByIndex(field.Index)
	}
	return v
}

// valueKeys are the keys that hold values, not sections.
func valueKeys(t reflect.Type, section string) []string {
	var keys []string
	for i := range t.NumField() {
		field := t.Field(i)
		key := section + field.Tag.Get("yaml")
		if field.Type.Kind() == reflect.Struct {
			keys = append(keys, valueKeys(field.Type, key+".")...)
		} else {
			keys = append(keys, key)
		}
	}
	return keys
}
