package cells

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad damages one byte of a good file: what comes back is a division of
// the earth or ErrCells, and never a panic. Each seed made parquet-go panic,
// the last one made it ask for all memory.
func FuzzLoad(f *testing.F) {
	good, err := os.ReadFile("../testdata/tiny/cells.parquet")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []struct {
		at   uint16
		flip byte
	}{{99, 1}, {100, 128}, {222, 1}, {429, 1}, {1149, 1}, {1240, 255}, {1264, 1}, {1544, 12}} {
		f.Add(seed.at, seed.flip)
	}
	f.Fuzz(func(t *testing.T, at uint16, flip byte) {
		bad := bytes.Clone(good)
		bad[int(at)%len(bad)] ^= flip
		path := filepath.Join(t.TempDir(), "cells.parquet")
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if c, err := Load(path); err != nil && !errors.Is(err, ErrCells) || err == nil && c.Len() == 0 {
			t.Fatalf("byte %d flipped by %d: %v, %v", at, flip, c, err)
		}
	})
}
