package eval

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"planetag/enrich"
	"planetag/enrich/infer"
)

// tiny answers by colour: red is Rome, green Paris, blue New York, grey nowhere; its LSTM remembers colours.
const tiny = "../../enrich/testdata/tiny"

func needLibrary(t *testing.T) {
	t.Helper()
	if _, err := infer.FindLibrary(""); err != nil {
		if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip("needs the ONNX Runtime library: run `make setup`, then `make test`, or set PLANETAG_ORT_LIB:", err)
	}
}

// write puts a manifest and copies of the tiny bundle's golden photos, by colour, into a folder.
func write(t *testing.T, manifest string, photos map[string]string) (csv, dir string) {
	t.Helper()
	dir = t.TempDir()
	for name, colour := range photos {
		data := []byte("this is text, not a photo")
		if colour != "" {
			var err error
			if data, err = os.ReadFile(filepath.Join(tiny, "golden", colour+".jpg")); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	csv = filepath.Join(dir, "m.csv")
	if err := os.WriteFile(csv, []byte(manifest), 0o600); err != nil {
		t.Fatal(err)
	}
	return csv, dir
}

const trip = `id,file,lat,lon,taken_at,album
r1,r1.jpg,41.9028,12.4964,2019-05-01T09:00:00Z,rome
fog,fog.jpg,41.9100,12.5000,2019-05-01T10:00:00Z,rome
p,p.jpg,48.8566,2.3522,,
lost,lost.jpg,40.7128,-74.0060,,
gone,gone.jpg,0,0,,
note,note.jpg,0,0,,rome
`

func tripPhotos() map[string]string {
	return map[string]string{"r1.jpg": "red", "fog.jpg": "grey", "p.jpg": "green", "lost.jpg": "green", "note.jpg": ""}
}

// tripOptions has a gallery that holds the fog of Rome under another name.
func tripOptions(t *testing.T) Options {
	t.Helper()
	csv, dir := write(t, trip, tripPhotos())
	gallery, galleryDir := write(t, "id,file,lat,lon,taken_at,album\ng1,a.jpg,41.9,12.5,,\ng2,b.jpg,-33.9,151.2,,\n",
		map[string]string{"a.jpg": "grey", "b.jpg": "blue"})
	return Options{
		Model: enrich.Options{Bundle: tiny}, Manifest: csv, Photos: dir, Gallery: gallery, GalleryPhotos: galleryDir, AllowOverlap: true,
		CompareModes: []string{"lstm_repeat", "prior"},
	}
}

func TestRunMeasuresWhatIsKnown(t *testing.T) {
	needLibrary(t)
	o := tripOptions(t)
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got.Photos != 6 || got.N != 4 || got.Albums != 1 || got.AlbumPhotos != 2 || got.Gallery != 2 || got.Split.Units != 3 {
		t.Errorf("counts: %+v", got)
	}
	if len(got.Unreadable) != 2 || got.Unreadable[0].File != "gone.jpg" || got.Unreadable[1].Line != 7 || got.Unreadable[1].Error == "" {
		t.Errorf("unreadable: %+v", got.Unreadable)
	}
	// Alone, the grey photo is a four-way tie; after a red one the LSTM places it in Rome.
	if s := got.Modes["lstm_repeat"]; s.N != 4 || s.Within25km != 0.75 || s.Within1km != 0.75 {
		t.Errorf("lstm_repeat: %+v", s)
	}
	if s := got.InAlbums["lstm"]; s.N != 2 || s.Within25km != 1 || s.Intervals != nil {
		t.Errorf("in albums, lstm: one album, so no interval: %+v", s)
	}
	// The prior of tiny is Rome: right for two photos of four. The photo of New York is 5800 km from Paris.
	if s := got.Baselines["prior"]; s.Within25km != 0.5 || s.Within2500km != 0.75 {
		t.Errorf("prior: %+v", s)
	}
	// Red and green are nearer to grey (Rome) than to blue (Sydney). The grey photo is the very file of the gallery, which
	// may not answer for itself: Sydney remains.
	if s := got.Baselines["nearest"]; s.Within25km != 0.25 || s.Within2500km != 0.5 {
		t.Errorf("nearest neighbour: %+v", s)
	}
	single, album := got.ByMode["single"], got.ByMode["lstm_repeat"]
	if single.Coverage != 0.75 || single.Answered != 3 || *single.Within25km != 2.0/3 {
		t.Errorf("calibrated single: %+v", single)
	}
	if album.Coverage != 1 || *album.Within25km != 0.75 || !reflect.DeepEqual(*got.Calibrated, album) {
		t.Errorf("calibrated lstm_repeat, which is the default: %+v, %+v", album, got.Calibrated)
	}
	right := 0.0
	for _, b := range got.Reliability["lstm_repeat"] {
		right += float64(b.N) * b.Correct
	}
	if math.Abs(right-3) > 1e-9 {
		t.Errorf("three of four answers are in the right cell, the reliability diagram has %g", right)
	}
	if c := got.Comparisons[0]; c.First != "lstm_repeat" || c.Second != "prior" || c.N != 4 || c.Within25km.Difference != 0.25 {
		t.Errorf("of four photos one more is near than Rome is: %+v", c)
	}
	if len(got.Errors) != 4 || got.Errors[3].ID != "lost" || got.Errors[3].Km < 5000 || got.Errors[3].PredLat < 48 || got.Errors[3].PredLat > 49 {
		t.Errorf("errors: %+v", got.Errors)
	}
	again, err := Run(context.Background(), o)
	if err != nil || !reflect.DeepEqual(got, again) {
		t.Errorf("a second run differs: %v\n%+v\n%+v", err, got, again)
	}
	checkJSON(t, got)
}

// keys are those that others read: only ever added to.
func checkJSON(t *testing.T, r Result) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		N          int                       `json:"n"`
		Modes      map[string]map[string]any `json:"modes"`
		Baselines  map[string]map[string]any `json:"baselines"`
		InAlbums   map[string]map[string]any `json:"in_albums"`
		Calibrated map[string]any            `json:"calibrated"`
		ByMode     map[string]map[string]any `json:"calibrated_modes"`
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	check := func(name string, row map[string]any) {
		if row["n"] != float64(4) {
			t.Errorf("%s.n = %v", name, row["n"])
		}
		for _, key := range []string{"within_1km", "within_25km", "within_200km", "within_750km", "within_2500km", "median_km", "mean_km", "geoscore"} {
			v, isNumber := row[key].(float64)
			if _, isPair := row[key+"_ci"].([]any); !isNumber || !isPair || v < 0 || strings.HasPrefix(key, "within") && v > 1 {
				t.Errorf("%s.%s = %v, %s_ci = %v", name, key, row[key], key, row[key+"_ci"])
			}
		}
	}
	for _, mode := range []string{"single", "average", "lstm", "lstm_repeat"} {
		check("modes."+mode, back.Modes[mode])
	}
	for _, baseline := range []string{"prior", "nearest"} {
		check("baselines."+baseline, back.Baselines[baseline])
	}
	for _, key := range []string{"coverage", "within_25km", "within_200km", "ece", "radius_p50_coverage", "radius_p90_coverage"} {
		if v, ok := back.Calibrated[key].(float64); !ok || v < 0 || v > 1 || back.ByMode["lstm_repeat"][key] != v {
			t.Errorf("calibrated.%s = %v, %v", key, v, ok)
		}
	}
	if back.N != 4 || len(back.InAlbums) != 3+2*5 {
		t.Errorf("n %d, in_albums %v", back.N, back.InAlbums)
	}
}

func TestOverlapFailsUnlessAllowed(t *testing.T) {
	needLibrary(t)
	o := tripOptions(t)
	o.AllowOverlap = false
	got, err := Run(context.Background(), o)
	if !errors.Is(err, ErrOverlap) || !strings.Contains(err.Error(), "1 of 4 photos are in the gallery too, the first is fog.jpg (line 3), there a.jpg (line 2)") {
		t.Errorf("got %v", err)
	}
	if len(got.Duplicates) != 1 || got.Duplicates[0].ID != "fog" || !got.Duplicates[0].SameBytes || len(got.Modes) != 0 {
		t.Errorf("the duplicate and no figures: %+v", got)
	}
}

func TestTwoBundlesAreCompared(t *testing.T) {
	needLibrary(t)
	o := tripOptions(t)
	o.Compare, o.CompareModes = tiny, nil
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for _, c := range got.Comparisons {
		pairs = append(pairs, c.First+" / "+c.Second)
		if c.N != 4 || c.MedianKm.Difference != 0 || *c.MedianKm.FirstBetter != 0.5 {
			t.Errorf("a bundle does not differ from itself: %+v", c)
		}
	}
	want := []string{"tiny@1.0.0 lstm_repeat / tiny@1.0.0 lstm_repeat"}
	for _, mode := range []string{"single", "average", "lstm", "blstm", "hmm"} {
		want = append(want, "tiny@1.0.0 "+mode+" / tiny@1.0.0 "+mode)
	}
	if !reflect.DeepEqual(pairs, want) {
		t.Errorf("pairs %q, want %q", pairs, want)
	}
}

func TestRunNamesWhatIsWrong(t *testing.T) {
	needLibrary(t)
	csv, dir := write(t, trip, nil)
	model := enrich.Options{Bundle: tiny}
	for _, row := range []struct {
		story string
		o     Options
		is    error
		says  string
	}{
		{"the wrong photos folder", Options{Model: model, Manifest: csv, Photos: dir}, ErrPhotos, "none of 6 could be read"},
		{"no manifest", Options{Model: model, Manifest: "nowhere.csv", Photos: dir}, ErrManifest, "nowhere.csv"},
		{"no bundle", Options{Model: enrich.Options{Bundle: t.TempDir()}, Manifest: csv, Photos: dir}, nil, "bundle.yaml"},
		{"a gallery that is the test", Options{Model: model, Manifest: csv, Photos: dir, Gallery: csv, GalleryPhotos: dir}, ErrPhotos, "none of 3 could be read"},
		{"no second bundle", Options{Model: model, Manifest: csv, Photos: dir, Compare: t.TempDir()}, nil, "compare with"},
		{"a mode nobody has", Options{Model: model, Manifest: csv, Photos: dir, CompareModes: []string{"single", "guess"}}, ErrModes, `"guess", there are prior, single, average, lstm, lstm_repeat`},
	} {
		_, err := Run(context.Background(), row.o)
		if err == nil || row.is != nil && !errors.Is(err, row.is) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.story, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Options{Model: model, Manifest: csv, Photos: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
