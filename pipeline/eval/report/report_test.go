package report

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"planetag/enrich/cells/gazetteer"
	"planetag/pipeline/eval"
	"planetag/pipeline/eval/score"
)

// result is one of two modes, a baseline and all that a report can show.
func result() eval.Result {
	single, album, prior := []float64{900, 24e3, 199e3, 3000e3}, []float64{900, 24e3, 20e3, 700e3}, []float64{9e6, 9e6, 9e6, 9e6}
	rows := score.Sample{Units: []int{0, 1, 2, 3}, Metres: [][]float64{single, album, prior}}.Scores()
	judged := []score.Judged{
		{Confidence: 0.9, Correct: true, Metres: 900, RadiusP50: 1000, RadiusP90: 5000},
		{Confidence: 0.7, Correct: true, Metres: 24e3, RadiusP50: 1000, RadiusP90: 50e3},
		{Confidence: 0.5, Metres: 20e3, RadiusP50: 50e3, RadiusP90: 90e3},
		{Confidence: 0.1, Abstained: true, Metres: 700e3, RadiusP50: 1e6, RadiusP90: 2e6},
	}
	calibrated := score.Calibrate(judged, []int{0, 1, 2, 3})
	modes := map[string]score.Scores{"single": rows[0], "lstm_repeat": rows[1]}
	group := eval.Group{Name: "Bosnia & Herzegovina and more", N: 4, Modes: modes}
	return eval.Result{
		Bundle: "tiny@1.0.0", SHA256: "0123456789abcdef", DefaultMode: "lstm_repeat", ModeOrder: []string{"prior", "single", "lstm_repeat"},
		Photos: 30, N: 4, Albums: 1, AlbumPhotos: 2, Gallery: 7,
		Split:       eval.Parted{By: "spatial:25", Units: 4, Gallery: 8, LeftOut: []eval.LeftOut{{ID: "near", Line: 9, Gallery: "g9", DistanceKm: new(3.2)}}},
		Modes:       modes,
		Baselines:   map[string]score.Scores{"prior": rows[2]},
		InAlbums:    map[string]score.Scores{"single": score.Score(single[:2])},
		Calibrated:  &calibrated,
		ByMode:      map[string]score.Calibration{"lstm_repeat": calibrated, "single": score.Calibrate(nil, nil)},
		Reliability: map[string][]score.Bin{"lstm_repeat": score.Reliability(judged)},
		Risk:        map[string]score.Curve{"lstm_repeat": score.RiskCoverage(judged)},
		Continents:  map[string]eval.Group{"Europe": {Name: "Europe", N: 4, Modes: modes}},
		Countries:   map[string]eval.Group{"BA": group},
		Comparisons: []eval.Comparison{{First: "lstm_repeat", Second: "single", Difference: score.Compare([]int{0, 1, 2, 3}, album, single)}},
		Duplicates:  []eval.Duplicate{{File: "a.jpg", Line: 3, GalleryFile: "b.jpg", GalleryLine: 4, HashBits: 2, Cosine: 0.95}},
		Notes:       []string{"somebody's clock is wrong"},
		Unreadable:  []eval.Unreadable{{File: "<script>alert(1)</script>.jpg", Line: 5, Error: "no such file"}},
		Errors: []eval.Miss{
			{ID: `"><script>alert(2)</script>`, Lat: 48.8, Lon: 2.3, PredLat: 48.9, PredLon: 2.4, Km: 13},
			{ID: "fiji", Lat: -17, Lon: 179, PredLat: -14, PredLon: -172, Km: 1000},
		},
	}
}

func table(t *testing.T, r eval.Result) string {
	t.Helper()
	var b bytes.Buffer
	if err := Table(&b, r); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestTable(t *testing.T) {
	text := table(t, result())
	for _, want := range []string{
		"bundle tiny@1.0.0  sha256 0123456789ab\n",
		"4 photos scored of 30, 1 unreadable; 2 of them in 1 albums",
		"split by spatial:25: 4 units; 1 photos left out: the gallery holds their unit",
		"7 gallery photos, 0 unreadable; 1 of the photos are there too",
		"note: somebody's clock is wrong",
		"lstm_repeat *", "below each row: 95 % intervals over 4 units (split by spatial:25)",
		"in albums %", "in p50", "most confident %", "Europe ", "Bosnia & Herzegovin…",
		"first: lstm_repeat; second: single; 4 photos in 4 units",
		"line 3  a.jpg = line 4  b.jpg  hash differs in 2 of 64 bits, cosine 0.950",
		"line 9  near  3.2 km apart, there g9", "line 5  <script>",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
	// One of four within 1 km, three of four within 25 km; the medians are 22 and 111.5 km.
	if !regexp.MustCompile(`lstm_repeat \* +25\.0 +75\.0 +75\.0 +100\.0 +100\.0 +22 +186 +4\d\d\d\n +0–75 +25–100 `).MatchString(text) {
		t.Errorf("shares to one decimal, their intervals below:\n%s", text)
	}
	if !regexp.MustCompile(`(?m)^continents % photos +25 .*\nEurope +4 +75\.0 `).MatchString(text) {
		t.Errorf("by continent: how many, and from 25 km on:\n%s", text)
	}
	if strings.Index(text, "prior ") > strings.Index(text, "single ") {
		t.Error("baselines come first")
	}
	for line := range strings.Lines(text) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func TestANameDoesNotClearTheScreen(t *testing.T) {
	r := result()
	r.Unreadable[0].File = "a\x1b[2Jb\r.jpg"
	if text := table(t, r); strings.ContainsAny(text, "\x1b\r") || !strings.Contains(text, "a\ufffd[2Jb\ufffd.jpg") {
		t.Errorf("got %q", text)
	}
}

func TestTableOfAnOverlapHasNoFigures(t *testing.T) {
	r := eval.Result{Bundle: "tiny@1.0.0", SHA256: "0123456789abcdef", Photos: 4, Gallery: 2}
	for i := range 25 {
		r.Duplicates = append(r.Duplicates, eval.Duplicate{File: fmt.Sprint(i), SameBytes: true})
	}
	text := table(t, r)
	if !strings.Contains(text, "in the gallery too (25):") || !strings.Contains(text, "same bytes") || !strings.Contains(text, "and 5 more, in --json") || strings.Contains(text, "median") {
		t.Errorf("got:\n%s", text)
	}
}

// plain is a page that loads nothing: neither scripts nor anything from elsewhere.
func plain(t *testing.T, page string) {
	t.Helper()
	for _, bad := range []string{"<script", "http:", "https:", "//", "src=", "href=", "url(", "@import", "<link", "<iframe", "onload"} {
		if i := strings.Index(page, bad); i >= 0 {
			t.Errorf("the page has %q: %.80s", bad, page[max(0, i-20):])
		}
	}
}

func TestPageNeedsNothingElse(t *testing.T) {
	var b bytes.Buffer
	r := result()
	if err := HTML(&b, r, []gazetteer.Ring{{{0, 0}, {10, 0}, {10, 10}}}); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	plain(t, page)
	for _, want := range []string{
		"<!DOCTYPE html>", `<meta charset="utf-8">`, "prefers-color-scheme: dark", "color-scheme: light dark",
		"M0.0 -0.0L10.0 -0.0L10.0 -10.0Z", "Risk and coverage", "Median error and coverage", "Reliability", "2 of 4 photos",
		"&lt;script&gt;alert(1)&lt;/script&gt;.jpg", "&lt;script&gt;alert(2)&lt;/script&gt;",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	// What the table shows, the page shows.
	for _, g := range grids(r) {
		for _, l := range g.Rows {
			for _, cell := range append(append([]string{}, l.Cells...), l.Under...) {
				if !strings.Contains(page, strings.ReplaceAll(cell, "+", "&#43;")) {
					t.Errorf("%s, %s: the page lacks %q", g.Title, l.Name, cell)
				}
			}
		}
	}
	drawings := regexp.MustCompile(`(?s)<svg.*?</svg>`).FindAllString(page, -1)
	if len(drawings) != 4 {
		t.Errorf("%d drawings", len(drawings))
	}
	for _, drawing := range drawings {
		decoder := xml.NewDecoder(strings.NewReader(drawing))
		var err error
		for err == nil {
			_, err = decoder.Token()
		}
		if !errors.Is(err, io.EOF) || strings.Contains(drawing, "NaN") {
			t.Errorf("a drawing is broken: %v", err)
		}
	}
}

func TestPageOfPredictionsHasNoReliability(t *testing.T) {
	var b bytes.Buffer
	if err := HTML(&b, eval.Result{Predictions: "others.csv", DefaultMode: "predictions", N: 1}, nil); err != nil {
		t.Fatal(err)
	}
	plain(t, b.String())
	if strings.Contains(b.String(), "<svg") || !strings.Contains(b.String(), "predictions others.csv") {
		t.Errorf("nothing to draw: %s", b.String())
	}
}

func TestErrorsAcrossTheAntimeridianLeaveTheMap(t *testing.T) {
	for _, row := range []struct {
		story string
		miss  eval.Miss
		want  string
	}{
		{"Paris to Rome", eval.Miss{Lat: 48, Lon: 2, PredLat: 41, PredLon: 12}, "M2.00 -48.00L12.00 -41.00"},
		{"Fiji to Samoa, eastward", eval.Miss{Lat: -18, Lon: 178, PredLat: -14, PredLon: -178}, "M178.00 18.00L180.00 16.00M-180.00 16.00L-178.00 14.00"},
		{"Samoa to Fiji, westward", eval.Miss{Lat: -14, Lon: -178, PredLat: -18, PredLon: 178}, "M-178.00 14.00L-180.00 16.00M180.00 16.00L178.00 18.00"},
		{"one side of the line and the other", eval.Miss{Lat: 1, Lon: 180, PredLat: 3, PredLon: -180}, "M180.00 -1.00L180.00 -1.00M-180.00 -1.00L-180.00 -3.00"},
	} {
		if got := missPath(row.miss); got != row.want {
			t.Errorf("%s: %s, want %s", row.story, got, row.want)
		}
	}
}

func TestAxes(t *testing.T) {
	shares, logs := newChart("x", "y", false), newChart("x", "y", true)
	if shares.height(0) != chartHeight-bottom || shares.height(1) != top || shares.at(0) != left || shares.at(1) != chartWidth-right {
		t.Error("shares from 0 to 1 fill the axes")
	}
	if logs.height(0.2) != chartHeight-bottom || logs.height(30_000) != top || math.Abs(logs.height(100)*2-logs.height(1)-logs.height(10_000)) > 1e-9 {
		t.Error("kilometres from 1 to 20,000 on a logarithmic axis")
	}
}

func TestFormats(t *testing.T) {
	for _, row := range []struct{ story, got, want string }{
		{"a share to one decimal", percent(0.16949), "16.9"},
		{"an interval is rounded outwards", percents(score.Interval{0.289, 0.431}), "28–44"},
		{"whole ends stay", percents(score.Interval{0.29, 0.57}), "29–57"},
		{"certainty is one number", percents(score.Interval{1, 1}), "100"},
		{"near: one decimal", km(9.94), "9.9"},
		{"far: none", km(1234.6), "1235"},
		{"a span of distances", span(km, score.Interval{0.5, 12.2}), "0.5–12"},
		{"worse", signed("%+.1f", -1.26), "-1.3"},
		{"better", signed("%+.1f", 1.26), "+1.3"},
		{"nothing to speak of", signed("%+.1f", -0.01), "0.0"},
		{"nothing", signed("%+.0f", 0), "0"},
	} {
		if row.got != row.want {
			t.Errorf("%s: %q, want %q", row.story, row.got, row.want)
		}
	}
}
