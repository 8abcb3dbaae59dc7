package forge

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
)

func sorted(list []recipe) []recipe {
	slices.SortStableFunc(list, func(a, b recipe) int { return bytes.Compare([]byte(a.detail), []byte(b.detail)) })
	return list
}

// segment is one marker of a JPEG with its length and content.
func segment(marker byte, content ...[]byte) []byte {
	body := join(content...)
	return join(be([]byte{0xff, marker}, uint16(len(body)+2)), body)
}

// at finds the first marker of a JPEG.
func at(data []byte, marker byte) int {
	for _, i := range markers(data) {
		if data[i+1] == marker {
			return i
		}
	}
	panic(fmt.Sprintf("internal error: no marker %x", marker))
}

// behindStart puts segments where cameras put theirs.
func behindStart(photo []byte, segments ...[]byte) []byte {
	return join(photo[:2], join(segments...), photo[2:])
}

// jpegs lie in the headers of a real JPEG, one field each.
func (f *Forge) jpegs() []recipe {
	p, progressive, cmyk := f.first(jpegFormat, "photo.jpg").data, f.first(jpegFormat, "progressive.jpg").data, f.first(jpegFormat, "cmyk.jpg").data
	frame := at(p, 0xc0)
	var list []recipe
	add := func(detail string, data []byte) {
		list = append(list, recipe{jpegFormat, "header", detail, fixed(data)})
	}
	for _, side := range [][2]uint16{{0, 0}, {1, 1}, {65535, 65535}, {65535, 1}, {1, 65535}, {10000, 9999}, {9999, 10000}, {65500, 1500}, {0, 300}, {300, 0}, {40, 40}} {
		for name, photo := range map[string][]byte{"baseline": p, "progressive": progressive, "cmyk": cmyk} {
			start := at(photo, map[bool]byte{true: 0xc2, false: 0xc0}[name == "progressive"])
			add(fmt.Sprintf("%d-by-%d-%s", side[1], side[0], name), patch(photo, start+5, be(side[0], side[1])))
		}
	}
	for _, n := range []byte{0, 1, 2, 4, 5, 10, 255} {
		add(fmt.Sprintf("%d-components", n), patch(p, frame+9, []byte{n}))
		add(fmt.Sprintf("%d-components-in-scan", n), patch(p, at(p, 0xda)+4, []byte{n}))
		add(fmt.Sprintf("%d-bits", n), patch(p, frame+4, []byte{n}))
	}
	for _, sampling := range []byte{0x00, 0x01, 0x10, 0x14, 0x41, 0x44, 0x33, 0x55, 0xff} {
		for component := range 3 {
			add(fmt.Sprintf("sampling-%02x-of-%d", sampling, component), patch(p, frame+11+3*component, []byte{sampling}))
		}
	}
	for marker := byte(0xc1); marker <= 0xcf; marker++ {
		add(fmt.Sprintf("frame-of-kind-%x", marker), patch(p, frame+1, []byte{marker}))
	}
	for _, spectral := range [][3]byte{{0, 0, 0}, {63, 0, 0}, {1, 63, 0}, {0, 63, 0x1f}, {255, 255, 255}} {
		scan := at(p, 0xda)
		add(fmt.Sprintf("scan-%d-to-%d-%x", spectral[0], spectral[1], spectral[2]), patch(p, scan+11, spectral[:]))
	}
	for _, interval := range []uint16{1, 2, 65535} {
		add(fmt.Sprintf("restart-every-%d", interval), behindStart(p, segment(0xdd, be(interval))))
	}
	return append(sorted(list), f.jpegStructures(p)...)
}

// jpegStructures break the order of the segments.
func (f *Forge) jpegStructures(p []byte) []recipe {
	scan, frame := at(p, 0xda), at(p, 0xc0)
	tables := func(class byte, counts [16]byte, symbols int) []byte {
		return segment(0xc4, []byte{class}, counts[:], make([]byte, symbols))
	}
	full := [16]byte{2, 4, 8, 16, 32, 64, 128}
	return []recipe{
		{jpegFormat, "structure", "end-at-once", fixed([]byte("\xff\xd8\xff\xd9"))},
		{jpegFormat, "structure", "starts-again-and-again", fixed(bytes.Repeat([]byte{0xff, 0xd8}, 100_000))},
		{jpegFormat, "structure", "scan-before-frame", fixed(join(p[:2], p[scan:]))},
		{jpegFormat, "structure", "no-tables", fixed(join(p[:2], p[frame:]))},
		{jpegFormat, "structure", "two-frames", fixed(join(p[:scan], p[frame:]))},
		{jpegFormat, "structure", "scan-of-zeros", fixed(join(p[:scan+14], make([]byte, 200_000)))},
		{jpegFormat, "structure", "scan-of-ff", fixed(join(p[:scan+14], bytes.Repeat([]byte{0xff}, 200_000)))},
		{jpegFormat, "structure", "scan-of-noise", func(rng *rand.Rand) []byte { return join(p[:scan+14], noise(rng, 500_000)) }},
		{jpegFormat, "structure", "scan-of-restarts", fixed(join(p[:scan+14], bytes.Repeat([]byte("\xff\xd0\xff\xd1\xff\xd2"), 100_000)))},
		{jpegFormat, "structure", "huffman-overfull", fixed(behindStart(p, tables(0, full, 254)))},
		{jpegFormat, "structure", "huffman-of-4080", fixed(behindStart(p, tables(0, [16]byte(bytes.Repeat([]byte{255}, 16)), 4080)))},
		{jpegFormat, "structure", "huffman-of-nothing", fixed(join(p[:scan], tables(0, [16]byte{}, 0), tables(0x10, [16]byte{}, 0), p[scan:]))},
		{jpegFormat, "structure", "huffman-table-15", fixed(behindStart(p, tables(0x1f, [16]byte{1}, 1)))},
		{jpegFormat, "structure", "quantised-by-zero", fixed(join(p[:frame], segment(0xdb, make([]byte, 65)), segment(0xdb, be(byte(1), make([]byte, 64))), p[frame:]))},
		{jpegFormat, "structure", "quantised-by-65535", fixed(join(p[:frame], segment(0xdb, be(byte(0x10), bytes.Repeat([]byte{0xff}, 128))), p[frame:]))},
		{jpegFormat, "structure", "quantisation-cut", fixed(behindStart(p, segment(0xdb, []byte{0x13, 1})))},
		{jpegFormat, "structure", "length-0", fixed(behindStart(p, []byte{0xff, 0xe2, 0, 0}))},
		{jpegFormat, "structure", "length-1", fixed(behindStart(p, []byte{0xff, 0xfe, 0, 1}))},
		{jpegFormat, "structure", "height-comes-later", fixed(join(patch(p, frame+5, be(uint16(0)))[:len(p)-2], segment(0xdc, be(uint16(300))), []byte{0xff, 0xd9}))},
		{jpegFormat, "structure", "adobe-of-no-colour", fixed(behindStart(p, segment(0xee, be("Adobe", uint16(100), uint32(0), byte(77)))))},
		{jpegFormat, "structure", "arithmetic-conditioning", fixed(behindStart(p, segment(0xcc, be(uint16(0xffff)))))},
		{jpegFormat, "structure", "two-photos", fixed(join(p, p))},
	}
}

func byFormat(list []recipe) []recipe {
	slices.SortStableFunc(list, func(a, b recipe) int {
		return bytes.Compare([]byte(a.format+" "+a.detail), []byte(b.format+" "+b.detail))
	})
	return list
}
