package forge

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
)

func riff(chunks ...[]byte) []byte {
	body := join(chunks...)
	return join([]byte("RIFF"), le(uint32(4+len(body))), []byte("WEBP"), body)
}

func riffChunk(kind string, body []byte) []byte {
	return join([]byte(kind), le(uint32(len(body))), body, make([]byte, len(body)&1))
}

// extended is the chunk that announces the others: features, and a canvas of w × h.
func extended(features byte, w, h uint32) []byte {
	return riffChunk("VP8X", join([]byte{features, 0, 0, 0}, le(w - 1)[:3], le(h - 1)[:3]))
}

// picture is the chunk of a simple WebP, the rest of the file left out.
func picture(webp []byte) []byte { return webp[12:] }

func (f *Forge) webps() []recipe {
	lossy, lossless := f.first("webp", "lossy.webp").data, f.first("webp", "photo.webp").data
	var list []recipe
	add := func(mutation, detail string, data []byte) {
		list = append(list, recipe{"webp", mutation, detail, fixed(data)})
	}
	for name, photo := range map[string][]byte{"lossy": lossy, "photo": lossless} {
		w, h := sizeOf(photo)
		add("none", name+"-honest", riff(extended(0, w, h), picture(photo)))
		for _, v := range []uint32{0, 4, 11, 0x7fffffff, 0x80000000, 0xffffffff, 0xfffffff6} {
			add("header", fmt.Sprintf("%s-file-of-%x", name, v), patch(photo, 4, le(v)))
			add("header", fmt.Sprintf("%s-chunk-of-%x", name, v), patch(photo, 16, le(v)))
		}
		for at := 20; at < 34; at++ {
			add("header", fmt.Sprintf("%s-byte-%d-is-255", name, at), patch(photo, at, []byte{255}))
		}
		for _, side := range [][2]uint32{{1, 1}, {1 << 24, 1 << 24}, {16383, 16383}, {9990, 9990}} {
			for _, features := range []byte{0x00, 0x10, 0x02, 0x3e} {
				add("header", fmt.Sprintf("%s-canvas-of-%d-by-%d-features-%x", name, side[0], side[1], features), riff(extended(features, side[0], side[1]), picture(photo)))
			}
		}
		list = append(list, animations(name, photo)...)
		add("structure", name+"-profile-of-nothing", riff(extended(0x20, w, h), riffChunk("ICCP", nil), picture(photo)))
		add("structure", name+"-alpha-of-nothing", riff(extended(0x10, w, h), riffChunk("ALPH", nil), picture(photo)))
		add("structure", name+"-alpha-of-noughts", riff(extended(0x10, w, h), riffChunk("ALPH", bytes.Repeat([]byte{0xff}, 999)), picture(photo)))
		add("structure", name+"-two-canvases", riff(extended(0, w, h), extended(0x3e, 9000, 9000), picture(photo)))
		add("structure", name+"-two-pictures", riff(picture(photo), picture(photo)))
	}
	for _, side := range []uint32{1, 9990, 16384} {
		bits := (side - 1) | (side-1)<<14
		add("bomb", fmt.Sprintf("lossless-of-one-colour-%d", side), riff(riffChunk("VP8L", join([]byte{0x2f}, le(bits), make([]byte, 64)))))
		add("bomb", fmt.Sprintf("lossless-noise-%d", side), riff(riffChunk("VP8L", join([]byte{0x2f}, le(bits), bytes.Repeat([]byte{0x5a, 0x11, 0xe7}, 3000)))))
		add("bomb", fmt.Sprintf("lossy-of-%d", side), grownVP8(lossy, uint16(min(side, 16383))))
	}
	return sorted(list)
}

// grownVP8 changes the size in the key frame's header, wherever its start code is.
func grownVP8(webp []byte, side uint16) []byte {
	i := bytes.Index(webp, []byte{0x9d, 0x01, 0x2a})
	if i < 0 {
		return webp
	}
	return patch(webp, i+3, le(side, side))
}

// sizeOf reads width and height of a simple WebP.
func sizeOf(webp []byte) (w, h uint32) {
	if i := bytes.Index(webp, []byte{0x9d, 0x01, 0x2a}); string(webp[12:16]) == "VP8 " && i > 0 {
		return uint32(binary.LittleEndian.Uint16(webp[i+3:])), uint32(binary.LittleEndian.Uint16(webp[i+5:]))
	}
	bits := binary.LittleEndian.Uint32(webp[21:])
	return bits&0x3fff + 1, bits>>14&0x3fff + 1
}

func animations(name string, photo []byte) (list []recipe) {
	piece := picture(photo)
	w, h := sizeOf(photo)
	shown := func(x, y, w, h uint32) []byte {
		return riffChunk("ANMF", join(le(x)[:3], le(y)[:3], le(w)[:3], le(h)[:3], le(uint32(0))[:3], []byte{0xff}, piece))
	}
	start := riffChunk("ANIM", make([]byte, 6))
	for _, n := range []int{0, 1, 2000} {
		list = append(list, recipe{"webp", "animation", fmt.Sprintf("%s-%d-frames", name, n), func(*rand.Rand) []byte {
			return riff(extended(2, 9000, 9000), start, bytes.Repeat(shown(0, 0, w-1, h-1), n))
		}})
	}
	nested := shown(0, 0, w-1, h-1)
	for range 12 {
		nested = riffChunk("ANMF", join(make([]byte, 16), nested))
	}
	huge := shown(0xffffff, 0xffffff, 0xffffff, 0xffffff)
	lying := bytes.Clone(huge)
	binary.LittleEndian.PutUint32(lying[4:], 0xfffffff0)
	return append(list,
		recipe{"webp", "animation", name + "-frame-outside", fixed(riff(extended(2, 64, 64), start, huge))},
		recipe{"webp", "animation", name + "-frame-without-end", fixed(riff(extended(2, 64, 64), start, lying))},
		recipe{"webp", "loop", name + "-frames-in-frames", fixed(riff(extended(2, 64, 64), start, nested))},
		recipe{"webp", "animation", name + "-no-start", fixed(riff(extended(2, 64, 64), shown(0, 0, w-1, h-1)))},
	)
}
