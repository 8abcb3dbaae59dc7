package pipeline

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"strings"
)

// schemaText is made of Config, DefaultConfig, Validate and the comments of deploy/planetag.yaml, by a test.
//
//go:embed config.schema.json
var schemaText []byte

// Schema is the JSON Schema (2020-12) of the configuration file, for editors.
func Schema() []byte { return schemaText }

// keySchema is what the schema says of a key.
type keySchema struct {
	Description string                `json:"description"`
	Default     any                   `json:"default"`
	Enum        []any                 `json:"enum"`
	Items       *keySchema            `json:"items"`
	Properties  map[string]*keySchema `json:"properties"`
}

// keySchemaOf is nil where there is no such key.
func keySchemaOf(key string) *keySchema {
	s := new(keySchema)
	dec := json.NewDecoder(bytes.NewReader(schemaText))
	dec.UseNumber() // a count is no fraction
	if err := dec.Decode(s); err != nil {
		panic(err) // a test reads the same bytes
	}
	for word := range strings.SplitSeq(key, ".") {
		if s = s.Properties[word]; s == nil {
			return nil
		}
	}
	return s
}

// Choices are the values that a key can have, if they can be counted.
func Choices(key string) []string {
	s := keySchemaOf(key)
	if s == nil {
		return nil
	}
	if s.Items != nil {
		s = s.Items
	}
	var list []string
	for _, value := range s.Enum {
		if text, ok := value.(string); ok && text != "" {
			list = append(list, text)
		}
	}
	return list
}
