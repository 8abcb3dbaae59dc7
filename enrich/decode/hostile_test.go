package decode

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"strings"
	"testing"
)

// refusal is an object that is not a usable photo: it ends as one of the four
// errors, in words that the owner of the photo understands.
type refusal struct {
	name  string
	data  []byte
	want  error
	words string // the message contains them
}

func refuse(t *testing.T, rows []refusal) {
	t.Helper()
	d, err := New(Limits{MaxBytes: 512 << 10})
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			_, err := d.Pixels(row.data, Geometry{64, 0.875}, make([]byte, 64*64*3))
			skipWithoutCodec(t, err)
			if !errors.Is(err, row.want) || !strings.Contains(err.Error(), row.words) {
				t.Errorf("error %q is %v: %v; want words %q", err, row.want, errors.Is(err, row.want), row.words)
			}
		})
	}
}

// What is not a photo is named for what it is.
func TestPixelsRefusesStrangers(t *testing.T) {
	refuse(t, []refusal{
		{"an upload that never happened", nil, ErrEmpty, "object is 0 bytes"},
		{"notes.txt renamed to photo.jpg", []byte("Dear diary, today I took no photos."), ErrFormat, "object is text/plain, not a photo"},
		{"an error page stored as a photo", []byte("<!DOCTYPE html><html></html>"), ErrFormat, "object is text/html, not a photo"},
		{"an SVG with a script", []byte(`<svg xmlns="http://www.w3.org/2000/svg"/>`), ErrFormat, "not a photo"},
		{"a Windows bitmap", []byte("BM\x00\x00\x00\x00\x00\x00\x00\x00\x36\x00\x00\x00"), ErrFormat, "object is image/bmp"},
		{"a video from the same phone", []byte("\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom"), ErrFormat, "object is video/mp4"},
		{"noise", []byte{0, 1, 2, 3}, ErrFormat, `object begins with "\x00\x01\x02\x03"`},
		{"a Canon raw", []byte("II*\x00\x10\x00\x00\x00CR\x02\x00"), ErrFormat, "raw camera file"},
		{"a raw whose first picture is a preview", tiffOf(entry{254, 4, 1, 1}), ErrFormat, "raw camera file"},
	})
}

// A photo whose upload broke off is not half a photo.
func TestPixelsRefusesHalves(t *testing.T) {
	whole := fixture(t, "photo.jpg")
	refuse(t, []refusal{
		{"half a JPEG", whole[:len(whole)/2], ErrCorrupt, "jpeg is truncated"},
		{"only the signature of a JPEG", whole[:4], ErrCorrupt, "jpeg is "},
		{"half a PNG", half(fixture(t, "photo.png")), ErrCorrupt, "png is "},
		{"half a GIF", half(fixture(t, "animated.gif")[:1200]), ErrCorrupt, "gif is "},
		{"half a WebP", half(fixture(t, "photo.webp")), ErrCorrupt, "webp is "},
		{"half a TIFF", half(fixture(t, "photo.tif")), ErrCorrupt, "tiff is truncated"},
		{"half a HEIC", half(fixture(t, "photo.heic")), ErrCorrupt, "heic is truncated"},
		{"half an AVIF", half(fixture(t, "photo.avif")), ErrCorrupt, "avif is "},
	})
}

// A header over a limit is refused before a pixel is decoded.
func TestPixelsRefusesByTheHeader(t *testing.T) {
	whole := fixture(t, "photo.jpg")
	refuse(t, []refusal{
		{"a PNG of 40,000 × 40,000", pngClaiming(40000, 40000), ErrLimits, "png 40000×40000 is 1600 megapixels, the limit is 100"},
		{"a PNG just over the pixel limit", pngClaiming(10000, 10001), ErrLimits, "is 100.01 megapixels, the limit is 100"},
		{"a sliver that cover-crop would blow up", jpegClaiming(t, 59424, 3), ErrLimits, "jpeg 59424×3 has a side of 3 pixels, the least is 16"},
		{"a tracking pixel", encodePNG(t, image.NewGray(image.Rect(0, 0, 1, 1))), ErrLimits, "has a side of 1 pixels"},
		{"a banner", pngClaiming(3000, 30), ErrLimits, "png 3000×30 is 100 times as long as wide, the limit is 16"},
		{"a long GIF strip", gifOf(t, 32, 6000), ErrLimits, "times as long as wide"},
		{"more bytes than allowed", append(bytes.Clone(whole), make([]byte, 1<<20)...), ErrLimits, "jpeg is 1.04 MiB, the limit is 0.5 MiB"},
	})
}

// What a person would call a photo is decoded, however odd its encoding.
func TestPixelsReportsTheUprightPhoto(t *testing.T) {
	rows := []struct {
		file string
		want Info
	}{
		{"photo.jpg", Info{"jpeg", 901, 683, 1}},
		{"cmyk.jpg", Info{"jpeg", 120, 90, 1}},
		{"rgb16.png", Info{"png", 90, 131, 1}},
		{"animated.gif", Info{"gif", 90, 70, 1}},
		{"photo.tif", Info{"tiff", 90, 131, 1}},
		{"photo.webp", Info{"webp", 90, 131, 1}},
		{"photo.heic", Info{"heic", 157, 111, 1}},
		{"photo.avif", Info{"avif", 120, 90, 1}},
		{"turned.avif", Info{"avif", 90, 120, 1}},
		{"orientation3.png", Info{"png", 101, 73, 3}},
		{"orientation6.png", Info{"png", 101, 73, 6}},
	}
	d := newDecoder(t)
	for _, row := range rows {
		got, err := d.Pixels(fixture(t, row.file), Geometry{32, 1}, make([]byte, 32*32*3))
		if err != nil && strings.Contains(err.Error(), "installed libvips") {
			continue
		}
		if err != nil || got != row.want {
			t.Errorf("%s: %+v, %v; want %+v", row.file, got, err, row.want)
		}
	}
}

// Wherever an upload breaks off, the answer is pixels or one of the errors.
func TestPixelsSurvivesEveryCut(t *testing.T) {
	d := newDecoder(t)
	small := image.NewRGBA(image.Rect(0, 0, 40, 30))
	for i := range small.Pix {
		small.Pix[i] = byte(i * 31)
	}
	var jpg bytes.Buffer
	if err := jpeg.Encode(&jpg, small, nil); err != nil {
		t.Fatal(err)
	}
	photos := map[string][]byte{
		"jpeg": jpg.Bytes(), "png": encodePNG(t, small), "webp": fixture(t, "photo.webp"),
		"gif": fixture(t, "animated.gif")[:1500], "tiff": fixture(t, "photo.tif"),
		"avif": fixture(t, "photo.avif"),
	}
	dst := make([]byte, 16*16*3)
	for name, whole := range photos {
		step := max(1, len(whole)/400)
		if name == "jpeg" || name == "png" {
			step = 1
		}
		for n := 0; n < len(whole); n += step {
			_, err := d.Pixels(bytes.Clone(whole[:n]), Geometry{16, 0.875}, dst)
			if err != nil && !known(err) {
				t.Fatalf("%s cut at %d: %v", name, n, err)
			}
		}
	}
}

func known(err error) bool {
	return errors.Is(err, ErrEmpty) || errors.Is(err, ErrFormat) ||
		errors.Is(err, ErrLimits) || errors.Is(err, ErrCorrupt)
}

func half(data []byte) []byte { return data[:len(data)/2] }

func encodePNG(t testing.TB, im image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, im); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func gifOf(t *testing.T, w, h int) []byte {
	t.Helper()
	var out bytes.Buffer
	im := image.NewPaletted(image.Rect(0, 0, w, h), color.Palette{color.Black, color.White})
	if err := gif.Encode(&out, im, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// pngClaiming is a header that promises w × h pixels, and none of them.
func pngClaiming(w, h uint32) []byte {
	out := []byte("\x89PNG\r\n\x1a\n")
	ihdr := binary.BigEndian.AppendUint32(nil, w)
	ihdr = binary.BigEndian.AppendUint32(ihdr, h)
	out = chunk(out, "IHDR", append(ihdr, 8, 2, 0, 0, 0))
	return chunk(out, "IDAT", []byte{0x78, 0x9c})
}

func chunk(out []byte, kind string, body []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(body)))
	tagged := append([]byte(kind), body...)
	out = append(out, tagged...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(tagged))
}

// jpegClaiming is a small JPEG whose frame header (SOF0) lies about its size.
func jpegClaiming(t *testing.T, w, h uint16) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, 16, 16)), nil); err != nil {
		t.Fatal(err)
	}
	data := out.Bytes()
	at := bytes.Index(data, []byte{0xff, 0xc0})
	binary.BigEndian.PutUint16(data[at+5:], h)
	binary.BigEndian.PutUint16(data[at+7:], w)
	return data
}
