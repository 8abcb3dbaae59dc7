package enrich

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
	"planetag/enrich/infer"
)

func TestVerifyAcceptsTiny(t *testing.T) {
	report, err := Verify(context.Background(), Options{Library: library(t), Bundle: tiny, SkipGolden: true})
	if err != nil || !report.OK() {
		t.Fatalf("%v\n%s", err, report)
	}
	var names []string
	for _, c := range report.Checks {
		names = append(names, c.Name)
	}
	if got, want := strings.Join(names, " "), "manifest files cells decoder library cnn album golden precision"; got != want {
		t.Errorf("checks %s, want %s", got, want)
	}
}

// broken is a copy of the tiny bundle in which text of one file was replaced
// and the manifest agrees with it, as after a mistake of the maker.
func broken(t *testing.T, file, old, new string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(tiny)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, file)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s has no %q", file, old)
	}
	text = []byte(strings.ReplaceAll(string(text), old, new))
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if file != bundle.ManifestName {
		reseal(t, dir, file, text)
	}
	return dir
}

// reseal writes the size and the sum of a file into the manifest.
func reseal(t *testing.T, dir, file string, content []byte) {
	t.Helper()
	path := filepath.Join(dir, bundle.ManifestName)
	manifest, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(content)
	entry := regexp.MustCompile(`\{path: ` + regexp.QuoteMeta(file) + `,.*\}`)
	line := fmt.Sprintf("{path: %s, bytes: %d, sha256: %s}", file, len(content), hex.EncodeToString(sum[:]))
	if err := os.WriteFile(path, entry.ReplaceAll(manifest, []byte(line)), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestVerifyNamesTheCheckThatFails(t *testing.T) {
	const manifest, golden = bundle.ManifestName, "golden/golden.json"
	tests := []struct {
		name, file, old, new string
		check, want          string
		kind                 error
	}{
		{"another schema", manifest, "schema: 1", "schema: 9", "manifest", "schema is 9", bundle.ErrBundle},
		{"a sum of another file", manifest, "sha256: ", "sha256: 00000000", "manifest", "64 lower-case", bundle.ErrBundle},
		{"a class too many", manifest, "count: 4", "count: 5", "cells", "has 4 rows, bundle.yaml says 5", cells.ErrCells},
		{"another width in both graphs", manifest, "width: 8", "width: 16", "cnn", "embedding float32[any 8], want embedding float32[any 16]", infer.ErrGraph},
		{"another picture size", manifest, "size: 32", "size: 64", "cnn", "want pixels uint8[any 64 64 3]", infer.ErrGraph},
		{"another output of the album model", manifest, "input: embeddings, prob: prob", "input: embeddings, prob: scores", "album", `no output "scores"`, infer.ErrGraph},
		{"a graph that is none", "album.onnx", "LSTM", "LSTX", "album", "album.onnx", infer.ErrGraph},
		{"another crop than the maker's", manifest, "crop: 0.875", "crop: 0.5", "golden", "red.jpg: ", ErrGolden},
		{"another golden class", golden, `"top_cell": 3`, `"top_cell": 1`, "golden", "blue.jpg: cell 1 has", ErrGolden},
		{"a golden class outside the most probable", golden, `"top_cell": 3`, `"top_cell": 2`, "golden", "not among the 3 most probable", ErrGolden},
		{"another golden probability", golden, `"top_prob": 0.926928`, `"top_prob": 0.826928`, "golden", "blue.jpg: cell 3 has 0.927, want 0.827", ErrGolden},
		{"another golden embedding", golden, "0.909761", "-0.909761", "golden", "blue.jpg: embedding has cosine", ErrGolden},
		{"an album of other photos", golden, `"lstm_repeat"`, `"lstm_twice"`, "golden", "lstm_repeat has 0 answers for 3 photos", ErrGolden},
		{"no tolerance", golden, `"prob": 0.02`, `"prob": 0`, "golden", "needs photos, tolerance", ErrGolden},
		{"a golden photo elsewhere", golden, `"file": "red.jpg"`, `"file": "../../red.jpg"`, "golden", "../../red.jpg", ErrGolden},
		{"golden answers that are not JSON", golden, "{", "[", "golden", "golden.json", ErrGolden},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := Options{Library: library(t), Bundle: broken(t, tt.file, tt.old, tt.new)}
			report, err := Verify(context.Background(), o)
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) || report.OK() {
				t.Fatalf("got %v\nwant %v with %q\n%s", err, tt.kind, tt.want, report)
			}
			if len(report.Checks) != 9 {
				t.Fatalf("%d checks reported", len(report.Checks))
			}
			failed := false
			for _, c := range report.Checks {
				if c.Name == tt.check {
					failed = true
				}
				if c.OK == failed || c.Skipped != (failed && c.Name != tt.check) {
					t.Errorf("check %+v, want %s to be the first that fails", c, tt.check)
				}
			}
			if _, err := Load(context.Background(), o); !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), o.Bundle) {
				t.Errorf("load: %v", err)
			}
		})
	}
}

func TestLoadWithoutAnything(t *testing.T) {
	t.Run("no bundle", func(t *testing.T) {
		if _, err := Load(context.Background(), Options{Bundle: "nowhere"}); !errors.Is(err, bundle.ErrBundle) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no library", func(t *testing.T) {
		_, err := Load(context.Background(), Options{Bundle: tiny, Library: "/nowhere/libonnxruntime.so"})
		if !errors.Is(err, infer.ErrLibrary) || !strings.Contains(err.Error(), "make setup") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("no time", func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := Load(ctx, Options{Bundle: tiny}); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
	})
}

func TestReportForPeople(t *testing.T) {
	r := Report{Checks: []Check{{Name: "manifest", OK: true, Detail: "tiny@1"}, {Name: "files", Detail: "one\ntwo"}, {Name: "cells", Skipped: true, Detail: "not tried"}}}
	const want = "ok    manifest  tiny@1\nFAIL  files     one\n                two\n-     cells     not tried\n"
	if got := r.String(); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if r.OK() || (Report{}).OK() {
		t.Error("a report that is not complete is not ok")
	}
}

// TestShippedBundle holds the bundle that is shipped to the same checks.
func TestShippedBundle(t *testing.T) {
	const demo = "../bundles/demo"
	if _, err := os.Stat(demo); err != nil && os.Getenv("PLANETAG_REQUIRE_ALL") != "1" {
		t.Skipf("the demo bundle is not there: %v", err)
	}
	report, err := Verify(context.Background(), Options{Library: library(t), Bundle: demo})
	if err != nil {
		t.Fatalf("%v\n%s", err, report)
	}
}
