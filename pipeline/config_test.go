package pipeline

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/google/go-cmp/cmp"
)

func noEnvironment(string) string { return "" }

// load reads text as a configuration file.
func load(t *testing.T, text string, environment map[string]string) (Config, error) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "planetag.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return LoadConfig(path, func(key string) string { return environment[key] })
}

func TestDefaultConfigIsValid(t *testing.T) {
	c, err := LoadConfig("", noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(DefaultConfig(), c); diff != "" {
		t.Errorf("no file and no environment differ from the defaults:\n%s", diff)
	}
}

// TestExampleFile holds deploy/planetag.yaml to its word: every key, with its default.
func TestExampleFile(t *testing.T) {
	path := filepath.Join("..", "deploy", "planetag.yaml")
	c, err := LoadConfig(path, noEnvironment)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(DefaultConfig(), c); diff != "" {
		t.Errorf("the example differs from the defaults:\n%s", diff)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for key := range leaves(reflect.ValueOf(c), "") {
		section := regexp.MustCompile(`(?m)^( *# [^\n]*\n)*[^\n]*` + variableOf(key) + `\n *` + regexp.QuoteMeta(lastWord(key)) + `: `)
		if !section.Match(text) {
			t.Errorf("%s is not documented: no line %s: under a comment that ends with %s", key, lastWord(key), variableOf(key))
		}
	}
}

// leaves are the keys that hold values, by their full names.
func leaves(v reflect.Value, section string) map[string]reflect.Value {
	found := make(map[string]reflect.Value)
	for i := range v.NumField() {
		field := v.Type().Field(i)
		key := section + field.Tag.Get("yaml")
		if field.Type.Kind() != reflect.Struct {
			found[key] = v.Field(i)
			continue
		}
		for inner, value := range leaves(v.Field(i), key+".") {
			found[inner] = value
		}
	}
	return found
}

// TestEveryKeyHasItsVariable sets each key by its environment variable, to a value that is not its default, and nothing
// else may change.
func TestEveryKeyHasItsVariable(t *testing.T) {
	defaults := leaves(reflect.ValueOf(DefaultConfig()), "")
	for key, was := range defaults {
		value := "x1"
		switch was.Interface().(type) {
		case bool:
			value = map[bool]string{true: "false", false: "true"}[was.Bool()]
		case int:
			value = "27"
		case Duration:
			value = "1m17s"
		case Bytes:
			value = "77MiB"
		case []string:
			value = "x1, x2"
		}
		c := DefaultConfig()
		err := c.readEnvironment(func(name string) string { return map[string]string{variableOf(key): value}[name] })
		if err != nil {
			t.Errorf("%s=%s: %v", variableOf(key), value, err)
		}
		for other, now := range leaves(reflect.ValueOf(c), "") {
			changed := !reflect.DeepEqual(now.Interface(), defaults[other].Interface())
			if changed != (other == key) {
				t.Errorf("%s=%s: %s is %v, was %v", variableOf(key), value, other, now, defaults[other])
			}
		}
	}
	params, err := env.GetFieldParamsWithOptions(new(Config), env.Options{Prefix: envPrefix})
	if err != nil || len(params) != len(defaults) {
		t.Errorf("%d variables for %d keys, %v", len(params), len(defaults), err)
	}
}

func TestTheEnvironmentWinsOverTheFile(t *testing.T) {
	c, err := load(t, "kafka:\n  brokers: [one:9092]\n  group: file\nmemory: {budget: 1.5GiB}\nalbums: {idle: 5s}\n", map[string]string{
		"PLANETAG_KAFKA_BROKERS": "two:9092, three:9092", "PLANETAG_ALBUMS_IDLE": "7s", "PLANETAG_TOPICS_CREATE": "false",
	})
	if err != nil {
		t.Fatal(err)
	}
	want := DefaultConfig()
	want.Kafka.Brokers, want.Kafka.Group = []string{"two:9092", "three:9092"}, "file"
	want.Memory.Budget, want.Albums.Idle, want.Topics.Create = 1536<<20, Duration(7*time.Second), false
	if diff := cmp.Diff(want, c); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestEmptySectionsMeanTheDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "kafka:\ns3:\n  # endpoint: https://s3.example.org\nstages:\n", "---\n", "{}", "http:\n  listen:\nkafka: {tls: ~, group: null}\nmemory:\n  budget:\n"} {
		c, err := load(t, text, nil)
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if diff := cmp.Diff(DefaultConfig(), c); diff != "" {
			t.Errorf("%q (-default +got):\n%s", text, diff)
		}
	}
}

func TestLoadConfigShowsWhereAndHow(t *testing.T) {
	for _, row := range []struct {
		name, text string
		says       []string
	}{
		{"a misspelt key", "kafka:\n  gruop: geo\n", []string{"planetag.yaml:2:3: unknown key \"kafka.gruop\", did you mean \"kafka.group\"?", ">  2 |   gruop: ********"}},
		{"a misspelt section", "kafak:\n  group: geo\n", []string{"planetag.yaml:1:1: ", "\"kafak\"", "\"kafka\""}},
		{"the right key in the wrong section", "kafka:\n  max_photos: 5\n", []string{"\"albums.max_photos\""}},
		{"two at once", "s3:\n  buckets: x\nlogs: {}\n", []string{"\"s3.bucket\"", "planetag.yaml:3:1: ", "\"log\""}},
		{"deeper", "kafka:\n  tls:\n    cafile: x\n", []string{":3:5: ", "\"kafka.tls.ca_file\""}},
		{"a key that is given twice", "http:\n  listen: a\n  listen: b\n", []string{":3:3: ", "\"listen\" already defined"}},
		{"a duration without a unit", "albums:\n  idle: 30\n", []string{":2:9: ", "\"30\" is not a duration; write a number with its unit", ">  2 |   idle: 30"}},
		{"a size that is none", "memory:\n  budget: plenty\n", []string{":2:11: ", "\"plenty\" is not a number of bytes"}},
		{"a number that is none", "batch:\n  max_size: many\n", []string{":2:13: ", "many"}},
		{"a list where a section belongs", "kafka: [localhost:9092]\n", []string{":1:"}},
		{"a second document", "log: {level: info}\n---\nlog: {level: warn}\n", []string{"second"}},
		{"no YAML at all", "kafka: [\n", []string{":1:"}},
		{"a value that no sense can be made of", "log:\n  level: loud\n", []string{"log.level is \"loud\"; it can be debug, info, warn, error"}},
	} {
		_, err := load(t, row.text, nil)
		if !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v, want ErrConfig", row.name, err)
			continue
		}
		for _, says := range row.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v\nwant it to say %q", row.name, err, says)
			}
		}
	}
	if _, err := LoadConfig("/nowhere/planetag.yaml", noEnvironment); !errors.Is(err, ErrConfig) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	_, err := LoadConfig("", func(key string) string {
		return map[string]string{"PLANETAG_MEMORY_BUDGET": "plenty", "PLANETAG_BATCH_RUNNERS": "x"}[key]
	})
	for _, says := range []string{"PLANETAG_MEMORY_BUDGET: \"plenty\" is not", "PLANETAG_BATCH_RUNNERS: "} {
		if !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), says) {
			t.Errorf("%v, want it to say %q", err, says)
		}
	}
}

func TestPrintHidesSecretsAndIsReadAgain(t *testing.T) {
	c := DefaultConfig()
	c.Kafka.SASL = SASLConfig{Mechanism: "plain", Username: "u", Password: "hush-1"}
	c.S3.AccessKey, c.S3.SecretKey, c.S3.SecretKeyFile = "a", "hush-2", ""
	var out bytes.Buffer
	if err := (Loaded{Config: c}).Print(&out); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); strings.Contains(text, "hush") || strings.Count(text, "'********'")+strings.Count(text, `"********"`) != 2 {
		t.Errorf("printed:\n%s", text)
	}
	again, err := load(t, out.String(), nil)
	if err != nil {
		t.Fatal(err)
	}
	again.Kafka.SASL.Password, again.S3.SecretKey = c.Kafka.SASL.Password, c.S3.SecretKey
	if diff := cmp.Diff(c, again); diff != "" {
		t.Errorf("what was printed reads differently:\n%s", diff)
	}
}
