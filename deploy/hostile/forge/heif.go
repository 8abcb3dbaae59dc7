package forge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

func box(kind string, body ...[]byte) []byte {
	content := join(body...)
	return join(be(uint32(len(content)+8), kind), content)
}

func fullBox(kind string, version byte, body ...[]byte) []byte {
	return box(kind, []byte{version, 0, 0, 0}, join(body...))
}

// codec is what a real HEIC or AVIF says about how its coded picture is to be read, and that picture.
type codec struct {
	format, brand, item string
	config, coded       []byte
	width, height       uint32
}

// item is one of a made file. Its properties are the codec's configuration, its size, and one more.
type item struct {
	kind     string
	data     []byte
	extents  int // how many times data is named; 0 = once
	refers   []uint16
	width    uint32
	height   uint32
	property []byte // nil = no more
}

// codecs takes the two real files apart; the offsets are those of the shipped files' own index.
func (f *Forge) codecs() []codec {
	heic, avif := f.first("heic", "photo.heic").data, f.first("avif", "photo.avif").data
	return []codec{
		{"heic", "heic", "hvc1", boxAt(heic, "hvcC"), heic[518 : 518+6489], 158, 112},
		{"avif", "avif", "av01", boxAt(avif, "av1C"), avif[275 : 275+1561], 120, 90},
	}
}

func boxAt(data []byte, kind string) []byte {
	i := bytes.Index(data, []byte(kind)) - 4
	return data[i : i+int(binary.BigEndian.Uint32(data[i:]))]
}

// file puts items together; they are numbered from 1, and the first is the one that is shown.
func (c codec) file(items ...item) []byte {
	head := box("ftyp", []byte(c.brand), be(uint32(0)), []byte("mif1"+c.brand))
	var pool, infos, places, properties, links, references []byte
	index := byte(1) // of the last property; the first is the codec's configuration
	for i, it := range items {
		id := uint16(i + 1)
		infos = append(infos, fullBox("infe", 2, be(id, uint16(0), it.kind, byte(0)))...)
		n := max(1, it.extents)
		places = append(places, be(id, uint16(0), uint16(0), uint16(n))...)
		places = append(places, bytes.Repeat(be(uint32(len(head)+8+len(pool)), uint32(len(it.data))), n)...)
		pool = append(pool, it.data...)
		own := []byte{}
		if it.kind == c.item {
			own = []byte{0x81}
		}
		for _, property := range it.properties() {
			index = index%127 + 1
			properties, own = append(properties, property...), append(own, index)
		}
		links = append(links, be(id, byte(len(own)), own)...)
		if len(it.refers) > 0 {
			references = append(references, box("dimg", be(id, uint16(len(it.refers)), it.refers))...)
		}
	}
	meta := fullBox("meta", 0,
		fullBox("hdlr", 0, make([]byte, 4), []byte("pict"), make([]byte, 13)), fullBox("pitm", 0, be(uint16(1))),
		fullBox("iloc", 1, []byte{0x44, 0}, be(uint16(len(items))), places), fullBox("iinf", 0, be(uint16(len(items))), infos),
		box("iprp", box("ipco", c.config, properties), fullBox("ipma", 0, be(uint32(len(items))), links)),
		fullBox("iref", 0, references))
	return join(head, box("mdat", pool), meta)
}

// properties are those of the item alone.
func (it item) properties() [][]byte {
	size := fullBox("ispe", 0, be(it.width, it.height))
	if it.property == nil {
		return [][]byte{size}
	}
	return [][]byte{size, it.property}
}

// shown is the coded picture as an item.
func (c codec) shown() item {
	return item{kind: c.item, data: c.coded, width: c.width, height: c.height}
}

func grid(rows, columns byte, w, h uint32, refers ...uint16) item {
	return item{kind: "grid", data: be(byte(0), byte(1), rows, columns, w, h), width: w, height: h, refers: refers}
}

// heifs lie about sizes and places.
func (f *Forge) heifs() []recipe {
	var list []recipe
	for _, c := range f.codecs() {
		add := func(mutation, detail string, items ...item) {
			list = append(list, recipe{c.format, mutation, detail, fixed(c.file(items...))})
		}
		add("none", "honest", c.shown())
		add("none", "honest-grid", grid(0, 0, c.width, c.height, 2), c.shown())
		for _, side := range [][2]uint32{{0, 0}, {1, 1}, {16, 16}, {9999, 9999}, {10001, 10001}, {65535, 65535}, {0xffffffff, 0xffffffff}, {1 << 31, 2}} {
			lying := c.shown()
			lying.width, lying.height = side[0], side[1]
			add("header", fmt.Sprintf("size-of-%d-by-%d", side[0], side[1]), lying)
			add("header", fmt.Sprintf("grid-of-%d-by-%d", side[0], side[1]), grid(0, 0, side[0], side[1], 2), c.shown())
		}
		for name, property := range map[string][]byte{
			"turned-200": box("irot", []byte{200}), "mirrored-99": box("imir", []byte{99}), "clap-by-zero": box("clap", make([]byte, 32)),
			"clap-of-billions": box("clap", bytes.Repeat([]byte{0x7f, 0xff, 0xff, 0xff}, 8)), "clap-below-zero": box("clap", bytes.Repeat([]byte{0x80, 0, 0, 1}, 8)),
			"pixels-of-255-channels": fullBox("pixi", 0, bytes.Repeat([]byte{255}, 256)), "profile-of-nothing": box("colr", []byte("prof")),
			"profile-of-16-MiB": box("colr", []byte("prof"), make([]byte, 16*mega)), "colour-of-nobody": box("colr", []byte("nclx"), bytes.Repeat([]byte{255}, 7)),
		} {
			odd := c.shown()
			odd.property = property
			add("property", name, odd)
		}
		add("structure", "no-items")
		add("structure", "data-of-nothing", item{kind: c.item, width: c.width, height: c.height})
		add("structure", "data-of-noughts", item{kind: c.item, data: make([]byte, 5000), width: c.width, height: c.height})
		add("structure", "item-of-no-kind", item{kind: "????", data: c.coded, width: 64, height: 64})
		add("structure", "mime-item", item{kind: "mime", data: []byte("text/html\x00"), width: 64, height: 64})
		add("structure", "uncompressed", item{kind: "unci", data: make([]byte, 64*64*3), width: 64, height: 64})
	}
	return byFormat(list)
}

// heifLoops refer to themselves, name the same bytes again and again, or nest without end.
func (f *Forge) heifLoops() []recipe {
	var list []recipe
	for _, c := range f.codecs() {
		add := func(mutation, detail string, bake func() []byte) {
			list = append(list, recipe{c.format, mutation, detail, func(*rand.Rand) []byte { return bake() }})
		}
		same := func(id uint16, n int) (ids []uint16) {
			for range n {
				ids = append(ids, id)
			}
			return ids
		}
		identity := func(of uint16) item { return item{kind: "iden", width: 64, height: 64, refers: []uint16{of}} }
		add("loop", "grid-of-itself", func() []byte { return c.file(grid(0, 0, 64, 64, 1)) })
		add("loop", "grid-of-grid-of-grid", func() []byte { return c.file(grid(0, 0, 64, 64, 2), grid(0, 0, 64, 64, 1)) })
		add("loop", "identity-of-itself", func() []byte { return c.file(identity(1)) })
		add("loop", "identity-of-identity", func() []byte { return c.file(identity(2), identity(1)) })
		add("loop", "grids-double-20-times", func() []byte { return c.file(doubling(c, 20)...) })
		add("bomb", "grid-of-65536", func() []byte { return c.file(grid(255, 255, 256*c.width, 256*c.height, same(2, 65535)...), c.shown()) })
		add("bomb", "grid-of-4096", func() []byte { return c.file(grid(63, 63, 9984, 7000, same(2, 4096)...), c.shown()) })
		add("bomb", "overlay-of-60000", func() []byte {
			head := join([]byte{0, 0}, make([]byte, 8), be(uint32(9000), uint32(9000)), make([]byte, 4*60_000))
			return c.file(item{kind: "iovl", data: head, width: 9000, height: 9000, refers: same(2, 60_000)}, c.shown())
		})
		add("bomb", "the-same-bytes-65535-times", func() []byte {
			again := c.shown()
			again.extents = 65535
			return c.file(again)
		})
		add("bomb", "10000-items", func() []byte { return c.file(append([]item{c.shown()}, make([]item, 10_000)...)...) })
		list = append(list, heifStructures(c)...)
	}
	return list
}

// heifStructures lie about the lengths of boxes.
func heifStructures(c codec) (list []recipe) {
	add := func(mutation, detail string, bake func() []byte) {
		list = append(list, recipe{c.format, mutation, detail, func(*rand.Rand) []byte { return bake() }})
	}
	good := c.file(c.shown())
	first := int(binary.BigEndian.Uint32(good)) // mdat begins there
	for _, n := range []uint32{0, 1, 7, 0x7fffffff, 0xffffffff} {
		add("structure", fmt.Sprintf("first-box-of-%x", n), func() []byte { return patch(good, 0, be(n)) })
		add("structure", fmt.Sprintf("data-box-of-%x", n), func() []byte { return patch(good, first, be(n)) })
		add("structure", fmt.Sprintf("meta-box-of-%x", n), func() []byte { return patch(good, bytes.Index(good, []byte("meta"))-4, be(n)) })
	}
	add("structure", "long-box-below-zero", func() []byte { return join(good[:first], be(uint32(1), "free", int64(-1)), good[first:]) })
	add("loop", "boxes-in-boxes", func() []byte { return join(good[:first], nested("meta", 3000), good[first:]) })
	add("loop", "containers-in-containers", func() []byte { return join(good[:first], nested("iprp", 3000), good[first:]) })
	add("bomb", "100000-empty-boxes", func() []byte { return join(good[:first], bytes.Repeat(box("free"), 100_000), good[first:]) })
	return list
}

// doubling is a grid of two, each a grid of two, and so on: a million pictures of one.
func doubling(c codec, depth int) (items []item) {
	for i := range depth {
		items = append(items, grid(0, 1, 256, 256, uint16(i+2), uint16(i+2)))
	}
	return append(items, c.shown())
}

func nested(kind string, depth int) (out []byte) {
	for range depth {
		out = join(be(uint32(len(out)+12), kind, uint32(0)), out)
	}
	return out
}
