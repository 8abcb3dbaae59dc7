package forge

import (
	"crypto/sha256"
	"strings"
	"testing"
)

const root = "../../.."

func forge(t *testing.T, seed uint64) *Forge {
	t.Helper()
	f, err := New(root, seed)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// digest is of n files by name and content, from the last to the first: no file may depend on those before it.
func digest(f *Forge, from, to int) (sum [32]byte) {
	h := sha256.New()
	for n := to - 1; n >= from; n-- {
		file := f.File(n)
		h.Write([]byte(file.Name))
		h.Write(file.Data)
	}
	return [32]byte(h.Sum(nil))
}

func TestTheSameSeedMakesTheSameFiles(t *testing.T) {
	one, again, other := forge(t, 7), forge(t, 7), forge(t, 8)
	from, to := one.Crafted(), one.Crafted()+60
	for n := from; n < to; n += 13 {
		again.File(n) // in another order
	}
	if digest(one, from, to) != digest(again, from, to) {
		t.Error("the same seed made other files")
	}
	if digest(one, from, to) == digest(other, from, to) {
		t.Error("another seed made the same files")
	}
}

func TestEveryFileTellsItsRecipe(t *testing.T) {
	f, names, kinds := forge(t, 1), map[string]bool{}, map[string]int{}
	total := 0
	for n := range f.Crafted() + 500 {
		file := f.File(n)
		total += len(file.Data)
		if label := f.Label(n); label.Name != file.Name || label.Format != file.Format || label.Mutation != file.Mutation {
			t.Errorf("labelled %q, made %q", label.Name, file.Name)
		}
		if names[file.Name] || !strings.HasPrefix(file.Name, file.Format+"/"+file.Mutation+"/") || strings.ContainsAny(file.Name, " %?#+&") {
			t.Errorf("name %q", file.Name)
		}
		names[file.Name] = true
		kinds[file.Mutation]++
	}
	t.Logf("%d by hand, %d MB, %v", f.Crafted(), total/1e6, kinds)
	for _, kind := range strings.Fields("cut flip run repeat drop swap number lie splice stuff storm bomb loop exif header structure stranger polyglot size profile animation") {
		if kinds[kind] == 0 {
			t.Errorf("nothing is made by %s", kind)
		}
	}
}

func TestPhotosMustBeThere(t *testing.T) {
	if _, err := New(t.TempDir(), 1); err == nil {
		t.Error("forged from nothing")
	}
}
