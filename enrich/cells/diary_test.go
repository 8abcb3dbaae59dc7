package cells

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
)

// diaryRow is how parquet-go writes what train/diary.py writes with pyarrow.
type diaryRow struct {
	Day    int32 `parquet:"day,date"`
	Row    int32 `parquet:"row"`
	Photos int64 `parquet:"photos"`
}

func TestLoadDiary(t *testing.T) {
	table, err := Load("../testdata/tiny/cells.parquet")
	if err != nil {
		t.Fatal(err)
	}
	write := func(t *testing.T, rows any) string {
		t.Helper()
		path := filepath.Join(t.TempDir(), "diary.parquet")
		var err error
		switch rows := rows.(type) {
		case []diaryRow:
			err = parquet.WriteFile(path, rows)
		case []struct {
			Day int32 `parquet:"day"`
		}:
			err = parquet.WriteFile(path, rows)
		case string:
			err = os.WriteFile(path, []byte(rows), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	got, err := table.LoadDiary(write(t, []diaryRow{{19000, 2, 5}, {-3, 0, 1}}))
	if want := []Entry{{19000, 2, 5}, {-3, 0, 1}}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
	for _, row := range []struct {
		story string
		rows  any
		want  string
	}{
		{"a cell there is not", []diaryRow{{19000, 1, 5}, {19000, 4, 5}}, "row 1: 5 photos in row 4 of 4 cells"},
		{"a cell before the first", []diaryRow{{19000, -1, 5}}, "row -1 of 4 cells"},
		{"a day without photos", []diaryRow{{19000, 1, 0}}, "0 photos"},
		{"nothing", []diaryRow{}, "not a single row"},
		{"days without cells", []struct {
			Day int32 `parquet:"day"`
		}{{19000}}, `column "row" is missing`},
		{"no parquet", "dear diary", "open parquet"},
	} {
		if _, err := table.LoadDiary(write(t, row.rows)); !errors.Is(err, ErrDiary) || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v, want %q", row.story, err, row.want)
		}
	}
	if _, err := table.LoadDiary(filepath.Join(t.TempDir(), "none")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
