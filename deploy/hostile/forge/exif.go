package forge

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
)

// exifOf is a TIFF structure: a first directory at 8 and, at 512, a second; what they point at lies at 1024.
func exifOf(first, second []byte, values ...[]byte) []byte {
	out := make([]byte, 1024)
	copy(out, "II*\x00\x08\x00\x00\x00")
	copy(out[8:], first)
	copy(out[512:], second)
	return join(out, join(values...))
}

// carriers wrap EXIF into an honest photo of each format that has a place for it.
func (f *Forge) carriers() map[string]func(exif []byte) []byte {
	p, png, webp := f.first(jpegFormat, "photo.jpg").data, f.first("png", "photo.png").data, f.first("webp", "lossy.webp").data
	w, h := sizeOf(webp)
	codecs := f.codecs()
	inHEIF := func(c codec) func([]byte) []byte {
		return func(exif []byte) []byte {
			return c.file(c.shown(), item{kind: "Exif", data: join(make([]byte, 4), exif), width: 1, height: 1})
		}
	}
	return map[string]func([]byte) []byte{
		jpegFormat: func(exif []byte) []byte {
			return behindStart(p, segment(0xe1, []byte("Exif\x00\x00"), exif[:min(len(exif), 65000)]))
		},
		"png":  func(exif []byte) []byte { return join(png[:33], chunk("eXIf", exif), png[33:]) },
		"webp": func(exif []byte) []byte { return riff(extended(8, w, h), picture(webp), riffChunk("EXIF", exif)) },
		"heic": inHEIF(codecs[0]), "avif": inHEIF(codecs[1]),
	}
}

// exifs lie about where, when and how a photo was taken, or lead its reader in circles.
func (f *Forge) exifs() []recipe {
	var list []recipe
	lies := positions()
	for name, exif := range circles() {
		lies[name] = exif
	}
	for name, exif := range oddities(f.first(jpegFormat, "photo.jpg").data) {
		lies[name] = exif
	}
	for format, wrap := range f.carriers() {
		for name, exif := range lies {
			list = append(list, recipe{format, "exif", name, fixed(wrap(exif))})
		}
		list = append(list, recipe{format, "exif", "noise", func(rng *rand.Rand) []byte { return wrap(noise(rng, 3000)) }})
	}
	return byFormat(list)
}

// at1024 is where values lie.
const at1024 = 1024

// positions are GPS directories that no receiver writes.
func positions() map[string][]byte {
	gps := func(kind uint16, lat, lon []byte) []byte {
		return exifOf(directory(0, entry{34853, tLong, 1, 512}), directory(0,
			entry{1, tText, 2, 'N'}, entry{2, kind, 3, at1024}, entry{3, tText, 2, 'E'}, entry{4, kind, 3, at1024 + 24}), lat, lon)
	}
	degrees := func(v ...uint32) []byte { return le(v) }
	rome := degrees(41, 1, 53, 1, 0, 1)
	return map[string][]byte{
		"gps-by-zero":         gps(tRational, degrees(41, 0, 0, 0, 0, 0), degrees(12, 0, 0, 0, 0, 0)),
		"gps-latitude-91":     gps(tRational, degrees(91, 1, 0, 1, 0, 1), rome),
		"gps-longitude-4e9":   gps(tRational, rome, degrees(0xffffffff, 1, 0xffffffff, 1, 0xffffffff, 1)),
		"gps-below-zero":      gps(10, degrees(0x80000000, 1, 0xffffffff, 1, 0, 1), degrees(0x80000000, 0xffffffff, 0, 1, 0, 1)),
		"gps-nan":             gps(tDouble, le(math.NaN(), math.NaN(), math.NaN()), le(math.Inf(1), math.Inf(-1), math.NaN())),
		"gps-minutes-of-1e9":  gps(tRational, degrees(0, 1, 1e9, 1, 1e9, 1), rome),
		"gps-is-text":         gps(tText, []byte("forty-one degrees and a bit"), rome),
		"gps-outside":         exifOf(directory(0, entry{34853, tLong, 1, 0xfffffff0}), nil),
		"gps-of-4e9-values":   exifOf(directory(0, entry{34853, tLong, 1, 512}), directory(0, entry{2, tRational, 0xffffffff, at1024}, entry{4, tRational, 0x20000000, at1024})),
		"gps-without-letters": exifOf(directory(0, entry{34853, tLong, 1, 512}), directory(0, entry{1, tText, 2, 0xff}, entry{2, tRational, 3, at1024}, entry{4, tRational, 3, at1024}), rome),
	}
}

// circles are directories that lead to each other.
func circles() map[string][]byte {
	many := func(n int, tag uint16) (list []entry) {
		for range n {
			list = append(list, entry{tag, tLong, 1, 8})
		}
		return list
	}
	crowd := func(tags ...uint16) []byte {
		out := []byte("II*\x00\x08\x00\x00\x00")
		for i := range 24 { // each holds all doors to all others
			var list []entry
			for j := range 24 {
				list = append(list, entry{tags[j%len(tags)], tLong, 1, uint32(8 + (i+j)%24*294)})
			}
			out = append(out, directory(uint32(8+(i+1)%24*294), list...)...)
		}
		return out
	}
	return map[string][]byte{
		"first-follows-itself":    exifOf(directory(8), nil),
		"exif-is-the-first":       exifOf(directory(0, entry{34665, tLong, 1, 8}), nil),
		"exif-and-gps-take-turns": exifOf(directory(512, entry{34665, tLong, 1, 512}), directory(8, entry{34853, tLong, 1, 8}, entry{34665, tLong, 1, 512}, entry{40965, tLong, 1, 8})),
		"40-doors-to-the-first":   exifOf(directory(8, many(40, 34665)...), nil),
		"crowd-of-exif":           crowd(34665), "crowd-of-all": crowd(34665, 34853, 40965), "crowd-of-sub-directories": crowd(330),
		"2500-doors":              join([]byte("II*\x00\x08\x00\x00\x00"), directory(8, many(2500, 34665)...)),
		"5000-interoperabilities": join([]byte("II*\x00\x08\x00\x00\x00"), directory(8, many(5000, 40965)...)),
	}
}

// oddities are values that end nowhere, are too many, or are a photo in a photo in a photo.
func oddities(photo []byte) map[string][]byte {
	text := func(tag uint16, count uint32, s string) []byte {
		return exifOf(directory(0, entry{34665, tLong, 1, 512}, entry{tag, tText, count, at1024}), directory(0, entry{36867, tText, count, at1024}), []byte(s))
	}
	matryoshka := photo[:2000]
	for range 12 {
		thumbnail := exifOf(directory(512), directory(0, entry{513, tLong, 1, at1024}, entry{514, tLong, 1, uint32(len(matryoshka))}), matryoshka)
		matryoshka = behindStart(photo[:2000], segment(0xe1, []byte("Exif\x00\x00"), thumbnail[:min(len(thumbnail), 65000)]))
	}
	odd := map[string][]byte{
		"empty": nil, "label-only": []byte("Exif\x00\x00"), "half-a-header": []byte("II*"), "order-of-nobody": []byte("XX*\x00\x08\x00\x00\x00"),
		"directory-outside": []byte("MM\x00*\xff\xff\xff\xf0"), "directory-at-0": []byte("II*\x00\x00\x00\x00\x00"),
		"text-without-end": text(271, 60_000, string(bytes.Repeat([]byte("A"), 50_000))), "text-of-4e9": text(272, 0xffffffff, "camera"),
		"text-of-controls": text(271, 40, "\x1b[31m\x00\r\n\u202e%s%n\xff\xfe"), "date-of-99": text(306, 20, "9999:99:99 99:99:99"), "date-before-photography": text(306, 20, "0000:00:00 00:00:00"),
		"photos-in-photos":         exifOf(directory(512), directory(0, entry{513, tLong, 1, at1024}, entry{514, tLong, 1, uint32(len(matryoshka))}), matryoshka),
		"maker-note-is-everything": exifOf(directory(0, entry{34665, tLong, 1, 512}), directory(0, entry{37500, 7, 0x7fffffff, 0})),
		"big-tiff":                 []byte("II+\x00\x08\x00\x00\x00\x10\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"),
	}
	for _, orientation := range []uint32{0, 5, 8, 9, 65535} {
		odd[fmt.Sprintf("orientation-%d", orientation)] = exifOf(directory(0, entry{274, tShort, 1, orientation}), nil)
	}
	for _, kind := range []uint16{0, 6, 7, 11, 13, 16, 255, 65535} {
		odd[fmt.Sprintf("values-of-type-%d", kind)] = exifOf(directory(0, entry{271, kind, 100_000, at1024}, entry{274, kind, 1, 6}, entry{306, kind, 0x10000001, 8}), nil)
	}
	return odd
}
