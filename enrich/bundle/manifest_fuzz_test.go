package bundle

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

// FuzzRead reads any text as bundle.yaml: what is taken keeps what the manifest promises, and means the same when it is written again.
func FuzzRead(f *testing.F) {
	good, err := os.ReadFile(filepath.Join(tiny, ManifestName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	other, err := os.ReadFile(filepath.Join(withGallery, ManifestName))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(other)
	for _, count := range []string{"count: 4}", "count: -9}", "count: 99999999999999999999}"} {
		f.Add([]byte(strings.ReplaceAll(string(other), "count: 9}", count)))
	}
	for _, change := range [][2]string{
		{"crop: 0.875", "crop: .nan"},
		{"crop: 0.875", "crop: 1e-300"},
		{"crop: 0.875", "crop: .inf"},
		{"cnn.onnx", "../cnn.onnx"},
		{"cnn.onnx", "/etc/passwd"},
		{"cnn.onnx", `a\b`},
		{"confidence: 0.8", "confidence: .inf"},
		{"p90_m: 150000", "p90_m: .nan"},
		{"p50_m: 20000", "p50_m: -20000"},
		{"temperature: 1.0", "temperature: .nan"},
		{"abstain_below: 0.4", "abstain_below: .nan"},
		{"bytes: 908", "bytes: 0x38c"},
		{"bytes: 908", "bytes: -1"},
		{"schema: 1", "schema: 1.0"},
		{"name: tiny", "name: &a tiny"},
		{"default: lstm_repeat", "default: lstm"},
		{"width: 8", "width: 99999999999999999999"},
	} {
		if !strings.Contains(string(good), change[0]) {
			f.Fatalf("the manifest has no %q", change[0])
		}
		f.Add([]byte(strings.ReplaceAll(string(good), change[0], change[1])))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		b, err := readText(t, text)
		if err != nil {
			if !errors.Is(err, ErrBundle) {
				t.Fatalf("error %v is not ErrBundle", err)
			}
			return
		}
		promised(t, b.Manifest)
		written, err := yaml.Marshal(b.Manifest)
		if err != nil {
			t.Fatal(err)
		}
		again, err := readText(t, written)
		if err != nil {
			t.Fatalf("does not read what it is: %v\n%s", err, written)
		}
		if diff := cmp.Diff(b.Manifest, again.Manifest); diff != "" {
			t.Errorf("changed (-before +after):\n%s", diff)
		}
	})
}

func readText(t *testing.T, text []byte) (*Bundle, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ManifestName), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return Read(dir)
}

func promised(t *testing.T, m Manifest) {
	t.Helper()
	seen := map[string]bool{}
	for _, file := range m.Files {
		if !filepath.IsLocal(file.Path) || seen[file.Path] || file.Bytes < 0 || len(file.SHA256) != 64 {
			t.Errorf("listed file %+v", file)
		}
		seen[file.Path] = true
	}
	if !seen[m.CNN.File] || !seen[m.Cells.File] || !seen[m.Golden] {
		t.Errorf("uses files that are not listed: %+v", m)
	}
	for _, file := range m.Album.files() {
		if !seen[file] {
			t.Errorf("uses an album graph that is not listed: %+v", m)
		}
	}
	if (m.Head == HeadGallery) != seen[m.Gallery.File] || m.Choices() < m.CNN.TopK {
		t.Errorf("a gallery that is not listed, or of too few places: %+v", m)
	}
	if !(m.Input.Crop > 0 && m.Input.Crop <= 1) || m.Input.Size < 16 || m.Input.Size > 4096 || m.CNN.Width < 1 || m.CNN.TopK < 1 || m.Schema != Schema {
		t.Errorf("out of range: %+v", m)
	}
	for kind, c := range m.Calibration {
		if !(c.Temperature > 0) || !(c.AbstainBelow >= 0 && c.AbstainBelow <= 1) {
			t.Errorf("%s: %+v", kind, c)
		}
		for _, r := range c.Radius {
			if !(r.Confidence >= 0 && r.Confidence <= 1 && r.P50 >= 0 && r.P90 >= r.P50) {
				t.Errorf("%s: step %+v", kind, r)
			}
		}
	}
}

// FuzzFileList lists a file under any name: whatever lies outside of the bundle is neither accepted nor said to be right.
func FuzzFileList(f *testing.F) {
	for _, seed := range []string{"a.txt", "../outside", "sub/../a.txt", "./a.txt", "link", "sub/link/outside", "/etc/hostname", "a.txt/", "", ".", "sub", "bundle.yaml", "A.TXT", "a.txt\x00", "link/../outside", `..\outside`} {
		f.Add(seed)
	}
	const sum = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881" // of "x"
	f.Fuzz(func(t *testing.T, name string) {
		dir := t.TempDir()
		inside := filepath.Join(dir, "bundle")
		for _, err := range []error{
			os.MkdirAll(filepath.Join(inside, "sub"), 0o700), os.WriteFile(filepath.Join(dir, "outside"), []byte("x"), 0o600),
			os.WriteFile(filepath.Join(inside, "a.txt"), []byte("x"), 0o600), os.Symlink("../outside", filepath.Join(inside, "link")), os.Symlink("../..", filepath.Join(inside, "sub", "link")),
		} {
			if err != nil {
				t.Fatal(err)
			}
		}
		m := Manifest{Files: []File{{Path: name, Bytes: 1, SHA256: sum}}}
		m.CNN.File, m.Album.File, m.Cells.File, m.Golden = name, name, name, name
		// The links that are not listed are wrong in any case, so only this one file is asked for.
		root, err := os.OpenRoot(inside)
		if err != nil {
			t.Fatal(err)
		}
		defer root.Close()
		if m.checkFiles() == nil && checkFile(root, m.Files[0]) == nil && name != "a.txt" {
			t.Errorf("%q was found to be right", name)
		}
		b := &Bundle{Dir: inside, Manifest: m}
		if err := b.CheckFiles(context.Background()); !errors.Is(err, ErrBundle) {
			t.Errorf("%q: links in a bundle passed: %v", name, err)
		}
	})
}
