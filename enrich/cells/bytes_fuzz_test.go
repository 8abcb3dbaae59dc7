package cells

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoadBytes reads anything as cells.parquet: what is taken divides the earth.
func FuzzLoadBytes(f *testing.F) {
	for _, path := range []string{"../testdata/tiny/cells.parquet"} {
		good, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(good)
		f.Add(good[:len(good)/2])
		f.Add(good[len(good)/2:])
		f.Add(append(append([]byte{}, good...), good...))
	}
	f.Add([]byte("PAR1\x00\x00\x00\x00PAR1"))
	f.Add([]byte("PAR1\xff\xff\xff\xffPAR1"))
	f.Add([]byte(nil))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "cells.parquet")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Load(path)
		if err != nil {
			if !errors.Is(err, ErrCells) {
				t.Fatalf("error %v is not ErrCells", err)
			}
			return
		}
		if c.Len() == 0 {
			t.Fatal("no cells, and no error")
		}
		for i, row := range c.rows {
			if !row.ID.IsValid() || !(row.Lat >= -90 && row.Lat <= 90 && row.Lon >= -180 && row.Lon <= 180) || row.Photos < 1 {
				t.Errorf("row %d: %+v", i, row)
			}
			if i > 0 && c.begs[i] <= c.ends[i-1] {
				t.Errorf("row %d overlaps the one before", i)
			}
			for _, place := range row.Places {
				if !(place.Share >= 0 && place.Share <= 1) {
					t.Errorf("row %d: %+v", i, place)
				}
			}
		}
	})
}

// FuzzParseToken takes a token only if it is the one that its cell has.
func FuzzParseToken(f *testing.F) {
	for _, seed := range []string{"132f6", "1", "3", "X", "", "0", "132F6", "132f60", "ffffffffffffffff", "00000000000000001", "1 ", "b", "2ef59bd352b93ac3", "B", "b0", "0b", "89c2", "89C25"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, token string) {
		id, err := ParseToken(token)
		switch {
		case err != nil && (id != 0 || !errors.Is(err, ErrCells)):
			t.Errorf("%q: %v beside %v", token, id, err)
		case err == nil && (!id.IsValid() || id.ToToken() != token || id.Level() < 0 || id.Level() > 30):
			t.Errorf("%q is taken for %v", token, id)
		}
	})
}
