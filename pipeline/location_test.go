package pipeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"planetag/consumer"
	"planetag/enrich"
)

func exampleInfo() enrich.Info {
	return enrich.Info{Name: "demo", Version: "1.2.0", SHA256: strings.Repeat("ab", 32), PrecisionCap: 12}
}

func exampleAnswer() enrich.Answer {
	return enrich.Answer{
		Lat: 41.890210123, Lon: 12.492231987, RadiusP50: 1800.2, RadiusP90: 21000, Confidence: 0.712345, Entropy: 1.234567,
		Cell: "132f6", Level: 8, Ancestors: []string{"13", "133", "132c", "132f"},
		Rollup:     enrich.Located{Token: "132c", Level: 5, P: 0.812345},
		Place:      enrich.Place{CountryCode: "IT", Country: "Italy", Region: "Lazio"},
		Candidates: []enrich.Located{{Token: "132f6", P: 0.412345, Lat: 41.890210123, Lon: 12.492231987}, {Token: "47e66", P: 0.1, Lat: -0.000001, Lon: 2}},
	}
}

// exampleLocations are the published forms, one for each that a reader can meet.
func exampleLocations() map[string]Location {
	e := exampleEmbedding()
	measured, ref, src, info := e.Reference, e.Reference, e.Source, exampleInfo()
	ref.Position = nil
	abstained := exampleAnswer()
	abstained.Abstained = true

	single := locationOf(ref, src, info, exampleAnswer())
	album, dated := locationOf(ref, src, info, exampleAnswer()), locationOf(ref, src, info, exampleAnswer())
	album.PhotoOnly = estimateOf(enrich.Answer{Lat: 43.7, Lon: 11.2, RadiusP90: 160000, Confidence: 0.22})
	album.Album = &AlbumPart{ID: "rome-2019", Mode: "lstm_repeat", Size: 14, Position: 3, MovedM: 231000.4}
	dated.PhotoOnly, dated.FromDiary = album.PhotoOnly, true
	anchored := locationOf(ref, src, info, exampleAnswer())
	anchored.PhotoOnly = album.PhotoOnly
	anchored.Album = albumPart(enrich.Reading{
		Fix: &enrich.Fix{}, Anchors: 3, Nearest: &enrich.NearestAnchor{Kind: "exif", Gap: 1234567 * time.Millisecond, Timed: true},
	}, AlbumPart{ID: "rome-2019", Mode: "average", Size: 14, Position: 4, MovedM: 231000.4})
	locations := map[string]Location{
		"estimated": single, "dated": dated, "album": album, "album_anchored": anchored,
		"abstained":       locationOf(ref, src, info, abstained),
		"given":           locationOf(measured, src, info, exampleAnswer()),
		"given_abstained": locationOf(measured, src, info, abstained),
		"opted_out":       {PhotoID: ref.PhotoID, Status: StatusOptedOut, Source: src},
	}
	for name, l := range locations {
		l.Stage, l.Revision, l.Time = StagePhoto, 3, time.Date(2026, 11, 23, 4, 0, 0, 123456789, time.UTC)
		if l.Album != nil {
			l.Stage = StageAlbum
		}
		locations[name] = l
	}
	return locations
}

// TestLocationsKeepTheirForm compares with what was published before, and refuses a golden file that lost a field: readers
// build on every one.
func TestLocationsKeepTheirForm(t *testing.T) {
	for name, l := range exampleLocations() {
		rec, err := l.Record("planetag.locations", nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, rec.Value, "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		golden(t, "location_"+name+".golden.json", pretty.Bytes())
	}
}

func TestLocationsNeverLoseAField(t *testing.T) {
	for status, fields := range map[string][]string{
		"estimated": {
			"photo_id", "status", "stage", "revision", "location", "radius_p50_m", "radius_p90_m", "confidence", "entropy", "cell",
			"s2_ancestors", "rollup", "place", "candidates", "model", "source", "taken_at", "time",
		},
		"dated":           {"location", "photo_only", "from_diary", "radius_p90_m"},
		"album":           {"location", "photo_only", "album", "radius_p90_m"},
		"album_anchored":  {"location", "photo_only", "album", "radius_p90_m"},
		"abstained":       {"photo_id", "status", "stage", "revision", "confidence", "entropy", "rollup", "candidates", "model", "source", "time"},
		"given":           {"photo_id", "status", "stage", "revision", "location", "given", "entropy", "candidates", "model", "source", "time"},
		"given_abstained": {"location", "given"},
		"opted_out":       {"photo_id", "status", "stage", "revision", "source", "time"},
	} {
		got := readGolden(t, status)
		for _, field := range fields {
			if _, ok := got[field]; !ok {
				t.Errorf("location_%s.golden.json has lost %q", status, field)
			}
		}
	}
}

func readGolden(t *testing.T, name string) map[string]any {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "location_"+name+".golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var fields map[string]any
	if err := json.Unmarshal(text, &fields); err != nil {
		t.Fatal(err)
	}
	return fields
}

// TestMeasuredAndPredictedNeverMix is the promise of Location.
func TestMeasuredAndPredictedNeverMix(t *testing.T) {
	for _, name := range []string{"given", "given_abstained", "abstained", "opted_out"} {
		for _, field := range []string{"radius_p50_m", "radius_p90_m", "cell", "s2_ancestors", "place"} {
			if _, ok := readGolden(t, name)[field]; ok {
				t.Errorf("%s has %s, which would be taken for the location's", name, field)
			}
		}
	}
	given := readGolden(t, "given")
	if point := given["location"].(map[string]any); point["lat"] != 41.8902 || point["lon"] != 12.4922 {
		t.Errorf("given location is %v, want the EXIF's", point)
	}
	if distance := given["given"].(map[string]any)["distance_m"]; distance != 3.0 {
		t.Errorf("the estimate is %v m off, want 3", distance)
	}
	for _, name := range []string{"abstained", "opted_out"} {
		if point, ok := readGolden(t, name)["location"]; ok {
			t.Errorf("%s has location %v", name, point)
		}
	}
}

func TestLocationsMeetTheSchema(t *testing.T) {
	compiler := jsonschema.NewCompiler()
	compiler.AssertFormat()
	schema, err := compiler.Compile(filepath.Join("..", "deploy", "schema", "location.schema.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, l := range exampleLocations() {
		rec, err := l.Record("planetag.locations", nil)
		if err != nil {
			t.Fatal(err)
		}
		check := func(change func(map[string]any)) error {
			value, err := jsonschema.UnmarshalJSON(bytes.NewReader(rec.Value))
			if err != nil {
				t.Fatal(err)
			}
			change(value.(map[string]any))
			return schema.Validate(value)
		}
		if err := check(func(map[string]any) {}); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := check(func(m map[string]any) { m["added_later"] = true }); err != nil {
			t.Errorf("%s: the schema forbids additions: %v", name, err)
		}
		for _, required := range []string{"photo_id", "status", "stage", "revision", "source", "time"} {
			if check(func(m map[string]any) { delete(m, required) }) == nil {
				t.Errorf("%s: the schema allows a location without %s", name, required)
			}
		}
		if name == "estimated" && check(func(m map[string]any) { delete(m, "radius_p90_m") }) == nil {
			t.Error("the schema allows an estimate without its radius")
		}
		if name == "abstained" && check(func(m map[string]any) { m["location"] = map[string]any{"lat": 1, "lon": 2} }) == nil {
			t.Error("the schema allows a location that was abstained from")
		}
	}
}

func TestLocationRecord(t *testing.T) {
	l := exampleLocations()["album"]
	headers := []consumer.Header{{Key: "traceparent", Value: []byte("00-…")}}
	rec, err := l.Record("planetag.locations", headers)
	if err != nil {
		t.Fatal(err)
	}
	if string(rec.Key) != l.PhotoID || rec.Partition != -1 || rec.Topic != "planetag.locations" || len(rec.Headers) != 1 {
		t.Errorf("record %+v", rec)
	}
	again, err := l.Record("planetag.locations", headers)
	if err != nil || !bytes.Equal(rec.Value, again.Value) {
		t.Errorf("equal locations give %q and %q", rec.Value, again.Value)
	}
	if l.Candidates[0].P != 0.412345 || *l.Confidence != 0.712345 || l.Album.MovedM != 231000.4 {
		t.Error("rendering rounded the location itself")
	}
	l.PhotoID = "images/<a>&b.jpg"
	if rec, err = l.Record("x", nil); err != nil || !bytes.Contains(rec.Value, []byte(`"images/<a>&b.jpg"`)) {
		t.Errorf("keys are escaped beyond need: %s, %v", rec.Value, err)
	}
}

func TestLocationRefusesToContradictItself(t *testing.T) {
	nan := math.NaN()
	for name, change := range map[string]func(*Location){
		"no photo id":                   func(l *Location) { l.PhotoID = "" },
		"no time":                       func(l *Location) { l.Time = time.Time{} },
		"a status of its own":           func(l *Location) { l.Status = "guessed" },
		"an estimate without location":  func(l *Location) { l.Location = nil },
		"an estimate without radius":    func(l *Location) { l.RadiusP90M = 0 },
		"an estimate that is given":     func(l *Location) { l.Given = &GivenPosition{} },
		"given without a position":      func(l *Location) { l.Status, l.RadiusP90M = StatusGiven, 0 },
		"abstained with a location":     func(l *Location) { l.Status = StatusAbstained },
		"a latitude that is NaN":        func(l *Location) { l.Location = &Point{Lat: nan} },
		"a longitude off the earth":     func(l *Location) { l.Location = &Point{Lon: 180.1} },
		"a confidence that is NaN":      func(l *Location) { l.Confidence = &nan },
		"an entropy that is infinite":   func(l *Location) { inf := math.Inf(1); l.Entropy = &inf },
		"a radius that is NaN":          func(l *Location) { l.RadiusP90M = metres(nan) },
		"a median radius that is NaN":   func(l *Location) { l.RadiusP50M = metres(nan) },
		"a candidate that is NaN":       func(l *Location) { l.Candidates = []CandidateCell{{P: nan}} },
		"a comparison without a radius": func(l *Location) { l.PhotoOnly.RadiusP90M = metres(nan) },
	} {
		l := exampleLocations()["album"]
		change(&l)
		if rec, err := l.Record("x", nil); !errors.Is(err, ErrLocation) {
			t.Errorf("%s: %s, %v", name, rec.Value, err)
		}
	}
}
