package forge

import (
	"fmt"
	"math/rand/v2"
)

// File is one file and how it came to be.
type File struct {
	Name     string // format/mutation/number-detail: what was done to what
	Format   string // of the photo, or what the file pretends to be: jpeg, png, gif, webp, tiff, heic, avif, none
	Mutation string // the kind of change
	Good     bool   // nothing was changed: it must be located
	Data     []byte
}

// Forge makes the files of one seed. It may be used by many goroutines.
type Forge struct {
	seed    uint64
	photos  map[string][]photo // by format
	crafted []recipe
}

// recipe is one file that is written by hand. It may draw from rng what its content does not matter for.
type recipe struct {
	format, mutation, detail string
	bake                     func(rng *rand.Rand) []byte
}

// New reads the photos that are shipped with the repository at root.
func New(root string, seed uint64) (*Forge, error) {
	photos, err := load(root)
	if err != nil {
		return nil, err
	}
	f := &Forge{seed: seed, photos: photos}
	for _, chapter := range []func() []recipe{
		f.strangers, f.jpegs, f.jpegBombs, f.pngs, f.pngBombs, f.gifs, f.tiffs, f.tiffBombs, f.webps, f.heifs, f.heifLoops, f.exifs, f.sizes,
	} {
		f.crafted = append(f.crafted, chapter()...)
	}
	return f, nil
}

// Crafted is the number of files that are written by hand.
func (f *Forge) Crafted() int { return len(f.crafted) }

// File makes the n-th file, n ≥ 0.
func (f *Forge) File(n int) File {
	file := f.Label(n)
	if n < len(f.crafted) {
		file.Data = f.crafted[n].bake(f.dice(n))
	}
	return file
}

// Label is File for whoever needs no Data: what is written by hand has a name before it is baked, and some of it takes a second to bake.
func (f *Forge) Label(n int) File {
	if n < len(f.crafted) {
		r := f.crafted[n]
		return named(n, r.format, r.mutation, r.detail, nil)
	}
	rng := f.dice(n)
	p := f.pick(rng, formatAt(n))
	m := mutations()[rng.IntN(len(mutations()))]
	data, detail := m.change(f, rng, p)
	return named(n, p.format, m.name, p.name+"-"+detail, data)
}

func (f *Forge) dice(n int) *rand.Rand { return rand.New(rand.NewPCG(f.seed, uint64(n))) }

// Good returns the n-th photo of all that nothing was done to, over and over again.
func (f *Forge) Good(n int) File {
	list := f.photos[jpegFormat]
	p := list[n%len(list)]
	file := named(n, p.format, "none", p.name, p.data)
	file.Good = true
	return file
}

func named(n int, format, mutation, detail string, data []byte) File {
	return File{Name: fmt.Sprintf("%s/%s/%06d-%s", format, mutation, n, detail), Format: format, Mutation: mutation, Data: data}
}

// formatAt spreads the files over the formats; most photos are JPEG, so most files are.
func formatAt(n int) string {
	order := []string{jpegFormat, "png", "heic", jpegFormat, "tiff", "webp", "gif", "avif"}
	return order[n%len(order)]
}

func (f *Forge) pick(rng *rand.Rand, format string) photo {
	list := f.photos[format]
	return list[rng.IntN(len(list))]
}

// first is the first photo with that file name, which load has found.
func (f *Forge) first(format, name string) photo {
	for _, p := range f.photos[format] {
		if p.name == name {
			return p
		}
	}
	panic("internal error: no photo " + name)
}
