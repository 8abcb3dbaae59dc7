package export

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"planetag/consumer"
	"planetag/pipeline"
	"planetag/pipeline/sidecar"
)

// photo copies one of the demo's to where a story has it. The avenue has a position in its EXIF, the monument has none.
func photo(t *testing.T, dir, name, of string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../demo/photos/arezzo-2008", of))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, name, string(data), 0o640)
}

func write(t *testing.T, dir, name, data string, mode fs.FileMode) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(data), mode); err != nil {
		t.Fatal(err)
	}
}

// sidecars are those of a folder, by name: their bytes, and when they were written.
func sidecars(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() || filepath.Ext(path) == ".jpg" {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		info, err := d.Info()
		name, _ := filepath.Rel(dir, path)
		found[name] = info.ModTime().String() + info.Mode().String() + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// exportTo runs an export that writes nothing but sidecars.
func (w *world) exportTo(t *testing.T, x Sidecars) (SidecarReport, string, error) {
	t.Helper()
	var log bytes.Buffer
	if x.MinConfidence == 0 {
		x.MinConfidence, x.MaxRadiusKM = 0.8, 25
	}
	report, err := Run(t.Context(), Options{Config: w.cfg, XMP: x, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if report.Sidecars == nil {
		report.Sidecars = &SidecarReport{}
	}
	return *report.Sidecars, log.String(), err
}

const curated = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">` +
	`<rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:exif="http://ns.adobe.com/exif/1.0/" xmp:Rating="5" MORE/></rdf:RDF></x:xmpmeta>`

// of is a location of a photo in a bucket.
func of(key, status string) pipeline.Location {
	l := location("pics/"+key, status, pipeline.StagePhoto, 1)
	l.Source.Key = key
	return l
}

// TestSidecarsBesidePhotos tells a year of a folder: estimated, exported again, and some of it taken back.
func TestSidecarsBesidePhotos(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	for _, name := range []string{"plain", "rated", "placed", "broken", "unsure", "given"} {
		photo(t, dir, "rome/"+name+".jpg", "03-monument.jpg")
	}
	photo(t, dir, "rome/tracked.jpg", "02-avenue.jpg")
	write(t, dir, "rome/rated.jpg.xmp", strings.ReplaceAll(curated, " MORE", ""), 0o604)
	write(t, dir, "rome/placed.jpg.xmp", strings.ReplaceAll(curated, "MORE", `exif:GPSLatitude="1,2.5N" exif:GPSLongitude="3,4.5E"`), 0o600)
	write(t, dir, "rome/broken.jpg.xmp", curated[:200], 0o600)
	write(t, dir, "rome/other.xmp", curated[:100], 0o600)
	given := of("rome/given.jpg", "given")
	w.publish(t, of("rome/plain.jpg", "estimated"), of("rome/rated.jpg", "estimated"), of("rome/placed.jpg", "estimated"), of("rome/broken.jpg", "estimated"),
		of("rome/tracked.jpg", "estimated"), of("rome/unsure.jpg", "abstained"), given, of("rome/not-here.jpg", "estimated"))

	before := sidecars(t, dir)
	got, log, err := w.exportTo(t, Sidecars{Photos: dir})
	want := SidecarReport{Written: 2, Positioned: 2, Absent: 1, LeftAlone: 1}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, report (-want +got):\n%s", err, diff)
	}
	if !strings.Contains(log, "rome/broken.jpg.xmp") || strings.Contains(log, "other.xmp") {
		t.Errorf("the one that was left alone is not named, or another one is: %s", log)
	}
	after := sidecars(t, dir)
	changed := difference(before, after)
	if diff := cmp.Diff([]string{"rome/plain.jpg.xmp", "rome/rated.jpg.xmp"}, changed); diff != "" {
		t.Errorf("files that changed (-want +got):\n%s", diff)
	}
	for name, wants := range map[string][]string{
		"rome/plain.jpg.xmp": {"-rw-r-----", "<planetag:Cell>132f6<", "<planetag:Method>photo<", "41,53.4000N", "CountryName>Italy<"},
		"rome/rated.jpg.xmp": {"-rw----r--", `xmp:Rating="5"`, "<planetag:RadiusP90M>21000<"},
	} {
		for _, want := range wants {
			if !strings.Contains(after[name], want) {
				t.Errorf("%s lacks %q: %s", name, want, after[name])
			}
		}
	}

	got, _, err = w.exportTo(t, Sidecars{Photos: dir})
	if want = (SidecarReport{Unchanged: 2, Positioned: 2, Absent: 1, LeftAlone: 1}); err != nil || got != want {
		t.Errorf("the second time: %v, %+v", err, got)
	}
	if changed := difference(after, sidecars(t, dir)); len(changed) > 0 {
		t.Errorf("the second time has touched %q", changed)
	}

	w.publish(t, of("rome/plain.jpg", "opted_out"))
	if err := w.client.Publish(t.Context(), []consumer.Record{pipeline.Tombstone(w.cfg.Topics.Locations, "pics/rome/rated.jpg", 2)}); err != nil {
		t.Fatal(err)
	}
	got, _, err = w.exportTo(t, Sidecars{Photos: dir})
	if want = (SidecarReport{TakenOut: 2, Positioned: 2, Absent: 1, LeftAlone: 1}); err != nil || got != want {
		t.Errorf("taken back: %v, %+v", err, got)
	}
	last := sidecars(t, dir)
	if _, there := last["rome/plain.jpg.xmp"]; there {
		t.Error("an empty sidecar is left")
	}
	if rated := last["rome/rated.jpg.xmp"]; !strings.Contains(rated, `xmp:Rating="5"`) || strings.Contains(rated, "planetag") || !strings.HasSuffix(rated, curated[len(curated)-len("/></rdf:RDF></x:xmpmeta>"):]) {
		t.Errorf("others' sidecar is now %s", rated)
	}
}

// difference lists the names whose files differ, were added or are gone.
func difference(before, after map[string]string) (names []string) {
	for name := range maps.Keys(after) {
		if before[name] != after[name] {
			names = append(names, name)
		}
	}
	for name := range maps.Keys(before) {
		if _, there := after[name]; !there {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// TestSidecarsUnderKeys: keys are anybody's words.
func TestSidecarsUnderKeys(t *testing.T) {
	w, outside, dir := newWorld(t), t.TempDir(), filepath.Join(t.TempDir(), "made", "for it")
	list := []pipeline.Location{of("2019/a.jpg", "estimated"), of("2019/a.cr2", "estimated"), of("b", "estimated"), of("b.xmp", "estimated"), of("c&d é.jpg", "estimated")}
	for _, bad := range []string{"../x.jpg", "/etc/x.jpg", "a/../../x.jpg", "a//b.jpg", "./a.jpg", "dir/", "link/x.jpg"} {
		list = append(list, of(bad, "estimated"))
	}
	w.publish(t, list...)
	write(t, filepath.Dir(dir), "for it/keep", "", 0o600)
	if err := os.Symlink(outside, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	got, log, err := w.exportTo(t, Sidecars{Dir: dir})
	if want := (SidecarReport{Written: 5, LeftAlone: 7}); err != nil || got != want {
		t.Errorf("%v, %+v: %s", err, got, log)
	}
	if diff := cmp.Diff([]string{"2019/a.cr2.xmp", "2019/a.jpg.xmp", "b.xmp", "b.xmp.xmp", "c&d é.jpg.xmp", "keep"}, slices.Sorted(maps.Keys(sidecars(t, dir)))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	if left, _ := os.ReadDir(outside); len(left) > 0 {
		t.Errorf("written through a link that leaves the folder: %v", left)
	}
	// Two photos that would have the same one: the first has it, the other one is named.
	stems := t.TempDir()
	got, log, err = w.exportTo(t, Sidecars{Dir: stems, Stem: true})
	if want := (SidecarReport{Written: 4, LeftAlone: 8}); err != nil || got != want || !strings.Contains(log, "would have the same one") {
		t.Errorf("%v, %+v: %s", err, got, log)
	}
	before := sidecars(t, stems)
	if got, _, _ = w.exportTo(t, Sidecars{Dir: stems, Stem: true}); got.Written > 0 || got.Unchanged != 4 || len(difference(before, sidecars(t, stems))) > 0 {
		t.Errorf("they take turns: %+v", got)
	}
}

// TestSidecarsOfAFolder: which part of which bucket it is a copy of, and what the topic does not know.
func TestSidecarsOfAFolder(t *testing.T) {
	w := newWorld(t)
	if _, _, err := w.exportTo(t, Sidecars{Dir: t.TempDir(), Prune: true}); !errors.Is(err, ErrFolder) {
		t.Errorf("pruned by an empty topic: %v", err)
	}
	if _, _, err := w.exportTo(t, Sidecars{Photos: filepath.Join(t.TempDir(), "nowhere")}); !errors.Is(err, ErrFolder) || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no folder: %v", err)
	}
	other := of("2019/b.jpg", "estimated")
	other.PhotoID, other.Source.Bucket = "more/2019/b.jpg", "more"
	w.publish(t, of("2019/a.jpg", "estimated"), of("2020/a.jpg", "estimated"), other)
	dir := t.TempDir()
	if _, _, err := w.exportTo(t, Sidecars{Dir: dir}); !errors.Is(err, ErrFolder) || !strings.Contains(err.Error(), "--xmp-of") {
		t.Errorf("a copy of two buckets: %v", err)
	}
	stranger := sidecar.Estimate{PhotoID: "elsewhere/z.jpg", Status: "estimated", Created: true}
	data, _, err := sidecar.New().Apply(&stranger)
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "z.jpg.xmp", string(data), 0o600)
	for _, step := range []struct {
		x    Sidecars
		want SidecarReport
	}{
		{Sidecars{Of: "pics/2019"}, SidecarReport{Written: 1, Absent: 2, Unknown: 1}},
		{Sidecars{Of: "pics/2019/"}, SidecarReport{Unchanged: 1, Absent: 2, Unknown: 1}},
		{Sidecars{Of: "pics/20"}, SidecarReport{Absent: 3, Unknown: 1}},
		{Sidecars{Of: "pics", Prune: true}, SidecarReport{Written: 2, Absent: 1, TakenOut: 1}},
	} {
		step.x.Dir = dir
		if got, log, err := w.exportTo(t, step.x); err != nil || got != step.want {
			t.Errorf("%+v: %v, %+v: %s", step.x, err, got, log)
		}
	}
	if diff := cmp.Diff([]string{"2019/a.jpg.xmp", "2020/a.jpg.xmp", "a.jpg.xmp"}, slices.Sorted(maps.Keys(sidecars(t, dir)))); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
