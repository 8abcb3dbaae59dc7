package pipeline

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestMappingsInTheConfiguration(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mine.jq")
	if err := os.WriteFile(file, []byte("# mine\n{key: .name}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"input:\n  map: auto\noutput:\n  map: flat\n",
		"input:\n  map: |\n    .Records[] # each\n    | {key: .name}\n",
		"input: {map: " + file + "}\n",
		"input: {map: .}\n",
	} {
		c, err := load(t, text, nil)
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if _, err := NewInputReader(c); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestMappingsThatAreWrongAreNamed(t *testing.T) {
	for text, says := range map[string]string{
		"input: {map: s3-evnt}\n":                                `input.map is "s3-evnt"; it can be plain, auto, s3-event, cloudevents, debezium, a FILE.jq, or a program in jq`,
		"input:\n  map: |\n    .a\n    | selct(.b)\n":            "input.map: bad mapping: input.map: function not defined: selct/1",
		"input:\n  map: |\n    .a\n    | select(.b\n":            "bad mapping: input.map: 3:1: unexpected EOF",
		"output: {map: \" \"}\n":                                 "output.map: it is empty",
		"input: {registry: {url: \"reg:8081\"}}\n":               "input.registry.url is not an address",
		"input: {registry: {username: me}}\n":                    "input.registry.url is empty, but other keys",
		"input: {registry: {url: \"http://r\", username: me}}\n": "input.registry.username and password (or password_file) go together",
	} {
		if _, err := load(t, text, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", text, err, says)
		}
	}
	c, err := load(t, "input: {map: nowhere/mine.jq}\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewInputReader(c); !errors.Is(err, ErrConfig) || !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "input.map: open nowhere/mine.jq") {
		t.Errorf("a file that is not there: %v", err)
	}
	c = DefaultConfig()
	c.Input.Registry = RegistryConfig{URL: "https://r", CAFile: "nowhere.pem"}
	if _, err := NewInputReader(c); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "input.registry.ca_file: open nowhere.pem") {
		t.Errorf("an authority that is not there: %v", err)
	}
}
