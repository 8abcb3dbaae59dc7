package cells

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestListsThatAreNone(t *testing.T) {
	for _, row := range []struct{ story, text, says string }{
		{"nothing in it", "", "not a single row"},
		{"a header", "cell,lat,lon\n", `"cell" is not an S2 cell token`},
		{"two columns", "132f7\t41.9\n", "neither parquet nor a list"},
		{"no number", "132f7,41.9,east\n", "line 1"},
		{"a location far outside of its cell", "132f7,0,0\n", "outside the cell"},
		{"one cell twice", "132f7,41.9,12.5\n132f7,41.9,12.5\n", "overlap"},
	} {
		path := filepath.Join(t.TempDir(), "list")
		if err := os.WriteFile(path, []byte(row.text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, _, err := Open(path); !errors.Is(err, ErrCells) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want %q", row.story, err, row.says)
		}
	}
	if _, _, err := Open("no/such/list"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
}

func TestOpenTellsParquetFromAList(t *testing.T) {
	c, counted, err := Open("../../bundles/demo/cells.parquet")
	if err != nil || !counted || c.Summary().Photos < int64(c.Len()) {
		t.Errorf("%v, %v", counted, err)
	}
	list, counted, err := Open("testdata/wherml_excerpt.tsv")
	if err != nil || counted || list.Summary().Photos != int64(list.Len()) {
		t.Errorf("%v, %v", counted, err)
	}
}
