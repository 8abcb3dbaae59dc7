package eval

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
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

func TestRunMeasuresWhatIsKnown(t *testing.T) {
	needLibrary(t)
	csv, dir := write(t, trip, tripPhotos())
	gallery, galleryDir := write(t, "id,file,lat,lon,taken_at,album\ng1,a.jpg,41.9,12.5,,\ng2,b.jpg,-33.9,151.2,,\n",
		map[string]string{"a.jpg": "grey", "b.jpg": "blue"})
	o := Options{Model: enrich.Options{Bundle: tiny}, Manifest: csv, Photos: dir, Gallery: gallery, GalleryPhotos: galleryDir}
	got, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got.Photos != 6 || got.Scored != 4 || got.Albums != 1 || got.AlbumPhotos != 2 || got.Gallery != 2 {
		t.Errorf("counts: %+v", got)
	}
	if len(got.Unreadable) != 2 || got.Unreadable[0].File != "gone.jpg" || got.Unreadable[1].Line != 7 || got.Unreadable[1].Error == "" {
		t.Errorf("unreadable: %+v", got.Unreadable)
	}
	// Alone, the grey photo is a four-way tie; after a red one the LSTM places it in Rome.
	if s := got.Modes["lstm_repeat"]; s.Photos != 4 || s.Within25km != 0.75 || s.Within1km != 0.75 {
		t.Errorf("lstm_repeat: %+v", s)
	}
	if s := got.InAlbums["lstm"]; s.Photos != 2 || s.Within25km != 1 {
		t.Errorf("in albums, lstm: %+v", s)
	}
	// The prior of tiny is Rome: right for two photos of four. The photo of New York is 5800 km from Paris.
	if s := got.Modes["prior"]; s.Within25km != 0.5 || s.Within2500km != 0.75 {
		t.Errorf("prior: %+v", s)
	}
	// Red and green are nearer to grey (Rome) than to blue (Sydney). The grey photo is the very file of the gallery, which
	// may not answer for itself: Sydney remains.
	if s := got.Modes["nearest_neighbour"]; s.Within25km != 0.25 || s.Within2500km != 0.5 {
		t.Errorf("nearest neighbour: %+v", s)
	}
	single, album := got.Calibrated["single"], got.Calibrated["lstm_repeat"]
	if single.Abstained != 0.25 || single.Answered != 3 || *single.Within25km != 2.0/3 {
		t.Errorf("calibrated single: %+v", single)
	}
	if album.Abstained != 0 || *album.Within25km != 0.75 {
		t.Errorf("calibrated lstm_repeat: %+v", album)
	}

	again, err := Run(context.Background(), o)
	if err != nil || !reflect.DeepEqual(got, again) {
		t.Errorf("a second run differs: %v\n%+v\n%+v", err, got, again)
	}
	checkTable(t, got)
	checkJSON(t, got)
}

func checkTable(t *testing.T, r Result) {
	t.Helper()
	var table bytes.Buffer
	if err := r.Table(&table); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"bundle tiny@1.0.0", "lstm_repeat *", "prior", "nearest_neighbour", "1 km", "2500", "abstained", "line 6  gone.jpg"} {
		if !strings.Contains(table.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, table.String())
		}
	}
	for line := range strings.Lines(table.String()) {
		if n := len([]rune(line)); n > 81 && !strings.Contains(line, ".jpg") && !strings.Contains(line, "shares of") {
			t.Errorf("%d columns: %s", n, line)
		}
	}
}

func checkJSON(t *testing.T, r Result) {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Modes map[string]map[string]float64 `json:"modes"`
	}
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []string{"single", "average", "lstm", "lstm_repeat", "prior", "nearest_neighbour"} {
		for _, key := range []string{"within_1km", "within_25km", "within_200km", "within_750km", "within_2500km"} {
			if v, ok := back.Modes[mode][key]; !ok || v < 0 || v > 1 {
				t.Errorf("modes.%s.%s = %v, %v", mode, key, v, ok)
			}
		}
	}
}

func TestRunNamesWhatIsWrong(t *testing.T) {
	needLibrary(t)
	csv, dir := write(t, trip, nil)
	for _, row := range []struct {
		story string
		o     Options
		is    error
		says  string
	}{
		{"the wrong photos folder", Options{Model: enrich.Options{Bundle: tiny}, Manifest: csv, Photos: dir}, ErrPhotos, "none of 6 could be read"},
		{"no manifest", Options{Model: enrich.Options{Bundle: tiny}, Manifest: "nowhere.csv", Photos: dir}, ErrManifest, "nowhere.csv"},
		{"no bundle", Options{Model: enrich.Options{Bundle: t.TempDir()}, Manifest: csv, Photos: dir}, nil, "bundle.yaml"},
	} {
		_, err := Run(context.Background(), row.o)
		if err == nil || row.is != nil && !errors.Is(err, row.is) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.story, err)
		}
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, Options{Model: enrich.Options{Bundle: tiny}, Manifest: csv, Photos: dir}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}
