package decode

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"
)

// libexif would walk these directories for minutes; libvips must not get to
// hand them to it, whatever the format they come in.
func TestEndlessExifNeverReachesLibvips(t *testing.T) {
	endless := loops()["exif and gps, 750 times each"]
	photos := map[string][]byte{
		"jpeg":                         jpegWith(t, endless),
		"jpeg, twice":                  withSegment(jpegWith(t, endless), 0xe1, append([]byte("Exif\x00\x00"), endless...)),
		"jpeg, behind fill bytes":      bytes.Replace(jpegWith(t, endless), []byte{0xff, 0xe1}, []byte{0xff, 0xff, 0xff, 0xe1}, 1),
		"jpeg, behind garbage":         bytes.Replace(withSegment(jpegWith(t, endless), 0xfe, []byte("hi")), []byte{0xff, 0xe1}, []byte{7, 7, 0xff, 0, 7, 0xff, 0xe1}, 1),
		"jpeg, behind a restart":       bytes.Replace(jpegWith(t, endless), []byte{0xff, 0xe1}, []byte{0xff, 0xd3, 0xff, 0xe1}, 1),
		"png":                          pngWith(t, "eXIf", endless),
		"webp":                         webpWith(t, endless),
		"heic":                         fixture(t, "photo.heic"),
		"a second exif chunk in a png": withChunk(pngWith(t, "eXIf", endless), "eXIf", endless),
	}
	d := newDecoder(t)
	for name, data := range photos {
		t.Run(name, func(t *testing.T) {
			f, err := sniff(data)
			if err != nil {
				t.Fatal(err)
			}
			if len(concealed(exifBlocks(f, data))) == 0 {
				t.Fatal("nothing was concealed")
			}
			before := bytes.Clone(data)
			begin := time.Now()
			_, err = d.Pixels(data, Geometry{16, 1}, make([]byte, 16*16*3))
			skipWithoutCodec(t, err)
			if err != nil && !known(err) {
				t.Error(err)
			}
			if took := time.Since(begin); took > 3*time.Second {
				t.Errorf("took %v", took)
			}
			if !bytes.Equal(before, data) {
				t.Error("the caller's bytes were changed")
			}
		})
	}
}

// Concealing must not cost the photo its pixels, its turn, or its neighbours.
func TestConcealedPhotosAreStillDecoded(t *testing.T) {
	turned := exifOf(camera{orientation: 8})
	d := newDecoder(t)
	for name, data := range map[string][]byte{
		"jpeg": jpegWith(t, turned), "png": pngWith(t, "eXIf", turned), "webp": webpWith(t, turned),
	} {
		info, err := d.Pixels(data, Geometry{16, 1}, make([]byte, 16*16*3))
		if err != nil || info.Orientation != 8 {
			t.Errorf("%s: %+v, %v; want orientation 8", name, info, err)
		}
	}
}

func TestConcealLeavesOtherBytesAlone(t *testing.T) {
	xmp := withSegment(jpegWith(t, tiffOf()), 0xe1, []byte("http://ns.adobe.com/xap/1.0/\x00Exif"))
	rows := []struct {
		name string
		f    format
		data []byte
		want int
	}{
		{"a photo without exif", formatJPEG, fixture(t, "photo.jpg"), 0},
		{"xmp that mentions exif", formatJPEG, xmp, 1},
		{"exif behind the start of the scan is picture", formatJPEG, append([]byte{0xff, 0xd8, 0xff, 0xda}, "\x00\x02\xff\xe1\x00\x08Exif\x00\x00"...), 0},
		{"a png with a text of that name", formatPNG, pngWith(t, "tEXt", []byte("eXIf\x00yes")), 0},
		{"a chunk longer than the file", formatPNG, []byte("\x89PNG\r\n\x1a\n\xff\xff\xff\xffeXIf0000"), 0},
		{"a webp without", formatWebP, fixture(t, "photo.webp"), 0},
		{"an avif without", formatAVIF, fixture(t, "photo.avif"), 0},
	}
	for _, row := range rows {
		if got := len(concealed(exifBlocks(row.f, row.data))); got != row.want {
			t.Errorf("%s: %d patches, want %d", row.name, got, row.want)
		}
	}
}

// withSegment puts one more segment right behind the start of a JPEG.
func withSegment(jpg []byte, marker byte, body []byte) []byte {
	out := []byte{0xff, 0xd8, 0xff, marker}
	out = binary.BigEndian.AppendUint16(out, uint16(len(body)+2))
	return append(append(out, body...), jpg[2:]...)
}

// pngWith and withChunk put a chunk right behind the header (8 + 25 bytes).
func pngWith(t testing.TB, kind string, body []byte) []byte {
	return withChunk(fixture(t, "photo.png"), kind, body)
}

func withChunk(png []byte, kind string, body []byte) []byte {
	const header = 8 + 25
	return append(chunk(bytes.Clone(png[:header]), kind, body), png[header:]...)
}

// webpWith makes the extended form of photo.webp, which is a bare VP8L, with
// EXIF behind the picture (RFC 9649, section 2.7).
func webpWith(t testing.TB, tiff []byte) []byte {
	t.Helper()
	bare := fixture(t, "photo.webp")
	if string(bare[12:16]) != "VP8L" {
		t.Fatal("photo.webp is not a bare VP8L")
	}
	const w, h, hasExif = 90, 131, 0x08
	body := []byte("WEBP")
	body = riff(body, "VP8X", []byte{hasExif, 0, 0, 0, w - 1, 0, 0, h - 1, 0, 0})
	body = append(body, bare[12:]...)
	body = riff(body, "EXIF", tiff)
	return riff(nil, "RIFF", body)
}

func riff(out []byte, kind string, body []byte) []byte {
	out = append(out, kind...)
	out = binary.LittleEndian.AppendUint32(out, uint32(len(body)))
	out = append(out, body...)
	if len(body)%2 == 1 {
		out = append(out, 0)
	}
	return out
}
