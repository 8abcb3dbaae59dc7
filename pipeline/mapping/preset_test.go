package mapping

import (
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"planetag/consumer"
)

// fixture is a record as a store, a connector or a framework writes it; source says who says so.
type fixture struct {
	Name, Source string
	Key          *string
	Headers      map[string]string
	Value        json.RawMessage
	Want         []any
	Error        string
	Auto         []any // of the preset auto, where it differs
}

func (f fixture) record() consumer.Record {
	rec := consumer.Record{Topic: "events", Value: f.Value, Time: time.Date(2026, 11, 26, 8, 0, 0, 0, time.UTC)}
	if string(f.Value) == "null" {
		rec.Value = nil
	}
	if f.Key != nil {
		rec.Key = []byte(*f.Key)
	}
	for name, value := range f.Headers {
		rec.Headers = append(rec.Headers, consumer.Header{Key: name, Value: []byte(value)})
	}
	return rec
}

func fixtures(t testing.TB, preset string) []fixture {
	t.Helper()
	text, err := os.ReadFile("testdata/" + preset + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var list []fixture
	if err := json.Unmarshal(text, &list); err != nil {
		t.Fatal(err)
	}
	for _, f := range list {
		if f.Name == "" || f.Source == "" {
			t.Fatalf("a fixture of %s has no name or no source: %+v", preset, f)
		}
	}
	return list
}

func compiled(t testing.TB, d Direction, preset string) *Program {
	t.Helper()
	source, err := Show(d, preset)
	if err != nil {
		t.Fatal(err)
	}
	p, err := Compile(preset, source)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// mapped runs a program on a record; fields that are null are left out, as they count as absent.
func mapped(t testing.TB, p *Program, rec consumer.Record) ([]any, error) {
	t.Helper()
	value, err := Decode(rec.Value)
	if err != nil {
		return nil, err
	}
	outputs, err := p.Run(t.Context(), value, VariablesOf(rec))
	list := make([]any, 0, len(outputs))
	for _, output := range outputs {
		text, err := Encode(output)
		if err != nil {
			t.Fatal(err)
		}
		var plain any
		if err := json.Unmarshal(text, &plain); err != nil {
			t.Fatal(err)
		}
		if fields, ok := plain.(map[string]any); ok {
			for name, field := range fields {
				if field == nil {
					delete(fields, name)
				}
			}
		}
		list = append(list, plain)
	}
	return list, err
}

func TestPresetsUnderstandWhatIsOutThere(t *testing.T) {
	for _, preset := range []string{"s3-event", "cloudevents", "debezium"} {
		p, auto := compiled(t, Input, preset), compiled(t, Input, "auto")
		for _, f := range fixtures(t, preset) {
			check(t, p, f, f.Want, f.Error)
			if f.Auto != nil {
				check(t, auto, f, f.Auto, "")
			} else {
				check(t, auto, f, f.Want, f.Error)
			}
		}
	}
}

func check(t *testing.T, p *Program, f fixture, want []any, says string) {
	t.Helper()
	got, err := mapped(t, p, f.record())
	switch {
	case says != "":
		if !errors.Is(err, ErrMap) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %s: %v, %v; want the error %q", p.Name(), f.Name, got, err, says)
		}
	case err != nil:
		t.Errorf("%s: %s: %v", p.Name(), f.Name, err)
	default:
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s (-want +got):\n%s", p.Name(), f.Name, diff)
		}
	}
}

// What is shown is what is run, and needs nothing else.
func TestEveryPresetIsShownWhole(t *testing.T) {
	for _, d := range []Direction{Input, Output} {
		for _, preset := range Presets(d) {
			text, err := Show(d, preset)
			if err != nil || !strings.HasPrefix(text, "# ") || strings.Contains(text, "# include ") {
				t.Errorf("%s %s: %v\n%s", d, preset, err, text)
			}
			if _, err := Compile(preset, text); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := Show(Input, "s3-events"); !errors.Is(err, ErrProgram) || !strings.Contains(err.Error(), "plain, auto, s3-event") {
		t.Errorf("a preset that is not there: %v", err)
	}
}
