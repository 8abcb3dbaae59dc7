package connect

import (
	"encoding/json"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"planetag/pipeline"
)

// connectorOf is the configuration in a file, as Connect takes it.
func connectorOf(t *testing.T, name string) map[string]string {
	t.Helper()
	dec := json.NewDecoder(strings.NewReader(read(t, name)))
	dec.DisallowUnknownFields()
	var c struct {
		Name   string
		Config map[string]string
	}
	if err := dec.Decode(&c); err != nil || c.Name == "" || dec.More() {
		t.Fatalf("%s is no connector: %q, %v", name, c.Name, err)
	}
	return c.Config
}

var (
	setting = regexp.MustCompile(`(?m)^([a-z.]+)=(.*)$`)
	fromEnv = regexp.MustCompile(`\$\{env:([A-Z_]+)\}`)
)

// TestTheConnectorsNameWhatThereIs compares the configurations with the table, the preset, the worker's settings and the defaults of planetag.
func TestTheConnectorsNameWhatThereIs(t *testing.T) {
	worker := make(map[string]string)
	for _, m := range setting.FindAllStringSubmatch(read(t, "worker.properties"), -1) {
		worker[m[1]] = m[2]
	}
	allowed := regexp.MustCompile(worker["config.providers.env.param.allowlist.pattern"])
	for _, name := range []string{"postgis.json", "opensearch.json"} {
		c := connectorOf(t, name)
		if c["topics"] != pipeline.DefaultConfig().Topics.Locations || c["consumer.override.isolation.level"] != "read_committed" || worker["consumer.isolation.level"] != "read_committed" {
			t.Errorf("%s reads %q with %q", name, c["topics"], c["consumer.override.isolation.level"])
		}
		for _, transform := range strings.Split(c["transforms"], ",") {
			if !strings.HasPrefix(c["transforms."+transform+".type"], "org.apache.kafka.connect.transforms.") {
				t.Errorf("%s: the transform %q is not described", name, transform)
			}
		}
		for _, key := range slices.Sorted(maps.Keys(c)) {
			from := fromEnv.FindStringSubmatch(c[key])
			if secret := strings.HasPrefix(key, "connection."); secret != (from != nil) || secret && !allowed.MatchString(from[1]) {
				t.Errorf("%s: %s is %q, which the worker's environment does not give", name, key, c[key])
			}
		}
	}
	sql, c := read(t, "table.sql"), connectorOf(t, "postgis.json")
	for key, needs := range map[string]string{
		"collection.name.format": "CREATE TABLE IF NOT EXISTS %s (\n", "transforms.key.field": "  %s      text PRIMARY KEY", "primary.key.fields": "  %s      text PRIMARY KEY",
		"transforms.record.partition.field": "  %s integer NOT NULL", "transforms.record.offset.field": "  %s bigint NOT NULL",
	} {
		if want := strings.ReplaceAll(needs, "%s", c[key]); c[key] == "" || !strings.Contains(sql, want) {
			t.Errorf("table.sql lacks %q, which %s needs", want, key)
		}
	}
	if c["use.reduction.buffer"] != "false" || c["delete.enabled"] != "true" || c["value.converter.schemas.enable"] != "true" {
		t.Errorf("postgis.json: %v", c)
	}
}

// TestTheSearchIndexFitsWhatAivensSinkWrites: it writes locations as they are, so the index of deploy/search must know each field by its name.
func TestTheSearchIndexFitsWhatAivensSinkWrites(t *testing.T) {
	var design struct {
		Mappings struct {
			Dynamic    bool
			Properties map[string]struct{ Type string }
		}
	}
	if err := json.Unmarshal([]byte(read(t, "../search/opensearch/index.json")), &design); err != nil {
		t.Fatal(err)
	}
	rec, err := location("1.jpg", step{what: "album", revision: 1}).Record(topic, nil)
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(rec.Value, &fields); err != nil {
		t.Fatal(err)
	}
	for name := range fields {
		if _, known := design.Mappings.Properties[name]; !known && name != "photo_only" && name != "candidates" {
			t.Errorf("the index does not know %s", name)
		}
	}
	if of := design.Mappings.Properties["location"].Type; of != "geo_point" || design.Mappings.Dynamic {
		t.Errorf("location is %q, dynamic is %t", of, design.Mappings.Dynamic)
	}
}
