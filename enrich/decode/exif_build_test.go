package decode

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"testing"
)

// A hand-built TIFF directory: the only way to write what no camera should.
type entry struct {
	tag, kind    uint16
	count, value uint32 // value is the datum itself, or its offset
}

// EXIF's types (TIFF 6.0, section 2).
const (
	ascii    = 2
	short    = 3
	long     = 4
	rational = 5
)

// tiffOf is a little-endian TIFF with one directory at offset 8.
func tiffOf(entries ...entry) []byte {
	return directory([]byte("II*\x00\x08\x00\x00\x00"), 0, entries...)
}

// directory appends one directory and the offset of the next.
func directory(out []byte, next uint32, entries ...entry) []byte {
	out = binary.LittleEndian.AppendUint16(out, uint16(len(entries)))
	for _, e := range entries {
		out = binary.LittleEndian.AppendUint16(out, e.tag)
		out = binary.LittleEndian.AppendUint16(out, e.kind)
		out = binary.LittleEndian.AppendUint32(out, e.count)
		out = binary.LittleEndian.AppendUint32(out, e.value)
	}
	return binary.LittleEndian.AppendUint32(out, next)
}

// camera describes what exifOf writes; zero fields are left out.
type camera struct {
	maker, model     string
	taken, offset    string
	digitised        string
	orientation      uint16
	lat, lon         [3][2]uint32 // degrees, minutes, seconds as fractions
	latRef, lonRef   string
	hasLat, hasLon   bool
	thumbOrientation uint16 // in IFD1
	interoperability bool   // tag 1 outside the GPS directory
}

// exifOf lays out IFD0, the Exif and GPS directories, IFD1 and their data at
// fixed places, 512 bytes apart.
func exifOf(c camera) []byte {
	const exifAt, gpsAt, interopAt, ifd1At, dataAt = 512, 1024, 1536, 2048, 2560
	out := make([]byte, dataAt)
	put := func(s string) uint32 {
		at := uint32(len(out))
		out = append(out, s...)
		out = append(out, 0)
		return at
	}
	str := func(tag uint16, s string) []entry {
		if s == "" {
			return nil
		}
		n := uint32(len(s) + 1)
		if n <= 4 {
			var b [4]byte
			copy(b[:], s)
			return []entry{{tag, ascii, n, binary.LittleEndian.Uint32(b[:])}}
		}
		return []entry{{tag, ascii, n, put(s)}}
	}
	axis := func(has bool, tag uint16, v [3][2]uint32) []entry {
		if !has {
			return nil
		}
		at := uint32(len(out))
		for _, r := range v {
			out = binary.LittleEndian.AppendUint32(out, r[0])
			out = binary.LittleEndian.AppendUint32(out, r[1])
		}
		return []entry{{tag, rational, 3, at}}
	}
	var ifd0, exif, gps, interop []entry
	ifd0 = append(ifd0, str(0x10f, c.maker)...)
	ifd0 = append(ifd0, str(0x110, c.model)...)
	if c.orientation != 0 {
		ifd0 = append(ifd0, entry{0x112, short, 1, uint32(c.orientation)})
	}
	ifd0 = append(ifd0, entry{0x8769, long, 1, exifAt}, entry{0x8825, long, 1, gpsAt})
	exif = append(exif, str(0x9003, c.taken)...)
	exif = append(exif, str(0x9004, c.digitised)...)
	exif = append(exif, str(0x9011, c.offset)...)
	if c.interoperability {
		exif = append(exif, entry{0xa005, long, 1, interopAt})
		interop = append(interop, str(1, "R98")...)
	}
	gps = append(gps, str(1, c.latRef)...)
	gps = append(gps, axis(c.hasLat, 2, c.lat)...)
	gps = append(gps, str(3, c.lonRef)...)
	gps = append(gps, axis(c.hasLon, 4, c.lon)...)

	var ifd1 []entry
	if c.thumbOrientation != 0 {
		ifd1 = []entry{{0x112, short, 1, uint32(c.thumbOrientation)}}
	}
	copy(out, directory([]byte("II*\x00\x08\x00\x00\x00"), ifd1At, ifd0...))
	copy(out[exifAt:], directory(nil, 0, exif...))
	copy(out[gpsAt:], directory(nil, 0, gps...))
	copy(out[interopAt:], directory(nil, 0, interop...))
	copy(out[ifd1At:], directory(nil, 0, ifd1...))
	return out
}

// jpegWith is a small decodable JPEG carrying the TIFF block as EXIF.
func jpegWith(t testing.TB, tiff []byte) []byte {
	t.Helper()
	var plain bytes.Buffer
	im := image.NewGray(image.Rect(0, 0, 48, 32))
	for i := range im.Pix {
		im.Pix[i] = byte(i)
	}
	if err := jpeg.Encode(&plain, im, nil); err != nil {
		t.Fatal(err)
	}
	body := append([]byte("Exif\x00\x00"), tiff...)
	out := []byte{0xff, 0xd8, 0xff, 0xe1}
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	out = append(out, body...)
	return append(out, plain.Bytes()[2:]...)
}
