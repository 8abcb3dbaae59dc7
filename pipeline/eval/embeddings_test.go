package eval

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"planetag/enrich"
	"planetag/enrich/cells/table"
)

func embedOptions(t *testing.T, csv string, photos map[string]string) EmbeddingsOptions {
	t.Helper()
	needLibrary(t)
	manifest, dir := write(t, csv, photos)
	return EmbeddingsOptions{Model: enrich.Options{Bundle: tiny}, Manifest: manifest, Photos: dir, Out: filepath.Join(t.TempDir(), "e.parquet")}
}

func rowsOf(t *testing.T, path string) (rows []map[string]string) {
	t.Helper()
	r, err := table.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	for {
		values, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			t.Fatal(err)
		}
		row := map[string]string{}
		for i, v := range values {
			row[r.Header[i]] = v
		}
		rows = append(rows, row)
	}
}

func TestEmbeddingsAreOfPhotosWithAPosition(t *testing.T) {
	o := embedOptions(t, `id,file,lat,lon,taken_at,album
red,r.jpg,41.9,12.5,2019-05-01T09:00:00Z,rome
nowhere,r.jpg,,,,
gone,gone.jpg,1,1,,
blue,b.jpg,40.7,-74,,
`, map[string]string{"r.jpg": "red", "b.jpg": "blue"})
	o.Views = 4
	var last int
	o.Progress = func(done, _ int) { last = max(last, done) }
	got, err := Embeddings(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got.Photos != 2 || got.Placeless != 1 || len(got.Unreadable) != 1 || got.Unreadable[0].ID != "gone" || got.Views != 5 || last != 3 {
		t.Errorf("%+v, progress %d", got, last)
	}
	rows := rowsOf(t, o.Out)
	if len(rows) != 2 || rows[0]["id"] != "red" || rows[0]["lat"] != "41.9" || rows[0]["album"] != "rome" || rows[1]["taken_at"] != "" {
		t.Fatalf("%.300q", rows)
	}
	for _, row := range rows {
		if n := len(row["embedding"]); n != 5*got.Width*4 {
			t.Errorf("%s: %d bytes for 5 views of %d", row["id"], n, got.Width)
		}
	}
	if info, err := os.Stat(o.Out); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file says where the photos were taken: %v, %v", info.Mode(), err)
	}
	// The first view is what the worker sees, and a second run sees the same.
	plain := o
	plain.Views, plain.Out = 0, filepath.Join(t.TempDir(), "p.parquet")
	if _, err := Embeddings(context.Background(), plain); err != nil {
		t.Fatal(err)
	}
	for i, row := range rowsOf(t, plain.Out) {
		if !strings.HasPrefix(rows[i]["embedding"], row["embedding"]) {
			t.Errorf("%s: the first view is another", row["id"])
		}
	}
	first, err := os.ReadFile(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Embeddings(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if again, err := os.ReadFile(o.Out); err != nil || !bytes.Equal(again, first) {
		t.Errorf("a second run differs: %v", err)
	}
}

func TestEmbeddingsOfNothing(t *testing.T) {
	o := embedOptions(t, "id,file,lat,lon\na,gone.jpg,1,1\n", nil)
	if _, err := Embeddings(context.Background(), o); !errors.Is(err, ErrPhotos) {
		t.Errorf("no photo: %v", err)
	}
	if left, err := os.ReadDir(filepath.Dir(o.Out)); err != nil || len(left) != 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	o.Manifest += ".parquet"
	if _, err := Embeddings(context.Background(), o); !errors.Is(err, ErrManifest) {
		t.Errorf("no manifest: %v", err)
	}
}

func TestMirrorAndLight(t *testing.T) {
	pixels := []byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	mirror(pixels)
	if want := []byte{4, 5, 6, 1, 2, 3, 10, 11, 12, 7, 8, 9}; !slices.Equal(pixels, want) {
		t.Errorf("mirrored %v", pixels)
	}
	pixels = []byte{0, 100, 200}
	lighten(pixels, 1.4)
	if want := []byte{0, 140, 255}; !slices.Equal(pixels, want) {
		t.Errorf("lightened %v", pixels)
	}
}

// TestParquetManifests are read as their CSV is.
func TestParquetManifests(t *testing.T) {
	type row struct {
		ID   string   `parquet:"id"`
		File string   `parquet:"file"`
		Lat  *float64 `parquet:"lat,optional"`
		Lon  *float64 `parquet:"lon,optional"`
		At   string   `parquet:"taken_at"`
	}
	save := func(rows ...row) string {
		var file bytes.Buffer
		w := table.NewWriter[row](&file)
		for _, r := range rows {
			if err := w.Write(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(t.TempDir(), "m.parquet")
		if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	rows, placeless, err := ReadManifestFile(save(row{"a", "a.jpg", new(1.5), new(-2.0), "2019-05-01"}, row{"b", "b.jpg", nil, nil, ""}))
	if err != nil || placeless != 1 || len(rows) != 1 || rows[0].Lat != 1.5 || rows[0].Lon != -2 || rows[0].TakenAt.Year() != 2019 || rows[0].Line != 1 {
		t.Errorf("%+v, %d, %v", rows, placeless, err)
	}
	_, _, err = ReadManifestFile(save(row{"a", "../a.jpg", new(1.0), new(1.0), ""}, row{"a", "a.jpg", new(91.0), new(1.0), ""}))
	if !errors.Is(err, ErrManifest) || !strings.Contains(err.Error(), "line 1, column file") || !strings.Contains(err.Error(), "line 2, column lat") {
		t.Errorf("%v", err)
	}
}
