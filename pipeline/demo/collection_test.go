package demo

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"
	"time"
)

func file(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }

func TestCollect(t *testing.T) {
	c, err := collect(fstest.MapFS{
		"rome/b.JPG":          file("x"),
		"rome/a.heic":         file("x"),
		"rome/notes.txt":      file("x"),
		"asia/2024/c.webp":    file("x"),
		"alone.png":           file("x"),
		".hidden.jpg":         file("x"),
		".thumbnails/t.jpg":   file("x"),
		"rome/.cache/u.jpg":   file("x"),
		"screens/shot.png":    file("x"),
		"manifest.csv":        file("file,lat,lon,taken_at,album\nrome/a.heic,41.9,12.5,2019-05-01T09:00:00Z,rome\nscreens/shot.png,,,,\n"),
		"backup/manifest.csv": file("not ours"),
	}, "test")
	if err != nil {
		t.Fatal(err)
	}
	want := []photo{
		{file: "alone.png"},
		{file: "asia/2024/c.webp", album: "asia/2024"},
		{file: "rome/a.heic", album: "rome", truth: &point{41.9, 12.5}, takenAt: time.Date(2019, 5, 1, 9, 0, 0, 0, time.UTC)},
		{file: "rome/b.JPG", album: "rome"},
		{file: "screens/shot.png"}, // the manifest says that it has no album
	}
	if !reflect.DeepEqual(c.photos, want) {
		t.Errorf("got  %+v\nwant %+v", c.photos, want)
	}
	if c.skipped != 2 { // notes.txt and the manifest of another folder
		t.Errorf("%d skipped, want 2", c.skipped)
	}
	if got := c.albums(); !reflect.DeepEqual(got, map[string]int{"rome": 2, "asia/2024": 1}) {
		t.Errorf("albums %v", got)
	}
}

func TestCollectRefuses(t *testing.T) {
	for _, row := range []struct {
		story string
		files fstest.MapFS
		says  string
	}{
		{"no photos", fstest.MapFS{"a.txt": file("x")}, "no photos in it"},
		{"a manifest without file", fstest.MapFS{"a.jpg": file("x"), "manifest.csv": file("name,lat\n")}, "missing column file"},
		{"an impossible position", fstest.MapFS{"a.jpg": file("x"), "manifest.csv": file("file,lat,lon\na.jpg,99,0\n")}, `line 2: position "99", "0"`},
		{"half a position", fstest.MapFS{"a.jpg": file("x"), "manifest.csv": file("file,lat,lon\na.jpg,9,\n")}, "line 2: position"},
		{"an unreadable time", fstest.MapFS{"a.jpg": file("x"), "manifest.csv": file("file,taken_at\na.jpg,noon\n")}, `line 2: taken_at "noon"`},
		{"an empty manifest", fstest.MapFS{"a.jpg": file("x"), "manifest.csv": file("")}, "no header line"},
	} {
		_, err := collect(row.files, "test")
		if !errors.Is(err, ErrFolder) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", row.story, err)
		}
	}
	for _, name := range []string{"no/such/folder", "collection_test.go"} {
		if _, err := folder(name); !errors.Is(err, ErrFolder) || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the documentation promises of the shipped photos: some 40 in at least four albums, each with its licence.
func TestShippedPhotos(t *testing.T) {
	c, err := folder("")
	if err != nil {
		t.Fatal(err)
	}
	if n := len(c.photos); n < 30 || n > 60 || len(c.albums()) < 4 {
		t.Errorf("%d photos in %d albums", n, len(c.albums()))
	}
	known, err := readManifest(c.files)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range c.photos {
		if _, ok := known[p.file]; !ok {
			t.Errorf("%s is not in the manifest, so it has no licence", p.file)
		}
		delete(known, p.file)
	}
	for name := range known {
		t.Errorf("%s of the manifest is not there", name)
	}
}
