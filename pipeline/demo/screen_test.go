package demo

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
)

func TestLinesReadLikeSentences(t *testing.T) {
	rome := photo{file: "rome-2019/03.jpg", album: "rome-2019", truth: &point{41.9028, 12.6}}
	for _, row := range []struct{ story, record, want string }{
		{
			"the album moved it",
			`{"status":"estimated","location":{"lat":41.9028,"lon":12.4964},"radius_p90_m":21000,"confidence":0.712,"place":{"country":"Italy","region":"Lazio"},"album":{"moved_m":231000}}`,
			"✓ rome-2019/03.jpg  Lazio, Italy ±21 km  0.71  8.6 km off  (album moved it 231 km)\n",
		},
		{
			"a move inside the city is not worth a word, and a country may be all there is",
			`{"status":"estimated","location":{"lat":41.9028,"lon":12.6},"radius_p90_m":800,"confidence":0.9,"place":{"country":"Italy"},"album":{"moved_m":300}}`,
			"✓ rome-2019/03.jpg  Italy ±800 m  0.90  0 m off\n",
		},
		{
			"the open sea has no name",
			`{"status":"estimated","location":{"lat":41.9028,"lon":12.6},"radius_p90_m":2000000,"confidence":0.3}`,
			"✓ rome-2019/03.jpg  41.90, 12.60 ±2000 km  0.30  0 m off\n",
		},
		{
			"too little evidence",
			`{"status":"abstained","confidence":0.08}`,
			"○ rome-2019/03.jpg  abstained: the best guess has only 0.08, too little to publish a place\n",
		},
		{
			"a camera with GPS",
			`{"status":"given","location":{"lat":41.9,"lon":12.6},"given":{"source":"exif","distance_m":1270}}`,
			"= rome-2019/03.jpg  given: the position from its EXIF is kept; the estimate lies 1.3 km away\n",
		},
		{
			"a camera with GPS, and a model without an idea",
			`{"status":"given","location":{"lat":41.9,"lon":12.6},"given":{"source":"reference"}}`,
			"= rome-2019/03.jpg  given: the position from its reference is kept\n",
		},
		{"nobody looked", `{"status":"opted_out"}`, "= rome-2019/03.jpg  opted out: not looked at\n"},
	} {
		var a answer
		if err := json.Unmarshal([]byte(row.record), &a); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		screen{out: &out, width: 16}.line(rome, a)
		if out.String() != row.want {
			t.Errorf("%s:\ngot  %swant %s", row.story, out.String(), row.want)
		}
	}
}

func TestNoColourUnlessAsked(t *testing.T) {
	for _, colour := range []bool{true, false} {
		var out bytes.Buffer
		s := screen{out: &out, colour: colour}
		s.ticked("broker", "here")
		s.line(photo{file: "a.jpg"}, answer{Status: statusDeadLetter, reason: "jpeg is truncated"})
		if got := strings.Contains(out.String(), "\x1b["); got != colour {
			t.Errorf("colour %v: %q", colour, out.String())
		}
	}
}

func TestDistance(t *testing.T) {
	for metres, want := range map[float64]string{0: "0 m", 949: "949 m", 951: "1.0 km", 9940: "9.9 km", 9960: "10 km", 6771013: "6771 km"} {
		if got := distance(metres); got != want {
			t.Errorf("%g: %q, want %q", metres, got, want)
		}
	}
}

func TestStageNamesFollowTheWalk(t *testing.T) {
	got := strings.Join(stageNames(map[string]StageTime{"commit": {}, "zoom": {}, "fetch": {}, "album": {}, "decode": {}}), " ")
	if want := "fetch decode commit album zoom"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
