package bundle

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const withGallery = "../testdata/gallery"

func TestReadGallery(t *testing.T) {
	b, err := Read(withGallery)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.CheckFiles(context.Background()); err != nil {
		t.Fatal(err)
	}
	if m := b.Manifest; m.Head != HeadGallery || m.Gallery != (Gallery{"gallery.parquet", 9}) || m.Choices() != 9 || m.Cells.Count != 4 || m.Album.File != "" {
		t.Errorf("read %+v", m)
	}
	classes, err := Read(tiny)
	if err != nil {
		t.Fatal(err)
	}
	if n := classes.Manifest.Choices(); n != 4 {
		t.Errorf("the network of a bundle without a gallery chooses among %d", n)
	}
}

func TestReadRefusesGalleries(t *testing.T) {
	tests := []struct{ name, dir, old, new, want string }{
		{"a gallery that is not used", withGallery, "head: gallery", "head: classes", "gallery is given, but head is classes"},
		{"a gallery that is not there", tiny, "head: classes", "head: gallery", "gallery.file is empty"},
		{"a gallery that is not listed", withGallery, "gallery: {file: gallery.parquet", "gallery: {file: places.parquet", `gallery.file is "places.parquet", which is not among files`},
		{"fewer places than answers", withGallery, "count: 9", "count: 4", "gallery.count is 4, fewer than cnn.top_k 5"},
		{"no places", withGallery, "count: 9", "count: -1", "gallery.count is -1"},
		{"no cells", withGallery, "count: 4", "count: 0", "cells.count is 0, fewer than top_k 1"},
		{"a misspelt key", withGallery, "count: 9", "rows: 9", `unknown field "rows"`},
		{"an album mode that needs a model", withGallery, "modes: [none, average]", "modes: [none, average, lstm]", `album.file is "", which is not among files`},
		{"a default that needs a model", withGallery, "default: average", "default: lstm", `album.default is "lstm", which is not among`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(tt.dir)); err != nil {
				t.Fatal(err)
			}
			edit(t, dir, tt.old, tt.new)
			if _, err := Read(dir); !errors.Is(err, ErrBundle) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), filepath.Join(dir, ManifestName)) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}
