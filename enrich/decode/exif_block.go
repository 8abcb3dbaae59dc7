package decode

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
)

// patch is four bytes that C sees instead of the object's own; laid out as
// pt_patch is.
type patch struct {
	at   uint
	with [4]byte
}

// exifBlock is one place where a photo keeps EXIF: the patches that hide it
// from libvips, and the TIFF structure inside, nil where only the container's
// index knows it (HEIF).
//
// It is hidden because libvips hands EXIF to libexif, which walks directories
// that point at each other: 64 KiB of them keep it busy for minutes, inside a
// C call that nothing can stop. What is wanted of EXIF is read in Go, bounded.
type exifBlock struct {
	hide []patch
	tiff []byte
	end  int // of the block in a JPEG, which may lie behind the data
}

// concealed collects the patches of all blocks.
func concealed(blocks []exifBlock) (out []patch) {
	for _, b := range blocks {
		out = append(out, b.hide...)
	}
	return out
}

// exifBlocks finds every block that a loader of libvips would find.
func exifBlocks(f format, data []byte) []exifBlock {
	switch f {
	case formatJPEG:
		blocks, _ := blocksInJPEG(data)
		return blocks
	case formatPNG:
		return blocksInPNG(data)
	case formatWebP:
		return blocksInWebP(data)
	case formatTIFF: // is one itself; libvips reads its tags with libtiff
		return []exifBlock{{tiff: data}}
	case formatHEIC, formatAVIF:
		return blocksInHEIF(data)
	}
	return nil // GIF has none
}

func rename(at int) patch { return patch{uint(at), [4]byte{'-', '-', '-', '-'}} }

// blocksInJPEG walks the markers as libjpeg does, over fill bytes and garbage,
// up to the start of the scan. More says how many bytes it would have liked to
// see to go on, 0 if it saw all it wanted.
func blocksInJPEG(data []byte) (out []exifBlock, more int) {
	const app1, startOfScan = 0xe1, 0xda
	for at := 2; at < len(data); {
		skip := bytes.IndexByte(data[at:], 0xff)
		if skip < 0 {
			return out, len(data) + 1
		}
		at += skip
		for at < len(data) && data[at] == 0xff {
			at++
		}
		if at+3 > len(data) {
			return out, at + 3
		}
		if data[at] == startOfScan {
			return out, 0
		}
		marker := data[at]
		at++
		if marker == 0 || marker == 0x01 || marker >= 0xd0 && marker <= 0xd8 {
			continue // no length follows these
		}
		end := at + max(2, int(binary.BigEndian.Uint16(data[at:])))
		if body := data[at+2 : max(at+2, min(end, len(data)))]; marker == app1 && bytes.HasPrefix(body, []byte("Exif")) {
			out = append(out, exifBlock{[]patch{rename(at + 2)}, withoutLabel(body), end})
		}
		if at = end; at > len(data) {
			return out, at
		}
	}
	return out, len(data) + 1
}

// blocksInPNG hides the chunk under a private, ancillary name, and corrects the
// checksum, which covers the name.
func blocksInPNG(data []byte) (out []exifBlock) {
	name := [4]byte{'e', 'x', 'I', 'f'}
	for at := 8; at+12 <= len(data); {
		n := int(binary.BigEndian.Uint32(data[at:]))
		body := at + 8
		if n > len(data)-body-4 {
			break
		}
		if string(data[at+4:body]) == "eXIf" {
			var sum [4]byte
			crc := crc32.Update(crc32.ChecksumIEEE(name[:]), crc32.IEEETable, data[body:body+n])
			binary.BigEndian.PutUint32(sum[:], crc)
			hide := []patch{{uint(at + 4), name}, {uint(body + n), sum}}
			out = append(out, exifBlock{hide: hide, tiff: withoutLabel(data[body : body+n])})
		}
		at = body + n + 4
	}
	return out
}

// blocksInWebP walks the RIFF chunks; demultiplexers skip unknown names.
func blocksInWebP(data []byte) (out []exifBlock) {
	for at := 12; at+8 <= len(data); {
		n, body := int(binary.LittleEndian.Uint32(data[at+4:])), at+8
		if string(data[at:at+4]) == "EXIF" {
			tiff := withoutLabel(data[body:min(body+n, len(data))])
			out = append(out, exifBlock{hide: []patch{rename(at)}, tiff: tiff})
		}
		at = body + n + n&1
	}
	return out
}

// blocksInHEIF finds the items that hold EXIF (ISO/IEC 14496-12, infe of
// version 2 and 3). It looks for the box by its name, wherever a file nests it;
// no compressed data spells out both names at this distance.
func blocksInHEIF(data []byte) (out []exifBlock) {
	for at := 0; ; {
		skip := bytes.Index(data[at:], []byte("infe"))
		if skip < 0 {
			return out
		}
		at += skip + 4
		for _, item := range []int{at + 8, at + 10} { // after version, id of 2 or 4 bytes, protection
			if item+4 <= len(data) && string(data[item:item+4]) == "Exif" {
				out = append(out, exifBlock{hide: []patch{rename(item)}})
			}
		}
	}
}

// withoutLabel drops the "Exif" and two zeros that stand before the TIFF
// structure in JPEG by standard, and elsewhere by habit of some programs.
func withoutLabel(block []byte) []byte {
	const label = 6
	if len(block) >= label && string(block[:4]) == "Exif" {
		return block[label:]
	}
	return block
}
