package forge

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"strconv"
	"strings"
)

// partsOf lists where the parts of a photo begin: segments, chunks, boxes, directory entries. There is always one.
func partsOf(p photo) []int {
	var parts []int
	switch p.format {
	case jpegFormat:
		parts = markers(p.data)
	case "png":
		parts = walk(p.data, 8, func(at int) int { return int(binary.BigEndian.Uint32(p.data[at:])) + 12 })
	case "webp":
		parts = walk(p.data, 12, func(at int) int { n := int(binary.LittleEndian.Uint32(p.data[at+4:])); return 8 + n + n&1 })
	case "heic", "avif":
		parts = boxes(p.data)
	case "tiff":
		parts = entries(p.data)
	case "gif":
		for at := range p.data { // image descriptors and extensions, and a few that only look like them
			if p.data[at] == 0x2c || p.data[at] == 0x21 && at+1 < len(p.data) && p.data[at+1] >= 0xf9 {
				parts = append(parts, at)
			}
		}
	}
	if len(parts) == 0 {
		return []int{min(6, len(p.data)-1)}
	}
	return parts
}

// walk follows parts of which length tells the whole size.
func walk(data []byte, at int, length func(at int) int) (parts []int) {
	for at+8 <= len(data) {
		parts = append(parts, at)
		n := length(at)
		if n < 8 || n > len(data) {
			return parts
		}
		at += n
	}
	return parts
}

// markers lists the 0xff of every marker of a JPEG, those of its scans included.
func markers(data []byte) (at []int) {
	for i := 0; i+1 < len(data); i++ {
		if data[i] != 0xff || data[i+1] == 0 || data[i+1] == 0xff {
			continue
		}
		at = append(at, i)
		if m := data[i+1]; i+3 < len(data) && m != 0xd8 && m != 0xd9 && (m < 0xd0 || m > 0xd7) {
			i += 1 + max(0, int(binary.BigEndian.Uint16(data[i+2:])))
		}
	}
	return at
}

// boxNames are the boxes of HEIF that a reader must understand.
func boxNames() []string {
	return strings.Fields("ftyp meta hdlr pitm iinf infe iloc iref iprp ipco ipma ispe irot imir clap pixi colr hvcC av1C auxC idat mdat dimg thmb cdsc")
}

// boxes finds them by name, wherever they are nested; a part begins with the size before the name.
func boxes(data []byte) (at []int) {
	for i := 4; i+4 <= len(data); i++ {
		for _, name := range boxNames() {
			if string(data[i:i+4]) == name {
				at = append(at, i-4)
			}
		}
	}
	return at
}

// entries lists the entries of a TIFF's first directory.
func entries(data []byte) (at []int) {
	if len(data) < 8 {
		return nil
	}
	order := orderOf(data)
	first := int(order.Uint32(data[4:]))
	if first+2 > len(data) {
		return nil
	}
	for i := range int(order.Uint16(data[first:])) {
		if e := first + 2 + 12*i; e+12 <= len(data) {
			at = append(at, e)
		}
	}
	return at
}

func orderOf(data []byte) binary.ByteOrder {
	if data[0] == 'M' {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

// lie changes what a part says of itself: its length, its kind, or a field at its start. The sums of PNG are made right again, so that the lie is
// believed.
func lie(_ *Forge, rng *rand.Rand, p photo) ([]byte, string) {
	data, parts := bytes.Clone(p.data), partsOf(p)
	at := parts[rng.IntN(len(parts))]
	if rng.IntN(3) == 0 { // the header is the part with the most consequences
		at = header(data, p.format, parts)
	}
	field := at + rng.IntN(24)
	if field >= len(data) {
		field = at
	}
	v := telling(rng)
	overwrite(rng, data, field, v)
	if p.format == "png" && field >= at+8 {
		mend(data)
	}
	return data, strings.ToLower(kind(p.data, at)) + "-" + hex(v)
}

// header is the part that holds width and height.
func header(data []byte, format string, parts []int) int {
	switch format {
	case jpegFormat:
		for _, at := range parts {
			if m := data[at+1]; m >= 0xc0 && m <= 0xc2 {
				return at
			}
		}
	case "heic", "avif":
		if at := bytes.Index(data, []byte("ispe")); at >= 4 {
			return at - 4
		}
	case "gif":
		return 6
	}
	return parts[0]
}

// kind is what a part calls itself, as far as it can be read.
func kind(data []byte, at int) string {
	var name []byte
	for _, c := range data[at:min(len(data), at+8)] {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' {
			name = append(name, c)
		}
	}
	if len(name) < 3 {
		return hex(uint32(at))
	}
	return string(name)
}

func hex(v uint32) string { return strconv.FormatUint(uint64(v), 16) }

// mend makes every sum of a PNG right.
func mend(data []byte) {
	for at := 8; at+12 <= len(data); {
		n := int(binary.BigEndian.Uint32(data[at:]))
		end := at + 8 + n
		if n > len(data) || end+4 > len(data) {
			return
		}
		binary.BigEndian.PutUint32(data[end:], crc32.ChecksumIEEE(data[at+4:end]))
		at = end + 4
	}
}
