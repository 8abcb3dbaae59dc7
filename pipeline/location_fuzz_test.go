package pipeline

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzLocation reads any JSON as a location, as a reader of the topic does: what can be published is read back as the same bytes, and is on earth.
func FuzzLocation(f *testing.F) {
	paths, err := filepath.Glob("testdata/location_*.golden.json")
	if err != nil || len(paths) == 0 {
		f.Fatal("no golden locations", err)
	}
	for _, path := range paths {
		golden, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(golden)
	}
	for _, seed := range []string{
		`{"photo_id":"a","status":"abstained","time":"2026-01-01T00:00:00.123456789+14:00","entropy":-0.0,"confidence":1e-320}`,
		`{"photo_id":"\ud800","status":"opted_out","time":"9999-12-31T23:59:59-12:00"}`,
		`{"photo_id":"a","status":"given","location":{"lat":90.00000001,"lon":-180},"given":{"lat":90,"lon":-180},"time":"2026-01-01T00:00:00Z"}`,
		`{"photo_id":"a","status":"given","location":{"lat":91,"lon":181},"given":{"lat":91,"lon":181},"time":"2026-01-01T00:00:00Z"}`,
		`{"photo_id":"a","status":"estimated","radius_p50_m":1,"radius_p90_m":9223372036854775807,"location":{"lat":-89.9999999,"lon":179.9999999},"time":"2026-01-01T00:00:00Z"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var l, again Location
		if json.Unmarshal(text, &l) != nil {
			return
		}
		first, err := l.Record("t", nil)
		if err != nil {
			if !errors.Is(err, ErrLocation) {
				t.Fatalf("error %v is not ErrLocation", err)
			}
			return
		}
		if err := json.Unmarshal(first.Value, &again); err != nil {
			t.Fatalf("published %s: %v", first.Value, err)
		}
		if p := again.Location; p != nil && !(p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180) {
			t.Errorf("published a location at %v", *p)
		}
		second, err := again.Record("t", nil)
		if err != nil || string(second.Value) != string(first.Value) || string(second.Key) != string(first.Key) {
			t.Errorf("published %s\n and then %s: %v", first.Value, second.Value, err)
		}
	})
}
