package table

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"
)

type photo struct {
	ID   string    `parquet:"id"`
	Lat  *float64  `parquet:"lat,optional"`
	Size int64     `parquet:"size"`
	Seen time.Time `parquet:"seen,timestamp(microsecond)"`
}

func written(t testing.TB, rows ...photo) string {
	t.Helper()
	var file bytes.Buffer
	w := NewWriter[photo](&file)
	for _, r := range rows {
		if err := w.Write(r); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "t.parquet")
	if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func all(path string) (header []string, rows [][]string, err error) {
	r, err := Open(path)
	if err != nil {
		return nil, nil, err
	}
	defer r.Close()
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return r.Header, rows, nil
		}
		if err != nil {
			return nil, nil, err
		}
		rows = append(rows, row)
	}
}

func TestValuesAreWhatACSVWouldSay(t *testing.T) {
	at := time.Date(2019, 5, 1, 14, 3, 0, 250_000_000, time.FixedZone("", 7200))
	header, rows, err := all(written(t, photo{"a, \"b\"", new(-48.8566), 7, at}, photo{"", nil, -1, time.Unix(0, 0)}))
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"a, \"b\"", "-48.8566", "7", "2019-05-01T12:03:00.25Z"}, {"", "", "-1", "1970-01-01T00:00:00Z"}}
	if !reflect.DeepEqual(header, []string{"id", "lat", "size", "seen"}) || !reflect.DeepEqual(rows, want) {
		t.Errorf("%q\n%q", header, rows)
	}
}

func TestRowGroupsFollowEachOther(t *testing.T) {
	var rows []photo
	for i := range 2*group + 3 {
		rows = append(rows, photo{ID: fmt.Sprint(i)})
	}
	_, read, err := all(written(t, rows...))
	if err != nil || len(read) != len(rows) {
		t.Fatalf("%d rows of %d: %v", len(read), len(rows), err)
	}
	for i, row := range read {
		if row[0] != fmt.Sprint(i) {
			t.Fatalf("row %d is %q", i, row)
		}
	}
	if _, none, err := all(written(t)); err != nil || len(none) != 0 {
		t.Errorf("no rows: %q, %v", none, err)
	}
}

func TestNestedColumnsAreRefused(t *testing.T) {
	type nested struct {
		Tags []string `parquet:"tags"`
	}
	path := filepath.Join(t.TempDir(), "n.parquet")
	if err := parquet.WriteFile(path, []nested{{[]string{"a"}}}); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrTable) {
		t.Errorf("a list: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none.parquet")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}

// Whatever is flipped or cut: rows or ErrTable, never a panic.
func TestDamage(t *testing.T) {
	whole, err := os.ReadFile(written(t, photo{"a", new(1.5), 7, time.Unix(9, 0)}, photo{"b", nil, 8, time.Unix(9, 0)}))
	if err != nil {
		t.Fatal(err)
	}
	dir, refused := t.TempDir(), 0
	rapid.Check(t, func(r *rapid.T) {
		data := bytes.Clone(whole)
		for range rapid.IntRange(1, 4).Draw(r, "flips") {
			data[rapid.IntRange(0, len(data)-1).Draw(r, "at")] ^= byte(rapid.IntRange(1, 255).Draw(r, "bits"))
		}
		data = data[:rapid.IntRange(len(data)/2, len(data)).Draw(r, "length")]
		path := filepath.Join(dir, "d.parquet")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			r.Fatal(err)
		}
		if _, _, err := all(path); err != nil {
			if refused++; !errors.Is(err, ErrTable) {
				r.Fatalf("not said to be the file's fault: %v", err)
			}
		}
	})
	if refused == 0 {
		t.Error("no damage was seen")
	}
}
