package forge

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

// Types of TIFF.
const (
	tByte, tText, tShort, tLong, tRational = 1, 2, 3, 4, 5
	tDouble, tIFD                          = 12, 13
)

// entry is one of a directory. Its value is the number itself or, of what is longer, the offset.
type entry struct {
	tag, kind    uint16
	count, value uint32
}

// directory is written at its place; the next one is elsewhere.
func directory(next uint32, list ...entry) []byte {
	out := le(uint16(len(list)))
	for _, e := range list {
		out = append(out, le(e.tag, e.kind, e.count)...)
		if e.kind == tShort && e.count == 1 {
			out = append(out, le(uint16(e.value), uint16(0))...)
			continue
		}
		out = append(out, le(e.value)...)
	}
	return append(out, le(next)...)
}

// tiffOf has its directory at 8 and, at 4096, 64 × 64 × 3 bytes of picture.
func tiffOf(next uint32, list ...entry) []byte {
	out := make([]byte, 4096+64*64*3)
	copy(out, "II*\x00\x08\x00\x00\x00")
	copy(out[8:], directory(next, list...))
	for i := 4096; i < len(out); i++ {
		out[i] = byte(i * 7)
	}
	return out
}

// plain is the directory of an honest picture, some entries replaced or, behind them, added.
func plain(changes ...entry) []entry {
	list := []entry{
		{256, tLong, 1, 64},
		{257, tLong, 1, 64},
		{258, tShort, 1, 8},
		{259, tShort, 1, 1},
		{262, tShort, 1, 2},
		{273, tLong, 1, 4096},
		{277, tShort, 1, 3},
		{278, tLong, 1, 64},
		{279, tLong, 1, 64 * 64 * 3},
		{284, tShort, 1, 1},
	}
	for _, c := range changes {
		replaced := false
		for i := range list {
			if list[i].tag == c.tag {
				list[i], replaced = c, true
			}
		}
		if !replaced {
			list = append(list, c)
		}
	}
	return list
}

// tiffs lie in one entry of the directory each.
func (f *Forge) tiffs() []recipe {
	var list []recipe
	add := func(mutation, detail string, changes ...entry) {
		list = append(list, recipe{"tiff", mutation, detail, fixed(tiffOf(0, plain(changes...)...))})
	}
	add("none", "honest")
	for _, lie := range []struct {
		tag    uint16
		values []uint32
	}{
		{256, []uint32{0, 1, 65535, 1 << 31, 0xffffffff}},
		{257, []uint32{0, 1, 65535, 1 << 31, 0xffffffff}},
		{258, []uint32{0, 1, 2, 3, 7, 9, 16, 24, 32, 64, 65535}},
		{259, []uint32{0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 32766, 32773, 32809, 32946, 34661, 34676, 34712, 34887, 34925, 50000, 50001, 50002, 65535}},
		{262, []uint32{0, 1, 3, 4, 5, 6, 8, 9, 10, 32803, 32844, 32845, 34892, 65535}},
		{273, []uint32{0, 8, 16000, 1 << 31, 0xffffffff}},
		{277, []uint32{0, 1, 2, 4, 5, 255, 65535}},
		{278, []uint32{0, 1, 65, 0xffffffff}},
		{279, []uint32{0, 1, 1 << 31, 0xffffffff}},
		{284, []uint32{0, 2, 3}},
		{317, []uint32{2, 3, 65535}},
		{338, []uint32{1, 2, 65535}},
		{339, []uint32{2, 3, 4, 5, 6, 65535}},
		{274, []uint32{0, 5, 8, 9, 65535}},
		{254, []uint32{1, 4, 0xffffffff}},
		{266, []uint32{2, 9}},
		{530, []uint32{0, 3, 65535}},
	} {
		for _, v := range lie.values {
			kind := uint16(tLong)
			if lie.tag != 256 && lie.tag != 257 && lie.tag != 273 && lie.tag != 278 && lie.tag != 279 && lie.tag != 254 {
				kind = tShort
			}
			add("header", fmt.Sprintf("tag-%d-is-%d", lie.tag, v), entry{lie.tag, kind, 1, v})
		}
	}
	return append(list, tiffCounts()...)
}

// tiffCounts say that an entry has none, many, or values of no type.
func tiffCounts() (list []recipe) {
	add := func(detail string, changes ...entry) {
		list = append(list, recipe{"tiff", "header", detail, fixed(tiffOf(0, plain(changes...)...))})
	}
	for _, tag := range []uint16{256, 258, 273, 279, 320, 324, 34675, 34665, 33723, 700, 347, 37724} {
		for _, count := range []uint32{0, 2, 65536, 1 << 28, 0xffffffff} {
			add(fmt.Sprintf("tag-%d-of-%d-values", tag, count), entry{tag, tLong, count, 8})
		}
		add(fmt.Sprintf("tag-%d-of-no-type", tag), entry{tag, 255, 1, 1})
	}
	return list
}

// tiled has tiles in place of strips: w × h of side × side.
func tiled(w, h, side, count uint32) []byte {
	return tiffOf(0, plain(
		entry{256, tLong, 1, w}, entry{257, tLong, 1, h}, entry{322, tLong, 1, side}, entry{323, tLong, 1, side}, entry{324, tLong, count, 4096},
		entry{325, tLong, count, 4096},
	)...)
}

// tiffBombs go round in circles, or ask for far more than they hold.
func (f *Forge) tiffBombs() []recipe {
	list := []recipe{
		{"tiff", "loop", "directory-follows-itself", fixed(tiffOf(8, plain()...))},
		{"tiff", "loop", "two-directories", fixed(chain(2, true))},
		{"tiff", "loop", "1000-directories", fixed(chain(1000, true))},
		{"tiff", "bomb", "60000-directories", func(*rand.Rand) []byte { return chain(60_000, false) }},
		{"tiff", "loop", "sub-directory-is-the-first", fixed(tiffOf(0, plain(entry{330, tLong, 1, 8})...))},
		{"tiff", "loop", "exif-is-the-first", fixed(tiffOf(0, plain(entry{34665, tLong, 1, 8}, entry{34853, tLong, 1, 8})...))},
		{"tiff", "loop", "1000-sub-directories", fixed(tiffOf(0, plain(entry{330, tIFD, 1000, 8})...))},
		{"tiff", "bomb", "65535-entries", func(*rand.Rand) []byte { return tiffOf(0, make([]entry, 300)...) }},
		{"tiff", "bomb", "no-entries", fixed(tiffOf(0))},
		{"tiff", "bomb", "tiles-of-1-by-1", fixed(tiled(9999, 9999, 1, 99_980_001))},
		{"tiff", "bomb", "tiles-of-16-by-16", fixed(tiled(9984, 9984, 16, 389_376))},
		{"tiff", "bomb", "tile-of-2-billion", fixed(tiled(64, 64, 1<<31-16, 1))},
		{"tiff", "bomb", "tile-of-60000", fixed(tiled(64, 64, 60_000, 1))},
		{"tiff", "bomb", "tile-of-0", fixed(tiled(64, 64, 0, 1))},
		{"tiff", "bomb", "strip-of-9990-rows-from-nowhere", fixed(tiffOf(0, plain(entry{256, tLong, 1, 9990}, entry{257, tLong, 1, 9990}, entry{278, tLong, 1, 9990})...))},
	}
	for name, depth := range map[string]uint32{"8": 8, "16": 16, "64": 64} {
		list = append(list, recipe{"tiff", "bomb", "deflated-zeros-of-" + name + "-bits", func(*rand.Rand) []byte {
			stream := zeros(int(9990 * 9990 * 3 * depth / 8 >> 20))
			return join(tiffOf(0, plain(entry{256, tLong, 1, 9990}, entry{257, tLong, 1, 9990}, entry{258, tShort, 1, depth}, entry{259, tShort, 1, 8},
				entry{278, tLong, 1, 9990}, entry{273, tLong, 1, 4096 + 64*64*3}, entry{279, tLong, 1, uint32(len(stream))})...), stream)
		}})
	}
	list = append(list, recipe{"tiff", "bomb", "all-strips-are-one", func(*rand.Rand) []byte { return oneStrip(9990) }})
	return sorted(list)
}

// chain is so many directories, one after another.
func chain(n int, round bool) []byte {
	size := len(directory(0, plain()...))
	out := tiffOf(0, plain()...)
	start := len(out)
	binary.LittleEndian.PutUint32(out[4:], uint32(start))
	for i := range n {
		next := uint32(start + (i+1)*size)
		if i == n-1 {
			next = 0
			if round {
				next = uint32(start)
			}
		}
		out = append(out, directory(next, plain()...)...)
	}
	return out
}

// oneStrip has side rows of which each is a strip of its own that lies where all the others do.
func oneStrip(side uint32) []byte {
	out := tiffOf(0, plain(
		entry{256, tLong, 1, side}, entry{257, tLong, 1, side}, entry{278, tLong, 1, 1}, entry{273, tLong, side, 16384}, entry{279, tLong, side, 16384 + 4*side},
	)...)
	for range side {
		out = append(out, le(uint32(16384))...)
	}
	for range side {
		out = append(out, le(side*3)...)
	}
	return out
}
