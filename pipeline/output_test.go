package pipeline

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planetag/consumer"
	"planetag/pipeline/mapping"
)

func writer(t *testing.T, text string) *OutputWriter {
	t.Helper()
	cfg := DefaultConfig()
	cfg.Output.Map = text
	w, err := NewOutputWriter(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestNoPresetHidesThatAnEstimateIsOne is the promise of every record: what it is, how far off it may be, how it was made
// and by what, whatever its form.
func TestNoPresetHidesThatAnEstimateIsOne(t *testing.T) {
	all := kindsOfLocation()
	for _, l := range exampleLocations() {
		all = append(all, l)
	}
	for _, preset := range mapping.Presets(mapping.Output) {
		w := writer(t, preset)
		for _, l := range all {
			rec, err := w.Record(t.Context(), l, "locations", nil)
			if err != nil {
				t.Fatal(err)
			}
			if string(rec.Key) != l.PhotoID {
				t.Errorf("%s: the key is %q", preset, rec.Key)
			}
			var v any
			if err := json.Unmarshal(rec.Value, &v); err != nil {
				t.Fatal(err)
			}
			said := make(map[string]bool)
			leavesOf(v, said)
			must := map[string]any{"photo_id": l.PhotoID, "status": l.Status, "stage": l.Stage, "revision": l.Revision}
			if l.Model != nil {
				must["model"], must["sha256"], must["cap"] = l.Model.Bundle, l.Model.SHA256, l.Model.PrecisionCapLevel
			}
			if l.Status == StatusEstimated {
				must["p50"], must["p90"] = l.RadiusP50M, l.RadiusP90M
			}
			if l.Location != nil {
				must["lat"], must["lon"] = l.rounded().Location.Lat, l.rounded().Location.Lon
			}
			if l.Album != nil {
				must["mode"] = l.Album.Mode
			}
			if l.Given != nil {
				must["given"] = l.Given.Source
			}
			for what, value := range must {
				if !said[fmt.Sprint(value)] {
					t.Errorf("%s lost %s (%v) of a location that is %s: %s", preset, what, value, l.Status, rec.Value)
				}
			}
		}
	}
}

func leavesOf(v any, said map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for _, inner := range v {
			leavesOf(inner, said)
		}
	case []any:
		for _, inner := range v {
			leavesOf(inner, said)
		}
	case float64:
		said[fmt.Sprint(v)], said[fmt.Sprintf("%.0f", v)] = true, true
	default:
		said[fmt.Sprint(v)] = true
	}
}

func TestDefaultIsTheLocationAsItIs(t *testing.T) {
	w, text := writer(t, "default"), writer(t, ".")
	for name, l := range exampleLocations() {
		want, err := l.Record("locations", nil)
		if err != nil {
			t.Fatal(err)
		}
		got, err := w.Record(t.Context(), l, "locations", nil)
		if diff := cmp.Diff(want, got); diff != "" || err != nil || w.program != nil {
			t.Errorf("%s: %v %s", name, err, diff)
		}
		same, err := text.Record(t.Context(), l, "locations", nil)
		if err != nil || !jsonEqual(t, want.Value, same.Value) {
			t.Errorf("%s through the program .: %v %s", name, err, same.Value)
		}
	}
}

func jsonEqual(t *testing.T, a, b []byte) bool {
	t.Helper()
	var x, y any
	if json.Unmarshal(a, &x) != nil || json.Unmarshal(b, &y) != nil {
		t.Fatalf("no JSON: %s, %s", a, b)
	}
	return cmp.Equal(x, y)
}

func TestFormsOfLocations(t *testing.T) {
	estimated, abstained := kindsOfLocation()[0], kindsOfLocation()[3]
	for _, row := range []struct {
		preset string
		l      Location
		want   []string
	}{
		{"geojson", estimated, []string{`"geometry":{"coordinates":[12.49,41.89],"type":"Point"}`, `"type":"Feature"`, `"id":"images/rome/1.jpg"`}},
		{"geojson", abstained, []string{`"geometry":null`, `"status":"abstained"`}},
		{"flat", estimated, []string{`"lat":41.89,`, `"album_mode":"lstm"`, `"country_code":"IT"`, `"radius_p90_m":21000`}},
		{"flat", abstained, []string{`"lat":null,`, `"radius_p90_m":null`}},
		{"cloudevents", estimated, []string{`"specversion":"1.0"`, `"id":"images/rome/1.jpg#album.3"`, `"type":"planetag.location.estimated"`, `"data":{`}},
	} {
		rec, err := writer(t, row.preset).Record(t.Context(), row.l, "locations", []consumer.Header{{Key: "traceparent"}, {Key: "content-type"}})
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range row.want {
			if !strings.Contains(string(rec.Value), part) {
				t.Errorf("%s of %s lacks %s: %s", row.preset, row.l.Status, part, rec.Value)
			}
		}
		event := row.preset == "cloudevents"
		if got := header(rec.Headers, "content-type"); strings.HasPrefix(got, "application/cloudevents+json") != event || len(rec.Headers) != 2 {
			t.Errorf("%s: headers %v", row.preset, rec.Headers)
		}
	}
}

func header(headers []consumer.Header, name string) string {
	for _, h := range headers {
		if h.Key == name {
			return string(h.Value)
		}
	}
	return ""
}

// A mapping that works for most locations only would end the worker some day; it ends the start.
func TestOutputMappingsAreProvedBeforeTheyAreUsed(t *testing.T) {
	for program, says := range map[string]string{
		`select(.status == "estimated")`:           "has 0 outputs",
		`.location.lat | floor`:                    "with status abstained",
		`if .given then error("given") else . end`: "with status given",
		`.status, .stage`:                          "has 2 outputs",
		`.album.id | ascii_downcase | {album: .}`:  "status",
		`flta`: `output.map is "flta"; it can be default, flat, connect, geojson, cloudevents, a FILE.jq, or a program in jq`,
	} {
		cfg := DefaultConfig()
		cfg.Output.Map = program
		if _, err := NewOutputWriter(t.Context(), cfg); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want %q", program, err, says)
		}
	}
}
