package survey

import (
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"planetag/pipeline"
)

func noon(day int) time.Time { return time.Date(2019, 6, day, 12, 0, 0, 0, time.UTC) }

// put writes a file of an archive.
func put(t *testing.T, dir, key string, data []byte) {
	t.Helper()
	path := filepath.Join(dir, key)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func options(archive, out string) Options {
	cfg := pipeline.DefaultConfig()
	cfg.S3.MaxParallel = 4
	return Options{Archive: archive, Out: out, Config: cfg, Now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)}
}

// rows reads a manifest by column.
func rows(t *testing.T, path string) []map[string]string {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	lines, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]string
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, name := range lines[0] {
			row[name] = line[i]
		}
		all = append(all, row)
	}
	return all
}

func TestAFolderOfPhotos(t *testing.T) {
	dir := t.TempDir()
	phone := func(lat, lon float64, day int) shotOf { return shotOf{lat, lon, noon(day), "Phone 7"} }
	put(t, dir, "rome/1.jpg", phone(41.8902, 12.4922, 1).jpeg(200_000))
	put(t, dir, "rome/2.jpg", shotOf{at: noon(1).Add(40 * time.Minute), camera: "Camera"}.jpeg(10))
	put(t, dir, "rome/3.jpg", shotOf{at: noon(2), camera: "Camera"}.jpeg(10))
	put(t, dir, "rome/4.jpg", shotOf{at: noon(20), camera: "Camera"}.jpeg(10))
	put(t, dir, "rome.jpg", phone(-33.8568, 151.2153, 3).jpeg(10))
	put(t, dir, "rome/clock.jpg", shotOf{at: time.Date(2000, 1, 1, 0, 3, 0, 0, time.UTC), camera: "Camera"}.jpeg(10))
	put(t, dir, "rome/tomorrow.jpg", shotOf{at: time.Date(2039, 1, 1, 0, 3, 0, 0, time.UTC), camera: "Camera"}.jpeg(10))
	put(t, dir, "rome/island.jpg", shotOf{0.001, 0.001, noon(4), "Phone 7"}.jpeg(10))
	put(t, dir, "rome/note.jpg", []byte("not a photo at all"))
	put(t, dir, "rome/film.mov", make([]byte, 1000))
	put(t, dir, "private/1.jpg", phone(48.2, 16.3, 5).jpeg(10))
	put(t, dir, "LICENSE", []byte("text"))
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "rome/link.jpg")); err != nil {
		t.Fatal(err)
	}
	o := options(dir, filepath.Join(t.TempDir(), "m.csv"))
	o.OptOut = []string{"private/"}
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	var keys []string
	for _, row := range rows(t, o.Out) {
		keys = append(keys, row["id"])
	}
	want := []string{"rome.jpg", "rome/1.jpg", "rome/2.jpg", "rome/3.jpg", "rome/4.jpg", "rome/clock.jpg", "rome/island.jpg", "rome/note.jpg", "rome/tomorrow.jpg"}
	if !reflect.DeepEqual(keys, want) {
		t.Errorf("manifest of %v", keys)
	}
	first := rows(t, o.Out)[1]
	if !strings.HasPrefix(first["lat"], "41.8902") || !strings.HasPrefix(first["lon"], "12.4922") || first["taken_at"] != "2019-06-01T12:00:00Z" ||
		first["album"] != "rome" || first["source"] != "exif" || first["camera"] != "Phone 7" {
		t.Errorf("row %v", first)
	}
	if report.Photos != 9 || report.Positioned != 2 || report.Timed != 6 || report.SetAside[asideNull] != 1 ||
		report.Clocks.Future != 1 || report.Clocks.Unset != 1 || report.Clocks.Cameras["Camera"] != 2 || len(report.Unreadable) != 1 {
		t.Errorf("report %+v", report)
	}
	if got := report.Skipped; got[".mov"].Objects != 1 || got[".mov"].Bytes != 1000 || got["opted out"].Objects != 1 || got["without a known ending"].Objects != 1 {
		t.Errorf("skipped %+v", got)
	}
	if g := report.Gain; g != (Gain{Without: 6, InMixed: 6, WithinHour: 1, WithinDay: 2, CouldTeach: 2, TeachAlbums: 2}) {
		t.Errorf("gain %+v", g)
	}
	if report.BytesRead > 100_000 || report.Requests != 9 {
		t.Errorf("%d bytes read with %d requests", report.BytesRead, report.Requests)
	}
	info, err := os.Stat(o.Out)
	if err != nil || info.Mode() != fs.FileMode(0o600) {
		t.Errorf("the manifest's mode is %v, %v", info.Mode(), err)
	}
	if _, err := os.Stat(o.Out + ".journal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the journal is still there: %v", err)
	}
}

func TestPositionsThatEverybodyHas(t *testing.T) {
	dir := t.TempDir()
	for i := range 24 { // four albums over three months, one position to the last digit
		put(t, dir, fmt.Sprintf("trip%d/%02d.jpg", i%4, i), shotOf{52.5, 13.4, noon(1).AddDate(0, 0, 4*i), "Old"}.jpeg(1))
	}
	for i := range 30 { // one day on a tower
		put(t, dir, fmt.Sprintf("tower/%02d.jpg", i), shotOf{48.8584, 2.2945, noon(1), "Tripod"}.jpeg(1))
	}
	for i := range 30 { // a home: many days, but a receiver that trembles
		put(t, dir, fmt.Sprintf("home%d/%02d.jpg", i%6, i), shotOf{51.5 + float64(i)*1e-4, -0.1, noon(1).AddDate(0, 0, 4*i), "Phone"}.jpeg(1))
	}
	o := options(dir, filepath.Join(t.TempDir(), "m.csv"))
	report, err := Run(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if report.SetAside[asideShared] != 24 || report.Positioned != 60 {
		t.Errorf("%+v set aside, %d positioned", report.SetAside, report.Positioned)
	}
	for _, row := range rows(t, o.Out) {
		if aside := strings.HasPrefix(row["id"], "trip"); aside != (row["set_aside"] == asideShared) || aside != (row["lat"] == "") {
			t.Errorf("%v", row)
		}
	}
}

func TestDryRunReadsNothing(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a/1.jpg", shotOf{}.jpeg(1_000_000))
	put(t, dir, "b/2.heic", make([]byte, 10))
	put(t, dir, "b/3.mp4", make([]byte, 10))
	o := options(dir, "")
	o.DryRun = true
	report, err := Run(context.Background(), o)
	if err != nil || report.Photos != 2 || report.Requests != 2 || report.BytesRead != 64<<10+10 || report.Albums.Albums != 2 || report.Skipped[".mp4"].Objects != 1 {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestArchivesThatAreNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"no/such/folder", file, "s3://", "s3:///prefix"} {
		if _, err := Run(context.Background(), options(name, file+".csv")); !errors.Is(err, ErrArchive) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whatever the names: a folder is listed in the order of its keys, and behind any key.
func TestAFolderIsListedInTheOrderOfKeys(t *testing.T) {
	dir := t.TempDir()
	keys := []string{"a.jpg", "a/b.jpg", "a/b/c.jpg", "a0.jpg", "a-1.jpg", "b/z.jpg", "b.x/y.jpg", "é/1.jpg", "z", "a b/c d.jpg", "a//b.jpg"}
	for _, key := range keys[:len(keys)-1] {
		put(t, dir, key, []byte("x"))
	}
	want := slices.Sorted(slices.Values(keys[:len(keys)-1]))
	for i := -1; i < len(want); i++ {
		after := ""
		if i >= 0 {
			after = want[i]
		}
		var got []string
		err := folder{dir}.list(context.Background(), after, func(l pipeline.Listed) error {
			got = append(got, l.Key)
			return nil
		})
		if err != nil || !slices.Equal(got, want[i+1:]) {
			t.Errorf("behind %q: %q, %v; want %q", after, got, err, want[i+1:])
		}
	}
}
