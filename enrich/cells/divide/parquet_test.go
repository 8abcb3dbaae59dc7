package divide

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// photo is a row of a Parquet file of somebody else's making.
type photo struct {
	Latitude *float32 `parquet:"latitude,optional"`
	Lng      float64  `parquet:"lng"`
	User     int64    `parquet:"user"`
}

func TestParquet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.parquet")
	var rows []photo
	for i := range 5000 {
		p := photo{Lng: float64(i % 180), User: int64(i % 7)}
		if i%1000 != 999 {
			p.Latitude = new(float32)
			*p.Latitude = float32(i % 91)
		}
		rows = append(rows, p)
	}
	rows[1234].Lng = 181
	if err := parquet.WriteFile(path, rows, parquet.MaxRowsPerRowGroup(700)); err != nil {
		t.Fatal(err)
	}
	source, err := Open([]string{path}, Columns{Photographer: "user"})
	if err != nil {
		t.Fatal(err)
	}
	points, bad, err := readAll(source)
	if err != nil {
		t.Fatal(err)
	}
	if len(points) != 4994 || points[0] != (point{0, 0, "0"}) || points[4993] != (point{4998 % 91, 4998 % 180, "0"}) {
		t.Errorf("%d points, first %v, last %v", len(points), points[0], points[len(points)-1])
	}
	var got []string
	for _, b := range bad {
		got = append(got, fmt.Sprintf("%d %s", b.Row, b.Reason))
	}
	if want := "1000 half of a position is empty, 1235 not on the earth, 2000 half of a position is empty, 3000 half of a position is empty, 4000 half of a position is empty, 5000 half of a position is empty"; strings.Join(got, ", ") != want {
		t.Errorf("got  %s\nwant %s", strings.Join(got, ", "), want)
	}
	if _, err := Open([]string{path}, Columns{}); err != nil {
		t.Error(err)
	}
	words, err := Open([]string{path}, Columns{Lat: "user"})
	if err == nil {
		_, _, err = readAll(words)
	}
	if !errors.Is(err, ErrInput) || !strings.Contains(err.Error(), "column user is INT64") {
		t.Errorf("a latitude of whole numbers: %v", err)
	}
}

func TestDamagedParquetIsAnError(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.parquet")
	var rows []photo
	for i := range 3000 {
		rows = append(rows, photo{new(float32), float64(i % 100), 1})
	}
	if err := parquet.WriteFile(path, rows, parquet.Compression(&parquet.Snappy)); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for at := 4; at < len(whole); at += max(len(whole)/300, 1) {
		broken := append([]byte(nil), whole...)
		broken[at] ^= 0xff
		if err := os.WriteFile(path, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		source, err := Open([]string{path}, Columns{})
		if err == nil {
			_, _, err = readAll(source)
		}
		if err != nil {
			failed++
			if !errors.Is(err, ErrInput) {
				t.Errorf("byte %d: %v", at, err)
			}
		}
	}
	if failed == 0 {
		t.Error("no damage was noticed")
	}
}
