package forge

import (
	"bytes"
	"compress/lzw"
	"fmt"
	"math/rand/v2"
)

// gifOf is a GIF with a palette of four colours on a screen of w × h.
func gifOf(w, h uint16, blocks ...[]byte) []byte {
	return join([]byte("GIF89a"), le(w, h, byte(0x81), byte(0), byte(0)), make([]byte, 12), join(blocks...), []byte{0x3b})
}

// frame is an image descriptor with data of code size 2, cut into blocks.
func frame(left, top, w, h uint16, codes []byte) []byte {
	out := join([]byte{0x2c}, le(left, top, w, h, byte(0)), []byte{2})
	for len(codes) > 0 {
		n := min(255, len(codes))
		out = append(append(out, byte(n)), codes[:n]...)
		codes = codes[n:]
	}
	return append(out, 0)
}

func codesOf(pixels int) []byte {
	var out bytes.Buffer
	w := lzw.NewWriter(&out, lzw.LSB, 2)
	_, _ = w.Write(make([]byte, pixels)) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

func (f *Forge) gifs() []recipe {
	var list []recipe
	add := func(mutation, detail string, bake func() []byte) {
		list = append(list, recipe{"gif", mutation, detail, func(*rand.Rand) []byte { return bake() }})
	}
	small := frame(0, 0, 40, 40, codesOf(1600))
	for _, side := range [][2]uint16{{0, 0}, {1, 1}, {65535, 65535}, {65535, 1500}, {10000, 9999}, {0, 40}} {
		add("header", fmt.Sprintf("screen-of-%d-by-%d", side[0], side[1]), func() []byte { return gifOf(side[0], side[1], small) })
		add("header", fmt.Sprintf("frame-of-%d-by-%d", side[0], side[1]), func() []byte { return gifOf(40, 40, frame(0, 0, side[0], side[1], codesOf(1600))) })
		add("header", fmt.Sprintf("frame-at-%d-%d", side[0], side[1]), func() []byte { return gifOf(40, 40, frame(side[0], side[1], 40, 40, codesOf(1600))) })
	}
	for _, size := range []byte{0, 1, 9, 11, 12, 13, 255} {
		add("header", fmt.Sprintf("codes-of-%d-bits", size), func() []byte { return gifOf(40, 40, patch(small, 10, []byte{size})) })
	}
	for _, flags := range []byte{0x00, 0x07, 0x40, 0x80, 0x87, 0xff} {
		add("header", fmt.Sprintf("frame-flags-%x", flags), func() []byte { return gifOf(40, 40, patch(small, 9, []byte{flags})) })
		add("header", fmt.Sprintf("screen-flags-%x", flags), func() []byte { return patch(gifOf(40, 40, small), 10, []byte{flags}) })
	}
	add("structure", "no-frame", func() []byte { return gifOf(40, 40) })
	add("structure", "no-end", func() []byte { return bytes.TrimSuffix(gifOf(40, 40, small), []byte{0x3b}) })
	add("structure", "codes-that-only-clear", func() []byte {
		return gifOf(400, 400, frame(0, 0, 400, 400, bytes.Repeat([]byte{0x24, 0x49, 0x92}, 300_000)))
	})
	add("structure", "codes-of-nobody", func() []byte { return gifOf(400, 400, frame(0, 0, 400, 400, bytes.Repeat([]byte{0xff}, 300_000))) })
	add("structure", "blocks-of-nobody", func() []byte { return gifOf(40, 40, bytes.Repeat([]byte{0x99}, 10_000), small) })
	add("structure", "transparent-colour-255", func() []byte { return gifOf(40, 40, []byte{0x21, 0xf9, 4, 1, 0, 0, 255, 0}, small) })
	add("structure", "disposal-of-no-kind", func() []byte { return gifOf(40, 40, []byte{0x21, 0xf9, 4, 0xff, 255, 255, 0, 0}, small, small) })
	add("structure", "loops-cut", func() []byte { return gifOf(40, 40, []byte("\x21\xff\x0bNETSCAPE2.0\x03\x01"), small) })
	add("bomb", "100000-frames", func() []byte { return gifOf(40, 40, bytes.Repeat(frame(0, 0, 1, 1, codesOf(1)), 100_000)) })
	add("bomb", "3000-frames-of-4000-by-4000", func() []byte { return gifOf(4000, 4000, bytes.Repeat(frame(0, 0, 4000, 4000, codesOf(100)), 3000)) })
	add("bomb", "5000-by-5000", func() []byte { return gifOf(5000, 5000, frame(0, 0, 5000, 5000, codesOf(25_000_000))) })
	add("bomb", "10000-by-9999", func() []byte { return gifOf(10000, 9999, frame(0, 0, 10000, 9999, codesOf(25_000_000))) })
	add("bomb", "300000-comments", func() []byte { return gifOf(40, 40, bytes.Repeat([]byte("\x21\xfe\x01x\x00"), 300_000), small) })
	add("bomb", "frame-of-8-MiB", func() []byte { return gifOf(40, 40, frame(0, 0, 40, 40, make([]byte, 8*mega))) })
	return list
}
