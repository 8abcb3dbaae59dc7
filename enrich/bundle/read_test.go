package bundle

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const tiny = "../testdata/tiny"

// copyTiny is a copy of the tiny bundle that a test may break.
func copyTiny(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(tiny)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// edit replaces text of the manifest in dir.
func edit(t *testing.T, dir, old, new string) {
	t.Helper()
	path := filepath.Join(dir, ManifestName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("the tiny manifest has no %q", old)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), old, new)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestReadTiny(t *testing.T) {
	b, err := Read(tiny)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.CheckFiles(context.Background()); err != nil {
		t.Fatal(err)
	}
	m := b.Manifest
	if m.Name != "tiny" || m.Version != "1.0.0" || m.CNN.Width != 8 || m.Cells.Count != 4 || len(m.Files) != 9 {
		t.Errorf("read %+v", m)
	}
	if len(b.SHA256) != 64 {
		t.Errorf("the bundle's own sum is %q", b.SHA256)
	}
}

func TestReadRefuses(t *testing.T) {
	tests := []struct{ name, old, new, want string }{
		{"another schema", "schema: 1", "schema: 2", "schema is 2, this version reads schema 1"},
		{"a gallery that is not there", "head: classes", "head: gallery", "gallery.file is empty, but head is gallery"},
		{"an unknown head", "head: classes", "head: hydra", `head is "hydra"`},
		{"a misspelt key", "licence:", "lisence:", `unknown field "lisence"`},
		{"a misspelt key far down", "p90_m: 2000000", "p9O_m: 2000000", `unknown field "p9O_m"`},
		{"text that is not YAML", "schema: 1", "schema: [", "bundle.yaml:\n"},
		{"a word for a number", "width: 8", "width: wide", "wide"},
		{"no licence", "licence: Apache-2.0", "licence: ''", "licence is empty"},
		{"a way out of the bundle", "path: cnn.onnx", "path: ../cnn.onnx", "does not stay inside"},
		{"an absolute path", "path: cnn.onnx", "path: /etc/passwd", "does not stay inside"},
		{"a detour", "path: cnn.onnx", "path: golden/../cnn.onnx", "does not stay inside"},
		{"a backslash", "path: cnn.onnx", `path: 'golden\cnn.onnx'`, "does not stay inside"},
		{"the manifest listing itself", "path: cnn.onnx", "path: bundle.yaml", "cannot list itself"},
		{"a file listed twice", "path: cnn.onnx", "path: album.onnx", "album.onnx is listed twice"},
		{"a sum of another kind", "sha256: ", "sha256: md5", "64 lower-case hexadecimal digits"},
		{"a graph that is not listed", "cnn: {file: cnn.onnx", "cnn: {file: other.onnx", `cnn.file is "other.onnx", which is not among files`},
		{"another colour order", "colour: rgb", "colour: bgr", `input.colour is "bgr", this version feeds "rgb" only`},
		{"another resize", "centre-crop bicubic antialiased", "stretch", "input.resize"},
		{"a crop of more than the photo", "crop: 0.875", "crop: 1.5", "input.crop is 1.5"},
		{"a crop that is no number", "crop: 0.875", "crop: .nan", "input.crop is NaN"},
		{"a picture without pixels", "size: 32", "size: 0", "input.size is 0"},
		{"batches that skip one", "buckets: [1, 2, 4, 8]", "buckets: [2, 4, 8]", "cnn.buckets must start at 1"},
		{"batches out of order", "buckets: [1, 2, 4, 8]", "buckets: [1, 4, 2]", "want ascending sizes"},
		{"widths that differ", "input: embeddings, prob: prob, cell: cell, width: 8", "input: embeddings, prob: prob, cell: cell, width: 9", "album.width is 9, but cnn.width is 8"},
		{"more answers than classes", "count: 4", "count: 2", "fewer than top_k 3"},
		{"an unknown mode", "lstm_repeat, blstm", "lstm_thrice, blstm", "lstm_thrice"},
		{"a default that is no mode", "default: lstm_repeat", "default: lstm_thrice", `album.default is "lstm_thrice"`},
		{"no calibration for a mode", "  average:\n", "  avarage:\n", "calibration.average is missing"},
		{"calibration for no mode", "  average:\n", "  avarage:\n", "calibration.avarage belongs to no mode"},
		{"told photos without a diary", "  average:\n", "  dated:\n", "calibration.dated needs album.diary"},
		{"a first step above zero", "confidence: 0.0", "confidence: 0.1", "must start at confidence 0"},
		{"steps that fall", "confidence: 0.8", "confidence: 0.3", "want ascending"},
		{"the same step twice", "confidence: 0.8", "confidence: 0.4", "want ascending"},
		{"a step beyond certainty", "confidence: 0.8", "confidence: 1.8", "want ascending from 0 to 1"},
		{"a step that is no number", "confidence: 0.8", "confidence: .nan", "want ascending"},
		{"a radius of nothing", "p50_m: 20000,", "p50_m: 0,", "want positive metres"},
		{"an infinite radius", "p90_m: 150000", "p90_m: .inf", "want positive metres"},
		{"a p90 inside the p50", "p90_m: 150000", "p90_m: 15000", "p50_m no greater than p90_m"},
		{"a temperature of zero", "temperature: 1.0", "temperature: 0", "temperature is 0"},
		{"abstaining from everything", "abstain_below: 0.4", "abstain_below: 1.4", "abstain_below is 1.4"},
		{"a cap finer than S2", "precision_cap_level: 12", "precision_cap_level: 31", "precision_cap_level is 31"},
		{"no cap", "precision_cap_level: 12\n", "", "precision_cap_level is 0"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := copyTiny(t)
			edit(t, dir, tt.old, tt.new)
			_, err := Read(dir)
			if !errors.Is(err, ErrBundle) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant ErrBundle with %q", err, tt.want)
			}
			if err != nil && !strings.Contains(err.Error(), filepath.Join(dir, ManifestName)) {
				t.Errorf("the error does not name the manifest: %v", err)
			}
		})
	}
}

func TestReadShowsTheLineOfAMisspeltKey(t *testing.T) {
	dir := copyTiny(t)
	edit(t, dir, "summary:", "sumary:")
	_, err := Read(dir)
	if err == nil || !strings.Contains(err.Error(), "[5:1]") || !strings.Contains(err.Error(), ">  5 | sumary: four cells") {
		t.Errorf("want line 5 with an excerpt, got:\n%v", err)
	}
}

func TestReadReportsEverythingAtOnce(t *testing.T) {
	dir := copyTiny(t)
	edit(t, dir, "name: tiny", "name: ''")
	edit(t, dir, "crop: 0.875", "crop: 0")
	edit(t, dir, "precision_cap_level: 12", "precision_cap_level: 99")
	_, err := Read(dir)
	for _, want := range []string{"name is empty", "input.crop is 0", "precision_cap_level is 99"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %q in %v", want, err)
		}
	}
}

func TestReadNeedsAManifest(t *testing.T) {
	if _, err := Read(t.TempDir()); !errors.Is(err, ErrBundle) || !strings.Contains(err.Error(), "give the directory of a bundle") {
		t.Errorf("an empty directory: %v", err)
	}
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, ManifestName), 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); !errors.Is(err, ErrBundle) {
		t.Errorf("a manifest that is a directory: %v", err)
	}
	dir = copyTiny(t)
	if err := os.WriteFile(filepath.Join(dir, ManifestName), make([]byte, maxManifest+1), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); !errors.Is(err, ErrBundle) {
		t.Errorf("a manifest of a megabyte: %v", err)
	}
}

func TestCalibrationIsAStepFunction(t *testing.T) {
	c := Calibration{Radius: []Radius{{0, 900, 9000}, {0.3, 300, 3000}, {0.8, 80, 800}}}
	for _, tt := range []struct{ confidence, want float64 }{
		{0, 900}, {0.2999, 900}, {0.3, 300}, {0.5, 300}, {0.8, 80}, {1, 80},
	} {
		if got := c.At(tt.confidence).P50; got != tt.want {
			t.Errorf("at %v the radius is %v, want %v", tt.confidence, got, tt.want)
		}
	}
}
