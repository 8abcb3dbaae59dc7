package export

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"planetag/pipeline/sidecar"
)

// TestAPhotoThatCannotBeRead may have a position, for all that is known.
func TestAPhotoThatCannotBeRead(t *testing.T) {
	w, dir := newWorld(t), t.TempDir()
	photo(t, dir, "a.jpg", "03-monument.jpg")
	write(t, dir, "b.jpg", "no photo", 0o600)
	w.publish(t, of("a.jpg", "estimated"), of("b.jpg", "estimated"))
	if got, log, err := w.exportTo(t, Sidecars{Photos: dir, GPS: true, MinConfidence: 0.5, MaxRadiusKM: 25}); err != nil || got != (SidecarReport{Written: 2}) {
		t.Fatal(err, got, log)
	}
	for name, want := range map[string]int{"a.jpg.xmp": 2, "b.jpg.xmp": 1} {
		if n := strings.Count(sidecars(t, dir)[name], "<exif:GPSLatitude>"); n != want {
			t.Errorf("%s has %d positions, with that of LocationCreated; want %d", name, n, want)
		}
	}
}

// TestSidecarThatSomebodyElseWrites is changed between reading and writing.
func TestSidecarThatSomebodyElseWrites(t *testing.T) {
	dir := t.TempDir()
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	f := &folder{Sidecars: Sidecars{Dir: dir}, root: root}
	theirs := strings.ReplaceAll(curated, " MORE", "")
	write(t, dir, "a.jpg.xmp", theirs, 0o600)
	old, err := f.read("a.jpg.xmp")
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.ReplaceAll(theirs, `"5"`, `"4"`)
	write(t, dir, "a.jpg.xmp", changed, 0o600)
	if err := os.Chtimes(filepath.Join(dir, "a.jpg.xmp"), time.Time{}, time.Now().Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if err := f.apply(old, &sidecar.Estimate{PhotoID: "a"}, nil); !errors.Is(err, ErrFolder) {
		t.Errorf("written over: %v", err)
	}
	got, err := os.ReadFile(filepath.Join(dir, "a.jpg.xmp"))
	if err != nil || string(got) != changed {
		t.Errorf("%v: %s", err, got)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}
