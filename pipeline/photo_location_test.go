package pipeline

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"planetag/enrich"
	"planetag/enrich/bundle"
)

const withDays = "../enrich/testdata/dated" // whose owner was in Paris on inParis

const inParis = "2022-01-08T12:00:00Z"

func loadBundle(t testing.TB, dir string) *enrich.Model {
	t.Helper()
	m, err := enrich.Load(t.Context(), enrich.Options{Library: testLibrary(t), Bundle: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { m.Close() })
	return m
}

// withoutTable is the bundle with a diary as it was before photos alone were told of their days.
func withoutTable(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(withDays)); err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	m := b.Manifest
	delete(m.Calibration, bundle.Dated)
	if err := os.Remove(filepath.Join(dir, bundle.ManifestName)); err != nil {
		t.Fatal(err)
	}
	if err := bundle.Write(dir, m); err != nil {
		t.Fatal(err)
	}
	return dir
}

// taken is a golden photo of the tiny bundle with a time in its EXIF, which is a directory with a pointer to another.
func taken(t testing.TB, colour, at string) []byte {
	t.Helper()
	jpeg, err := os.ReadFile("../enrich/testdata/tiny/golden/" + colour + ".jpg")
	if err != nil || at == "" {
		return jpeg
	}
	const exif = "Exif\x00\x00II*\x00\x08\x00\x00\x00" +
		"\x01\x00\x69\x87\x04\x00\x01\x00\x00\x00\x1a\x00\x00\x00\x00\x00\x00\x00" +
		"\x01\x00\x03\x90\x02\x00\x14\x00\x00\x00\x2c\x00\x00\x00\x00\x00\x00\x00"
	when := strings.NewReplacer("-", ":", "T", " ", "Z", "\x00").Replace(at)
	return []byte("\xff\xd8\xff\xe1\x00" + string(rune(2+len(exif)+len(when))) + exif + when + string(jpeg[2:]))
}

// datedPhotos are what a bundle may be asked, with the day of the photo here and there.
var datedPhotos = []struct {
	story, colour, exif, value string
	told                       bool
}{
	{"the camera wrote down the day, and nothing is to be seen", "grey", inParis, `{"bucket":"pics","key":"0"}`, true},
	{"only the reference knows the day", "grey", "", `{"bucket":"pics","key":"1","taken_at":"` + inParis + `"}`, true},
	{"something is to be seen, too", "red", inParis, `{"bucket":"pics","key":"2"}`, true},
	{"a photo of an album, whose answer may come later", "red", inParis, `{"bucket":"pics","key":"3","album":"a"}`, true},
	{"the reference knows better than the camera", "grey", inParis, `{"bucket":"pics","key":"4","taken_at":"2030-01-01T00:00:00Z"}`, false},
	{"nobody knows the day", "red", "", `{"bucket":"pics","key":"5"}`, false},
	{"somebody knows the place", "grey", inParis, `{"bucket":"pics","key":"6","position":{"lat":1,"lon":2}}`, false},
	{"of what is seen there, only the picture is compared", "red", inParis, `{"bucket":"pics","key":"7","position":{"lat":1,"lon":2}}`, false},
}

// publishedWith are the locations of datedPhotos by the walk of a worker with the bundle, but for the time and the bundle's name.
func publishedWith(t *testing.T, dir string) []Location {
	t.Helper()
	s := startPhotoStage(t, fetchFunc(func(_ context.Context, ref Reference) (Object, error) {
		tt := datedPhotos[ref.Key[0]-'0']
		return Object{Data: taken(t, tt.colour, tt.exif)}, nil
	}))
	s.model = loadBundle(t, dir)
	p := &partitionFake{}
	for _, tt := range datedPhotos {
		p.add("k", tt.value)
	}
	handleUntil(t, s, p, len(datedPhotos))
	var list []Location
	for _, c := range p.commits {
		for _, rec := range c.records {
			var l Location
			if rec.Topic != "locations" {
				continue
			}
			if err := json.Unmarshal(rec.Value, &l); err != nil {
				t.Fatal(err)
			}
			l.Time, l.Model = time.Time{}, nil
			list = append(list, l)
		}
	}
	return list
}

// TestAPhotoGoesByItsDay through the whole walk: of a bundle that knows it, and says what it is worth. Whatever else is published stays what it
// was.
func TestAPhotoGoesByItsDay(t *testing.T) {
	plain, told, before := publishedWith(t, "../enrich/testdata/tiny"), publishedWith(t, withDays), publishedWith(t, withoutTable(t))
	if diff := cmp.Diff(plain, before); diff != "" {
		t.Errorf("a bundle that cannot say what a told photo is worth: %s", diff)
	}
	for i, tt := range datedPhotos {
		l, picture := told[i], plain[i]
		if !tt.told {
			if diff := cmp.Diff(picture, l); diff != "" || l.FromDiary || l.PhotoOnly != nil {
				t.Errorf("%s: %s", tt.story, diff)
			}
			continue
		}
		var alone *Estimate
		if picture.Location != nil {
			alone = &Estimate{Lat: picture.Location.Lat, Lon: picture.Location.Lon, RadiusP90M: picture.RadiusP90M, Confidence: *picture.Confidence}
		}
		if diff := cmp.Diff(alone, l.PhotoOnly); diff != "" || !l.FromDiary {
			t.Errorf("%s: %s", tt.story, diff)
		}
		country := map[string]string{"grey": "FR", "red": "IT"}[tt.colour]
		if l.Status != StatusEstimated || l.RadiusP90M != 700e3 || l.Place.CountryCode != country || l.Stage != StagePhoto {
			t.Errorf("%s: %+v", tt.story, l)
		}
	}
}

// TestAnAlbumThatWasToldSaysSo where a photo alone does; beside it and in moved_m is what the picture says.
func TestAnAlbumThatWasToldSaysSo(t *testing.T) {
	model := loadBundle(t, withDays)
	p := &logPartition{t: t}
	stage := albumTestStage(model, albumTestConfig)
	stage.cfg.Albums.Mode = "average"
	day, err := time.Parse(time.RFC3339, inParis)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"trip/1", "trip/2"} {
		ref := Reference{PhotoID: id, Bucket: "b", Key: id, Album: "trip", TakenAt: day}
		p.embedded(ref, model.Info().SHA256, enrich.Candidate{Cell: 0, P: 0.5}, enrich.Candidate{Cell: 1, P: 0.4})
	}
	run, _ := life(stage, p)
	if err := run.turn(t.Context(), albumDay.Add(time.Hour)); err != nil {
		t.Fatal(err)
	}
	for _, l := range p.locations {
		if !l.FromDiary || l.Place.CountryCode != "FR" || l.PhotoOnly == nil || l.PhotoOnly.Lat > 42 || l.PhotoOnly.RadiusP90M != 2000e3 || l.Album.MovedM < 1000e3 {
			t.Errorf("%+v, album %+v, photo only %+v", l, l.Album, l.PhotoOnly)
		}
	}
	if len(p.locations) != 2 {
		t.Errorf("%d locations of 2 photos", len(p.locations))
	}
}

// TestExplainSaysThatTheDayCounted, and what the picture alone says.
func TestExplainSaysThatTheDayCounted(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Bundle.Path = withDays
	for _, tt := range []struct{ name, colour, at, want, why string }{
		{"told", "grey", inParis, "told where the archive's owner was around that day, the picture alone says nothing", "is at least 0.300"},
		{"told, too", "red", inParis, "that day, the picture alone says cell 132f7", "is at least 0.300"},
		{"not told", "red", "", "nats", "is at least 0.400"},
	} {
		path := filepath.Join(t.TempDir(), "photo.jpg")
		if err := os.WriteFile(path, taken(t, tt.colour, tt.at), 0o600); err != nil {
			t.Fatal(err)
		}
		e, err := Explain(t.Context(), ExplainOptions{Photo: path, Config: cfg, Model: loadBundle(t, withDays)})
		if err != nil {
			t.Fatal(err)
		}
		place := e.Steps[len(e.Steps)-1].Detail
		if !strings.HasSuffix(place, tt.want) || !strings.Contains(e.Reason, tt.why) || strings.Contains(string(e.Record), `"from_diary":true`) != (tt.at != "") {
			t.Errorf("%s: %s; %s\n%s", tt.name, place, e.Reason, e.Record)
		}
	}
}
