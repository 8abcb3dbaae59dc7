package decode

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"slices"
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

// layout is a TIFF in the making: directories at fixed places, 512 bytes
// apart, and their data behind them.
type layout struct{ out []byte }

const exifAt, gpsAt, interopAt, ifd1At, dataAt = 512, 1024, 1536, 2048, 2560

// text is a string tag, none when s is empty.
func (l *layout) text(tag uint16, s string) []entry {
	if s == "" {
		return nil
	}
	n := uint32(len(s) + 1)
	if n <= 4 { // short ones stand in the entry itself
		var b [4]byte
		copy(b[:], s)
		return []entry{{tag, ascii, n, binary.LittleEndian.Uint32(b[:])}}
	}
	at := uint32(len(l.out))
	l.out = append(append(l.out, s...), 0)
	return []entry{{tag, ascii, n, at}}
}

// axis is a latitude or longitude, none when the camera has none.
func (l *layout) axis(has bool, tag uint16, v [3][2]uint32) []entry {
	if !has {
		return nil
	}
	at := uint32(len(l.out))
	for _, r := range v {
		l.out = binary.LittleEndian.AppendUint32(l.out, r[0])
		l.out = binary.LittleEndian.AppendUint32(l.out, r[1])
	}
	return []entry{{tag, rational, 3, at}}
}

// exifOf writes what the camera would.
func exifOf(c camera) []byte {
	l := &layout{make([]byte, dataAt)}
	turn := func(v uint16) []entry {
		if v == 0 {
			return nil
		}
		return []entry{{0x112, short, 1, uint32(v)}}
	}
	ifd0 := slices.Concat(l.text(0x10f, c.maker), l.text(0x110, c.model), turn(c.orientation),
		[]entry{{0x8769, long, 1, exifAt}, {0x8825, long, 1, gpsAt}})
	exif := slices.Concat(l.text(0x9003, c.taken), l.text(0x9004, c.digitised), l.text(0x9011, c.offset))
	var interop []entry
	if c.interoperability {
		exif = append(exif, entry{0xa005, long, 1, interopAt})
		interop = l.text(1, "N")
	}
	gps := slices.Concat(l.text(1, c.latRef), l.axis(c.hasLat, 2, c.lat),
		l.text(3, c.lonRef), l.axis(c.hasLon, 4, c.lon))

	copy(l.out, directory([]byte("II*\x00\x08\x00\x00\x00"), ifd1At, ifd0...))
	copy(l.out[exifAt:], directory(nil, 0, exif...))
	copy(l.out[gpsAt:], directory(nil, 0, gps...))
	copy(l.out[interopAt:], directory(nil, 0, interop...))
	copy(l.out[ifd1At:], directory(nil, 0, turn(c.thumbOrientation)...))
	return l.out
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
	return carrying(plain.Bytes(), tiff)
}

// carrying is a JPEG with this EXIF.
func carrying(photo, tiff []byte) []byte {
	body := append([]byte("Exif\x00\x00"), tiff...)
	out := []byte{0xff, 0xd8, 0xff, 0xe1}
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	out = append(out, body...)
	return append(out, photo[2:]...)
}
