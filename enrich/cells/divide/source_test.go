package divide

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// point is a row as a source gives it.
type point struct {
	Lat, Lon float64
	Who      string
}

// readAll is everything a source holds.
func readAll(s Source) (points []point, bad []BadRow, err error) {
	err = s.Units(context.Background(), func(u Unit) error {
		return u.Rows(func(lat, lon float64, who string) { points = append(points, point{lat, lon, who}) },
			func(b BadRow) { bad = append(bad, b) })
	})
	return points, bad, err
}

func TestColumnsAreFoundByName(t *testing.T) {
	want := []point{{1.5, 2.5, "ann"}}
	for _, row := range []struct {
		story, text string
		columns     Columns
	}{
		{"usual names", "id,lat,lon,user\n7,1.5,2.5,ann\n", Columns{Photographer: "user"}},
		{"long names, other case, other order", "Longitude,User,LATITUDE\n2.5,ann,1.5\n", Columns{Photographer: "user"}},
		{"tabs, lng, spaces", "lat\tlng\tuser\n 1.5\t2.5 \tann\n", Columns{Photographer: "user"}},
		{"names of one's own", "y,x,by\n1.5,2.5,ann\n", Columns{"y", "x", "by"}},
		{"no header, numbered", "tok,1.5,2.5,ann\n", Columns{"2", "3", "4"}},
		{"a byte order mark, no last line end", "\ufefflat,lon,user\n1.5,2.5,ann", Columns{Photographer: "user"}},
	} {
		source, err := Open([]string{write(t, "c.csv", row.text)}, row.columns)
		if err != nil {
			t.Fatal(err)
		}
		if got, bad, err := readAll(source); err != nil || len(bad) > 0 || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v %v %v", row.story, got, bad, err)
		}
	}
}

func TestFilesThatCannotBeRead(t *testing.T) {
	for _, row := range []struct{ story, name, text, says string }{
		{"an empty file", "e.csv", "", "is empty"},
		{"no latitude", "e.csv", "id,lon\n1,2\n", "no column lat or latitude among id, lon"},
		{"a header that is none", "e.csv", "\"lat,lon\n", "header"},
		{"no parquet", "e.parquet", "lat,lon\n1,2\n", "open parquet"},
		{"a quote that never ends", "e.csv", "lat,lon\n\"" + strings.Repeat("1,2\n", mostRecord/4+blockSize), "line 2: the record does not end"},
	} {
		source, err := Open([]string{write(t, row.name, row.text)}, Columns{})
		if err == nil {
			_, _, err = readAll(source)
		}
		if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.story, err, row.says)
		}
	}
	if _, err := Open([]string{"no/such.csv"}, Columns{}); !errors.Is(err, ErrInput) {
		t.Errorf("no such file: %v", err)
	}
}

func TestBadRowsAreNamedAndCounted(t *testing.T) {
	text := "id,lat,lon\n" +
		"1,1,2\n" +
		"2,NaN,2\n" + // line 3
		"3,91,2\n" +
		"\"4\nstill 4\",1,540\n" + // a record on lines 5 and 6
		"5,north,2\n" + // line 7
		"6,1\n" +
		"7,1,\"2\n8,1,2\n" // line 9: a quote that never ends swallows the rest
	source, err := Open([]string{write(t, "bad.csv", text)}, Columns{})
	if err != nil {
		t.Fatal(err)
	}
	points, bad, err := readAll(source)
	if err != nil || len(points) != 1 {
		t.Fatal(points, err)
	}
	var got []string
	for _, b := range bad {
		got = append(got, fmt.Sprintf("%d %s %s", b.Row, b.Reason, b.Text))
	}
	want := []string{"3 not on the earth NaN, 2", "4 not on the earth 91, 2", "5 not on the earth 1, 540", "7 not a number north, 2", "8 2 columns, column 3 is needed ", `9 extraneous or missing " in quoted-field `}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

func TestTooManyBadRows(t *testing.T) {
	for _, row := range []struct {
		story, text string
		most        float64
		says        []string
	}{
		{"more than allowed", "lat,lon\n1,1\n1,1\n200,1\n", 0.3, []string{"1 of 3", "row 4: not on the earth: 200, 1", "--max-bad"}},
		{"exchanged columns", "lat,lon\n120,30\n121,31\n-100,40\n5,5\n", 0.1, []string{"3 of 4", "are the columns swapped?"}},
		{"nothing but bad rows, however many are allowed", "lat,lon\nx,y\n", 1, []string{"1 of 1"}},
		{"only a header", "lat,lon\n", 1, []string{"not a single row"}},
		{"photos that do not know where they are", "id,lat,lon\n1,,\n2,,\n", 1, []string{"none of 2 rows has a position"}},
	} {
		o := rules(10, 1)
		o.MaxBad = row.most
		_, err := build(t, o, Columns{}, write(t, "b.csv", row.text))
		if !errors.Is(err, ErrRows) && !errors.Is(err, ErrInput) {
			t.Errorf("%s: %v", row.story, err)
			continue
		}
		for _, says := range row.says {
			if !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, want %q", row.story, err, says)
			}
		}
	}
	o := rules(10, 1)
	o.MaxBad = 0.5
	if result, err := build(t, o, Columns{}, write(t, "b.csv", "lat,lon\n1,1\n200,1\n,\n")); err != nil || result.Bad.Rows != 1 || result.Bad.First[0].Row != 3 || result.Bad.Empty != 1 {
		t.Errorf("allowed bad rows: %+v %v", result.Bad, err)
	}
}

// Wherever the blocks of a file end, quoted line ends included, its records are
// the same and their lines are numbered right.
func TestBlocksDoNotPartRecords(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.SampledFrom([]string{"a", `"b"`, "\"two\nlines\"", "\"a \"\"word\"\"\n\n,\"", `""`})
		text, lines, want, wantBad := "who,lat,lon\n", int64(2), []point(nil), []int64(nil)
		for range rapid.IntRange(0, 20).Draw(t, "rows") {
			who := name.Draw(t, "who")
			lat := rapid.IntRange(-99, 99).Draw(t, "lat")
			text += fmt.Sprintf("%s,%d,7\n", who, lat)
			if lat >= -90 && lat <= 90 {
				plain := who
				if len(who) > 1 {
					plain = strings.ReplaceAll(who[1:len(who)-1], `""`, `"`)
				}
				want = append(want, point{float64(lat), 7, plain})
			} else {
				wantBad = append(wantBad, lines)
			}
			lines += int64(1 + strings.Count(who, "\n"))
		}
		path := filepath.Join(dir, "b.csv")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, bad, err := readAll(&textFile{path, Columns{Photographer: "who"}, 0, rapid.IntRange(1, 200).Draw(t, "block")})
		if err != nil {
			t.Fatal(err)
		}
		var gotBad []int64
		for _, b := range bad {
			gotBad = append(gotBad, b.Row)
		}
		if !reflect.DeepEqual(got, want) || !reflect.DeepEqual(gotBad, wantBad) {
			t.Fatalf("got  %v %v\nwant %v %v", got, gotBad, want, wantBad)
		}
	})
}

func TestSimulationIsSeeded(t *testing.T) {
	around, err := Open([]string{write(t, "c.csv", "lat,lon\n89.999,0\n-17,179.999\n41.9,12.5\n")}, Columns{})
	if err != nil {
		t.Fatal(err)
	}
	drawn := func(seed uint64) []point {
		source, err := Simulation{Around: around, Points: 2*simulatedUnit + 10, JitterKm: 5, Seed: seed}.Read(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		points, _, err := readAll(source)
		if err != nil {
			t.Fatal(err)
		}
		return points
	}
	first := drawn(1)
	if len(first) != 2*simulatedUnit+10 {
		t.Errorf("%d points", len(first))
	}
	if !reflect.DeepEqual(first, drawn(1)) || reflect.DeepEqual(first, drawn(2)) {
		t.Error("points must be those of their seed")
	}
	for _, p := range first {
		if wrongPosition(p.Lat, p.Lon).Reason != "" {
			t.Fatalf("%v is not on the earth", p)
		}
	}
	broken, err := Open([]string{write(t, "c.csv", "lat,lon\n1,1\n99,0\n")}, Columns{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (Simulation{Around: broken, Points: 1}).Read(context.Background()); !errors.Is(err, ErrRows) || !strings.Contains(err.Error(), "row 3") {
		t.Errorf("a list with a bad row: %v", err)
	}
}
