package eval

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestReadManifest(t *testing.T) {
	const text = "\ufeffalbum,source_repo,licence,id,file,lat,lon,taken_at\n" +
		"rome,anna/trips,CC0,a,img/a.jpg,41.89,12.49,2019-05-01T14:03:00Z\n" +
		",,\"MIT, with a comma\",b,img/b.jpg,-33.8,151.2,\n" +
		"rome,,,c,img/c.jpg,41.9,12.5,2019-05-01T16:00:00\n"
	rows, _, err := ReadManifest(strings.NewReader(text), "m.csv")
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 3 {
		t.Fatalf("%d rows", len(rows))
	}
	want := Row{ID: "a", File: "img/a.jpg", Lat: 41.89, Lon: 12.49, Album: "rome", Source: "anna/trips", Line: 2, TakenAt: time.Date(2019, 5, 1, 14, 3, 0, 0, time.UTC)}
	if rows[0] != want {
		t.Errorf("got %+v, want %+v", rows[0], want)
	}
	if !rows[1].TakenAt.IsZero() || rows[1].Album != "" || rows[1].ID != "b" {
		t.Errorf("a photo with neither time nor album: %+v", rows[1])
	}
	if rows[2].TakenAt.Location() != time.UTC || rows[2].TakenAt.Hour() != 16 {
		t.Errorf("a time without an offset is UTC: %v", rows[2].TakenAt)
	}
}

func TestReadManifestRefuses(t *testing.T) {
	const header = "id,file,lat,lon,taken_at,album\n"
	for _, row := range []struct{ story, text, says string }{
		{"an empty file", "", "the file is empty; its first line must name the columns id,file,lat,lon"},
		{"only a header", header, "no rows"},
		{"a column is missing", "id,file,lat,taken_at\na,a.jpg,1,\n", "missing column lon (the header has: \"id\" \"file\" \"lat\" \"taken_at\")"},
		{"two latitudes", "id,file,lat,lon,lat\na,a.jpg,1,1,2\n", "column lat is there twice"},
		{"no photo knows its place", header + "a,a.jpg,,,,\nb,b.jpg,,,,\n", "none of 2 rows has a position"},
		{"half of a position", header + "a,a.jpg,1,,,\n", "line 2"},
		{"latitude is a word", header + "a,a.jpg,north,0,,\n", `line 2, column lat: "north" is not a number; write degrees`},
		{"a comma for a point", header + "a,a.jpg,\"48,85\",0,,\n", `line 2, column lat: "48,85" is not a number; write degrees with a decimal point`},
		{"no longitude", header + "a,a.jpg,1,,,\n", "line 2, column lon: empty"},
		{"latitude beyond the pole", header + "a,a.jpg,90.5,170,,\n", "line 2, column lat: 90.5 is outside -90…90"},
		{"longitude beyond the date line", header + "a,a.jpg,1,1,,\nb,b.jpg,1,180.5,,\n", "line 3, column lon: 180.5 is outside -180…180"},
		{"Sydney, swapped", header + "a,a.jpg,151.2,-33.9,,\n", "line 2, column lat: 151.2 is outside -90…90 and lon is -33.9: they look swapped"},
		{"not a number, literally", header + "a,a.jpg,1,NaN,,\n", `line 2, column lon: "NaN" is not a place`},
		{"endless", header + "a,a.jpg,-Inf,1,,\n", `line 2, column lat: "-Inf" is not a place`},
		{"two photos with one id", header + "a,a.jpg,1,1,,\na,b.jpg,1,1,,\n", `line 3, column id: "a" was already used on line 2`},
		{"a photo without id", header + ",a.jpg,1,1,,\n", "line 2, column id: empty"},
		{"a path out of the folder", header + "a,../../etc/passwd,1,1,,\n", "not a path inside the photos folder"},
		{"an absolute path", header + "a,/etc/passwd,1,1,,\n", "not a path inside the photos folder"},
		{"yesterday is not a time", header + "a,a.jpg,1,1,yesterday,\n", `line 2, column taken_at: "yesterday"`},
		{"a row too short", header + "a,a.jpg,1\nb,b.jpg,1,1,,\n", "line 2: 3 values, the header has 6 columns"},
		{"a quote that never ends", header + "a,\"a.jpg,1,1,,\nb,b.jpg,1,1,,\n", "stands in double quotes"},
		{"many bad rows: five are named", header + strings.Repeat("a,a.jpg,x,1,,\n", 9), "9 bad rows"},
		{"many bad rows: the rest is a number", header + strings.Repeat("a,a.jpg,x,1,,\n", 9), "and 4 more"},
	} {
		_, _, err := ReadManifest(strings.NewReader(row.text), "m.csv")
		if !errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "m.csv") {
			t.Errorf("%s: error %v, want ErrManifest saying %q", row.story, err, row.says)
		}
	}
}

func TestReadManifestFileNamesTheFile(t *testing.T) {
	_, _, err := ReadManifestFile("no/such/manifest.csv")
	if !errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), "no/such/manifest.csv") {
		t.Errorf("got %v", err)
	}
}

func TestRowsWithoutAPositionAreCounted(t *testing.T) {
	rows, placeless, err := ReadManifest(strings.NewReader("id,file,lat,lon\na,a.jpg,1,2\nb,b.jpg,,\nc,c.jpg, ,\n"), "m.csv")
	if err != nil || len(rows) != 1 || placeless != 2 {
		t.Errorf("%d rows, %d placeless, %v", len(rows), placeless, err)
	}
}
