package bundle

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestOneFlippedByteIsFound flips one byte of every file of the bundle, in
// turn, at its beginning, middle and end.
func TestOneFlippedByteIsFound(t *testing.T) {
	b, err := Read(tiny)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range b.Manifest.Files {
		for _, at := range []int64{0, f.Bytes / 2, f.Bytes - 1} {
			t.Run(fmt.Sprint(f.Path, " byte ", at), func(t *testing.T) {
				dir := copyTiny(t)
				path := filepath.Join(dir, f.Path)
				data, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				data[at] ^= 1
				if err := os.WriteFile(path, data, 0o600); err != nil {
					t.Fatal(err)
				}
				broken, err := Read(dir)
				if err != nil {
					t.Fatal(err)
				}
				err = broken.CheckFiles(context.Background())
				if !errors.Is(err, ErrBundle) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), f.SHA256) {
					t.Fatalf("got %v, want ErrBundle with the file and its sum", err)
				}
				if sums := strings.Count(err.Error(), "sha256 ") + strings.Count(err.Error(), "says "); sums != 2 {
					t.Errorf("want both sums in %v", err)
				}
			})
		}
	}
}

func TestAFlippedByteOfTheManifestChangesTheBundle(t *testing.T) {
	dir := copyTiny(t)
	edit(t, dir, "four cells told", "Four cells told")
	before, err := Read(tiny)
	if err != nil {
		t.Fatal(err)
	}
	after, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	if before.SHA256 == after.SHA256 {
		t.Error("two manifests have one sum")
	}
}

func TestCheckFilesRefuses(t *testing.T) {
	tests := []struct {
		name, want string
		spoil      func(dir string) error
	}{
		{"a missing file", "cells.parquet: listed in bundle.yaml but missing", func(dir string) error {
			return os.Remove(filepath.Join(dir, "cells.parquet"))
		}},
		{"an unlisted file", "notes.txt: not listed", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600)
		}},
		{"an unlisted file far down", "old.jpg: not listed", func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "golden", "old.jpg"), nil, 0o600)
		}},
		{"a file cut short", "has 100 bytes, bundle.yaml says", func(dir string) error {
			return os.Truncate(filepath.Join(dir, "cnn.onnx"), 100)
		}},
		{"a link instead of a file", "want a regular file", func(dir string) error {
			path := filepath.Join(dir, "cnn.onnx")
			if err := os.Rename(path, filepath.Join(dir, "..", "real.onnx")); err != nil {
				return err
			}
			return os.Symlink("../real.onnx", path)
		}},
		{"a folder that is a link out", "golden", func(dir string) error {
			path := filepath.Join(dir, "golden")
			if err := os.Rename(path, filepath.Join(dir, "..", "elsewhere")); err != nil {
				return err
			}
			return os.Symlink("../elsewhere", path)
		}},
		{"a folder in place of a file", "cnn.onnx: is a d", func(dir string) error {
			path := filepath.Join(dir, "cnn.onnx")
			return errors.Join(os.Remove(path), os.Mkdir(path, 0o700))
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "bundle")
			if err := os.CopyFS(dir, os.DirFS(tiny)); err != nil {
				t.Fatal(err)
			}
			if err := tt.spoil(dir); err != nil {
				t.Fatal(err)
			}
			b, err := Read(dir)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.CheckFiles(context.Background()); !errors.Is(err, ErrBundle) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want ErrBundle with %q", err, tt.want)
			}
		})
	}
}

func TestCheckFilesEndsWithTheContext(t *testing.T) {
	b, err := Read(tiny)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.CheckFiles(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}
