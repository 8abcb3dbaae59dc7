package divide

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"planetag/enrich/cells"
)

// Whatever a file holds: no panic, every point is on the earth, every bad row
// has a line of the file and a reason, and an error says that it is the input's.
func FuzzText(f *testing.F) {
	f.Add([]byte("lat,lon,who\n1,2,ann\n"), 3, false)
	f.Add([]byte("lat\tlon\n\"1\n\",2\n,\n"), 1, true)
	f.Add([]byte("\ufeffLatitude,lng\r\nNaN,1\r\n1e309,0\r\n\"\"\"\"\"\n"), 40, false)
	f.Add([]byte("1,2\n-0,180\n"), 2, true)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, text []byte, block int, numbered bool) {
		path := filepath.Join(dir, "f.csv")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		columns := Columns{}
		if numbered {
			columns = Columns{"1", "2", "3"}
		}
		points, bad, err := readAll(&textFile{path, columns, int64(len(text)), 1 + abs(block)%200})
		if err != nil && !errors.Is(err, ErrInput) {
			t.Fatal(err)
		}
		for _, p := range points {
			if !cells.Valid(p.Lat, p.Lon) {
				t.Fatalf("%v is not on the earth", p)
			}
		}
		for _, b := range bad {
			if b.Reason != reasonEmpty && b.Row < 1 || b.Row > int64(len(text))+1 || b.Reason == "" || len(b.Text) > 200 {
				t.Fatalf("%+v", b)
			}
		}
	})
}

func abs(n int) int {
	if n < 0 {
		return max(-n, 0)
	}
	return n
}
