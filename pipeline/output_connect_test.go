package pipeline

import (
	"encoding/json"
	"math"
	"testing"
	"time"
)

// TestConnectFindsWhatTheSchemaPromises reads every kind of location as Kafka Connect's JsonConverter does, which takes 1.5 for the integer 1 and loses what its
// schema does not name.
func TestConnectFindsWhatTheSchemaPromises(t *testing.T) {
	w := writer(t, "connect")
	all := kindsOfLocation()
	for _, l := range exampleLocations() {
		all = append(all, l)
	}
	for _, l := range all {
		rec, err := w.Record(t.Context(), l, "locations", nil)
		if err != nil {
			t.Fatal(err)
		}
		var v struct {
			Schema struct {
				Type   string
				Fields []struct {
					Field, Type, Name string
					Optional          bool
				}
			}
			Payload map[string]any
		}
		if err := json.Unmarshal(rec.Value, &v); err != nil || v.Schema.Type != "struct" {
			t.Fatalf("%v: %s", err, rec.Value)
		}
		for _, f := range v.Schema.Fields {
			value, has := v.Payload[f.Field]
			if !has || value == nil && !f.Optional || value != nil && !fits(f.Type, f.Name, value) {
				t.Errorf("%s of %s is %v, and must be a %s %s", f.Field, l.Status, value, f.Type, f.Name)
			}
			delete(v.Payload, f.Field)
		}
		if len(v.Payload) > 0 {
			t.Errorf("Connect would lose %v", v.Payload)
		}
	}
}

func fits(kind, name string, value any) bool {
	switch value := value.(type) {
	case string:
		_, err := time.Parse(time.RFC3339Nano, value)
		return kind == "string" && (err == nil) == (name == "io.debezium.time.ZonedTimestamp")
	case bool:
		return kind == "boolean"
	case float64:
		whole := value == math.Trunc(value) && math.Abs(value) < 1<<53
		return kind == "double" || kind == "int64" && whole || kind == "int32" && whole && math.Abs(value) < 1<<31
	}
	return false
}
