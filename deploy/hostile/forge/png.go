package forge

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
)

const pngMagic = "\x89PNG\r\n\x1a\n"

func chunk(kind string, body []byte) []byte {
	sum := crc32.Update(crc32.ChecksumIEEE([]byte(kind)), crc32.IEEETable, body)
	return be(uint32(len(body)), kind, body, sum)
}

func headerChunk(w, h uint32, depth, colour, interlace byte) []byte {
	return chunk("IHDR", be(w, h, depth, colour, byte(0), byte(0), interlace))
}

func pngOf(chunks ...[]byte) []byte {
	return join([]byte(pngMagic), join(chunks...), chunk("IEND", nil))
}

func deflated(data []byte) []byte {
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, _ = w.Write(data) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// pngs lie in the chunks of small pictures, with right sums.
func (f *Forge) pngs() []recipe {
	var list []recipe
	add := func(mutation, detail string, data []byte) {
		list = append(list, recipe{"png", mutation, detail, fixed(data)})
	}
	one, three := chunk("IDAT", zeros(1)), chunk("IDAT", zeros(3))
	for colour := range byte(8) {
		for _, depth := range []byte{0, 1, 2, 3, 4, 8, 16, 32, 255} {
			add("header", fmt.Sprintf("colour-%d-of-%d-bits", colour, depth), pngOf(headerChunk(40, 40, depth, colour, 0), one))
		}
	}
	for _, side := range [][2]uint32{{0, 0}, {0, 40}, {1 << 31, 1 << 31}, {0xffffffff, 0xffffffff}, {0x7fffffff, 1}, {1, 0x7fffffff}, {50000, 50000}, {10_000_000, 40}} {
		add("header", fmt.Sprintf("%d-by-%d", side[0], side[1]), pngOf(headerChunk(side[0], side[1], 8, 2, 0), three))
	}
	return append(list, pngStructures()...)
}

// pngStructures leave chunks out, put them where they do not belong, or fill them with nonsense.
func pngStructures() []recipe {
	var list []recipe
	add := func(mutation, detail string, data []byte) {
		list = append(list, recipe{"png", mutation, detail, fixed(data)})
	}
	head, body := headerChunk(64, 64, 8, 2, 0), chunk("IDAT", deflated(make([]byte, 64*193)))
	rows := bytes.Repeat(append([]byte{9}, make([]byte, 192)...), 64)
	add("structure", "filter-of-no-kind", pngOf(head, chunk("IDAT", deflated(rows))))
	add("structure", "no-data", pngOf(head))
	add("structure", "empty-data", pngOf(head, chunk("IDAT", nil)))
	add("structure", "one-row", pngOf(head, chunk("IDAT", deflated(make([]byte, 193)))))
	add("structure", "no-header", pngOf(body))
	add("structure", "two-headers", pngOf(head, headerChunk(9000, 9000, 16, 6, 1), body))
	add("structure", "header-behind-data", pngOf(body, head))
	add("structure", "no-end", bytes.TrimSuffix(pngOf(head, body), chunk("IEND", nil)))
	add("structure", "wrong-sums", bytes.ReplaceAll(pngOf(head, body), body[len(body)-4:], []byte("sum?")))
	add("structure", "palette-of-nothing", pngOf(headerChunk(64, 64, 8, 3, 0), chunk("PLTE", nil), body))
	add("structure", "palette-of-999", pngOf(headerChunk(64, 64, 8, 3, 0), chunk("PLTE", make([]byte, 2997)), body))
	add("structure", "no-palette", pngOf(headerChunk(64, 64, 8, 3, 0), body))
	add("structure", "transparency-of-999", pngOf(headerChunk(64, 64, 8, 3, 0), chunk("PLTE", make([]byte, 9)), chunk("tRNS", make([]byte, 999)), body))
	add("structure", "interlace-of-no-kind", pngOf(headerChunk(64, 64, 8, 2, 9), body))
	add("structure", "dictionary", pngOf(head, chunk("IDAT", []byte("\x78\xbb\x00\x00\x00\x01\x03\x00"))))
	add("structure", "stored-block-lies", pngOf(head, chunk("IDAT", []byte("\x78\x01\x01\xff\xff\x00\x00xyz"))))
	add("structure", "critical-chunk-of-nobody", pngOf(head, chunk("ABCD", []byte("?")), body))
	for _, n := range []uint32{0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff4} {
		add("structure", fmt.Sprintf("length-%x", n), join([]byte(pngMagic), head, be(n, "IDAT"), body))
	}
	for kind, content := range map[string][]byte{
		"gAMA": be(uint32(0)), "cHRM": bytes.Repeat([]byte{0xff}, 32), "sBIT": {0, 99, 255}, "pHYs": be(uint32(0xffffffff), uint32(0), byte(9)), "hIST": make([]byte, 7),
		"acTL": be(uint32(0xffffffff), uint32(0)), "bKGD": {1}, "iCCP": []byte("no-end-of-name"), "sPLT": []byte("x\x00\x63"), "tIME": {0xff, 0xff, 99, 99, 99, 99, 99},
		"eXIf": []byte("MM"), "iTXt": []byte("XML:com.adobe.xmp\x00\x01\x00\x00\x00nonsense"), "oFFs": bytes.Repeat([]byte{0xff}, 9), "fdAT": be(uint32(1)),
	} {
		add("structure", "broken-"+kind, pngOf(head, chunk(kind, content), body))
	}
	return sorted(list)
}

// pngBombs unpack to much more than they are.
func (f *Forge) pngBombs() []recipe {
	var list []recipe
	for _, b := range []struct {
		w, h, megabytes          int
		depth, colour, interlace byte
	}{
		{50000, 50000, 2400, 8, 0, 0},
		{10000, 9999, 96, 8, 0, 0},
		{10000, 9999, 287, 8, 2, 0},
		{10000, 9999, 382, 8, 6, 0},
		{10000, 9999, 763, 16, 6, 0},
		{10000, 9999, 96, 8, 0, 1},
		{10000, 9999, 764, 16, 6, 1},
		{9999, 10000, 13, 1, 0, 1},
		{39000, 2500, 760, 16, 6, 1},
		{2500, 39000, 760, 16, 6, 0},
	} {
		list = append(list, recipe{"png", "bomb", fmt.Sprintf("%d-by-%d-depth-%d-colour-%d-interlace-%d", b.w, b.h, b.depth, b.colour, b.interlace), func(*rand.Rand) []byte {
			return pngOf(headerChunk(uint32(b.w), uint32(b.h), b.depth, b.colour, b.interlace), chunk("IDAT", zeros(b.megabytes)))
		}})
	}
	return append(list, pngFloods()...)
}

// pngFloods are small pictures beside which there is far too much of something else.
func pngFloods() []recipe {
	var list []recipe
	head, body := headerChunk(64, 64, 8, 2, 0), chunk("IDAT", deflated(make([]byte, 64*193)))
	add := func(detail string, bake func() []byte) {
		list = append(list, recipe{"png", "bomb", detail, func(*rand.Rand) []byte { return bake() }})
	}
	add("profile-of-500-MiB", func() []byte { return pngOf(head, chunk("iCCP", join([]byte("x\x00\x00"), zeros(500))), body) })
	add("text-of-500-MiB", func() []byte { return pngOf(head, chunk("zTXt", join([]byte("x\x00\x00"), zeros(500))), body) })
	add("texts-of-50-MiB-times-40", func() []byte {
		return pngOf(head, bytes.Repeat(chunk("zTXt", join([]byte("x\x00\x00"), zeros(50))), 40), body)
	})
	add("international-text-of-500-MiB", func() []byte {
		return pngOf(head, chunk("iTXt", join([]byte("x\x00\x01\x00\x00\x00"), zeros(500))), body)
	})
	add("100000-texts", func() []byte { return pngOf(head, bytes.Repeat(chunk("tEXt", []byte("a\x00b")), 100_000), body) })
	add("100000-chunks-of-nobody", func() []byte { return pngOf(head, bytes.Repeat(chunk("abCd", []byte("x")), 100_000), body) })
	add("chunk-of-20-MiB", func() []byte { return pngOf(head, chunk("abCd", make([]byte, 20*mega)), body) })
	add("100000-empty-data-chunks", func() []byte { return pngOf(head, bytes.Repeat(chunk("IDAT", nil), 100_000), body) })
	add("too-much-data", func() []byte { return pngOf(head, chunk("IDAT", zeros(1000))) })
	add("100000-frames", func() []byte {
		return pngOf(head, chunk("acTL", be(uint32(100_000), uint32(0))), body, bytes.Repeat(chunk("fcTL", make([]byte, 26)), 100_000))
	})
	return list
}
