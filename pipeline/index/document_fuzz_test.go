package index

import (
	"encoding/json"
	"reflect"
	"testing"
	"unicode/utf8"

	"planetag/pipeline"
)

// FuzzDecode holds the fast decoder to what encoding/json makes of the same bytes.
func FuzzDecode(f *testing.F) {
	const whole = `{"photo_id":"a/1.jpg","status":"estimated","stage":"album","revision":1700000000000,"location":{"lat":-84.5,"lon":1e2},"radius_p50_m":1000,
		"radius_p90_m":20000,"confidence":0.5,"entropy":3.4,"cell":"b0a3d","s2_ancestors":["b1","b0c"],"rollup":{"cell":"b1","level":3,"p":0.6},
		"place":{"country_code":"IT","country_probability":0.71},"candidates":[{"cell":"b0a3d","p":0.41,"lat":41.8,"lon":12.4}],"photo_only":{"lat":43,"lon":11,"radius_p90_m":1},
		"album":{"id":"rome","mode":"lstm","size":14,"position":3,"moved_m":231000},"given":{"lat":1,"lon":2,"source":"exif","distance_m":12},
		"model":{"bundle":"demo@1","sha256":"4be1","precision_cap_level":12},"source":{"bucket":"b","key":"k","topic":"t","partition":1,"offset":2},
		"taken_at":"2019-05-01T12:00:00+02:00","time":"2023-11-14T22:13:20.123Z","of_a_later_version":{"x":[1,{"y":null}]}}`
	for _, text := range []string{
		whole, `null`, `{}`, `[]`, `{} x`, ` {"photo_id":"a"} `, `{"photo_id":"a","photo_id":"b"}`, `{"PHOTO_ID":"a"}`, `{"photo_id":1}`, `{"photo_id":"\ud800\u0000\n"}`,
		`{"revision":1e3}`, `{"revision":1.0}`, `{"revision":"1"}`, `{"revision":99999999999999999999}`, `{"location":null}`, `{"location":{"lat":01}}`, `{"location":{"lat":.5}}`,
		`{"time":"0000-01-01T0:00:00,0Z"}`, `{"location":{"lat":1e999}}`, `{"confidence":NaN}`, `{"time":""}`, `{"time":null}`, `{"time":"2023-11-14"}`, `{"s2_ancestors":[1]}`, `{"s2_ancestors":null}`, `{"x":tru}`, `{"x":"\x"}`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		if !utf8.Valid(value) || len(value) > 64<<10 {
			return
		}
		var want pipeline.Location
		slow := json.Unmarshal(value, &want)
		got, fast := decode(value)
		if (slow == nil) != (fast == nil) {
			t.Fatalf("%q: %v, encoding/json says %v", value, fast, slow)
		}
		if slow == nil && !reflect.DeepEqual(got, want) {
			t.Fatalf("%q:\n%+v, encoding/json reads\n%+v", value, got, want)
		}
	})
}
