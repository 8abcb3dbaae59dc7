package forge

import (
	"bytes"
	"fmt"
	"math/rand/v2"
)

// endless is a progressive grey JPEG in which each of many scans says "nothing to add" of every block: a hundred bytes a scan, and a walk over all blocks.
func endless(width, height uint16, scans int) []byte {
	blocks := (int(width) + 7) / 8 * ((int(height) + 7) / 8)
	one := func(class, symbol byte) []byte {
		return segment(0xc4, []byte{class}, append([]byte{1}, make([]byte, 15)...), []byte{symbol})
	}
	scan := func(from, to byte, bits int) []byte {
		return join(segment(0xda, []byte{1, 1, 0, from, to, 0}), make([]byte, (bits+7)/8))
	}
	// The code 0 and 14 zeros end 16,384 blocks at once.
	nothing := scan(1, 63, 15*(blocks/16384+1))
	return join(
		[]byte{0xff, 0xd8}, segment(0xdb, []byte{0}, bytes.Repeat([]byte{16}, 64)),
		segment(0xc2, be(byte(8), height, width, []byte{1, 1, 0x11, 0})), one(0, 0), one(0x10, 0xe0),
		scan(0, 0, blocks), bytes.Repeat(nothing, scans), []byte{0xff, 0xd9},
	)
}

// jpegBombs ask for much more work or memory than their bytes promise.
func (f *Forge) jpegBombs() []recipe {
	p, cmyk := f.first(jpegFormat, "photo.jpg").data, f.first(jpegFormat, "cmyk.jpg").data
	var list []recipe
	for _, b := range []struct {
		width, height uint16
		scans         int
	}{{600, 400, 100}, {600, 400, 20_000}, {4000, 3000, 99}, {4000, 3000, 3000}, {10000, 9990, 50}, {10000, 9990, 1000}, {10000, 9990, 20_000}, {6250, 16000, 5000}} {
		list = append(list, recipe{jpegFormat, "bomb", fmt.Sprintf("%d-scans-of-%d-by-%d", b.scans, b.width, b.height), func(*rand.Rand) []byte {
			return endless(b.width, b.height, b.scans)
		}})
	}
	comment := segment(0xfe, make([]byte, 65533))
	grown := func(data []byte, side uint16, marker byte) []byte {
		return patch(patch(data, at(data, 0xc0)+5, be(side, side)), at(data, 0xc0)+1, []byte{marker})
	}
	return append(
		list,
		recipe{jpegFormat, "bomb", "comments-of-20-MiB", func(*rand.Rand) []byte { return behindStart(p, bytes.Repeat(comment, 320)) }},
		recipe{jpegFormat, "bomb", "100000-markers", func(*rand.Rand) []byte { return behindStart(p, bytes.Repeat(segment(0xe0), 100_000)) }},
		recipe{jpegFormat, "bomb", "fill-of-8-MiB", func(*rand.Rand) []byte { return behindStart(p, bytes.Repeat([]byte{0xff}, 8*mega)) }},
		recipe{jpegFormat, "bomb", "arithmetic-9990", fixed(grown(p, 9990, 0xc9))},
		recipe{jpegFormat, "bomb", "arithmetic-progressive-9990", fixed(grown(p, 9990, 0xca))},
		recipe{jpegFormat, "bomb", "progressive-cmyk-9990", fixed(grown(cmyk, 9990, 0xc2))},
		recipe{jpegFormat, "bomb", "cmyk-9990", fixed(grown(cmyk, 9990, 0xc0))},
		recipe{jpegFormat, "bomb", "profile-of-16-MiB", func(*rand.Rand) []byte { return behindStart(p, profile(255, 65000)...) }},
		recipe{jpegFormat, "bomb", "cmyk-with-profile-of-16-MiB", func(*rand.Rand) []byte { return behindStart(cmyk, profile(255, 65000)...) }},
		recipe{jpegFormat, "profile", "of-nothing", fixed(behindStart(cmyk, profile(1, 0)...))},
		recipe{jpegFormat, "profile", "of-128-zeros", fixed(behindStart(cmyk, profile(1, 128)...))},
		recipe{jpegFormat, "profile", "one-of-255", fixed(behindStart(cmyk, profile(255, 100)[0]))},
		recipe{jpegFormat, "profile", "the-same-ten-times", fixed(behindStart(cmyk, bytes.Repeat(profile(1, 500)[0], 10)))},
		recipe{jpegFormat, "profile", "tags-without-end", fixed(behindStart(cmyk, segment(0xe2, []byte("ICC_PROFILE\x00\x01\x01"), tagged())))},
	)
}

// profile is a colour profile of zeros in so many segments.
func profile(chunks, size int) (list [][]byte) {
	for i := range chunks {
		list = append(list, segment(0xe2, []byte("ICC_PROFILE\x00"), []byte{byte(i + 1), byte(chunks)}, make([]byte, size)))
	}
	return list
}

// tagged is a profile whose header is right and whose tags are as many as fit into a number, each as long.
func tagged() []byte {
	head := make([]byte, 128)
	copy(head, be(uint32(4000), "lcms", uint32(0x04200000), "prtrCMYKLab "))
	copy(head[36:], "acsp")
	tags := bytes.Repeat(be("A2B0", uint32(0xfffffff0), uint32(0xffffffff)), 300)
	return join(head, be(uint32(0xffffffff)), tags)
}
