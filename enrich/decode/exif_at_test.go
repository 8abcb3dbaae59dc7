package decode

import (
	"bytes"
	"errors"
	"io"
	"path/filepath"
	"slices"
	"testing"
)

// elsewhere is a photo somewhere else that counts what is asked of it.
type elsewhere struct {
	data  []byte
	reads int
	bytes int
	seen  map[int64]bool
	twice bool
	fail  error
}

func (c *elsewhere) ReadAt(p []byte, off int64) (int, error) {
	if c.fail != nil && c.reads > 0 {
		return 0, c.fail
	}
	c.reads++
	for at := off; at < off+int64(len(p)); at += ExifBlockBytes {
		c.twice = c.twice || c.seen[at/ExifBlockBytes]
		if c.seen == nil {
			c.seen = map[int64]bool{}
		}
		c.seen[at/ExifBlockBytes] = true
	}
	n, err := bytes.NewReader(c.data).ReadAt(p, off)
	c.bytes += n
	return n, err
}

// longPicture is a picture without any more metadata.
func longPicture(n int) []byte { return bytes.Repeat([]byte{0x55}, n) }

func TestReadExifAtReadsNoMoreThanItMust(t *testing.T) {
	rome := exifOf(rome())
	jpg := jpegWith(t, rome)
	late := jpegWith(t, rome)
	for range 5 { // colour profiles come in segments of 64 KiB
		late = withSegment(late, 0xe2, longPicture(60_000))
	}
	png := fixture(t, "photo.png")
	end := len(png) - 12 // before IEND
	behind := append(chunk(bytes.Clone(png[:end]), "eXIf", rome), png[end:]...)
	for _, row := range []struct {
		story        string
		data         []byte
		reads, bytes int // at most
		camera       string
	}{
		{"a JPEG of 3 MB: its first block", append(bytes.Clone(jpg), longPicture(3<<20)...), 1, ExifBlockBytes, "Canon EOS 5D"},
		{"a small JPEG: all of it, once", jpg, 1, len(jpg), "Canon EOS 5D"},
		{"a JPEG with a profile of 300 KB before the EXIF", append(late, longPicture(3<<20)...), 8, 500_000, "Canon EOS 5D"},
		{"a JPEG of 3 MB without EXIF", append(fixture(t, "photo.jpg"), longPicture(3<<20)...), 1, ExifBlockBytes, ""},
		{"a PNG with EXIF behind the picture", behind, 1, len(behind), "Canon EOS 5D"},
		{"a WebP of 3 MB: both ends", webpWithPicture(t, rome, 3<<20), 2, 3 * ExifBlockBytes, "Canon EOS 5D"},
		{"a TIFF of 3 MB whose tags are at its start", append(bytes.Clone(rome), longPicture(3<<20)...), 1, ExifBlockBytes, "Canon EOS 5D"},
		{"a HEIC of 3 MB", append(fixture(t, "photo.heic"), longPicture(3<<20)...), 2, 2 * ExifBlockBytes, ""},
	} {
		c := &elsewhere{data: row.data}
		got, err := ReadExifAt(c, int64(len(row.data)))
		if err != nil || got.Camera != row.camera {
			t.Errorf("%s: %+v, %v", row.story, got, err)
		}
		if c.reads > row.reads || c.bytes > row.bytes || c.twice {
			t.Errorf("%s: %d reads of %d bytes, twice %v", row.story, c.reads, c.bytes, c.twice)
		}
	}
}

// webpWithPicture has EXIF behind a picture of n bytes.
func webpWithPicture(t *testing.T, tiff []byte, n int) []byte {
	t.Helper()
	body := riff([]byte("WEBP"), "VP8X", []byte{8, 0, 0, 0, 89, 0, 0, 130, 0, 0})
	body = riff(body, "VP8L", longPicture(n))
	return riff(nil, "RIFF", riff(body, "EXIF", tiff))
}

func TestReadExifAtAgreesWithReadExif(t *testing.T) {
	files, err := filepath.Glob("testdata/*.*")
	if err != nil || len(files) < 20 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if slices.Contains([]string{".py", ".json"}, filepath.Ext(name)) {
			continue
		}
		agree(t, fixture(t, filepath.Base(name)))
	}
	for _, tiff := range loops() {
		agree(t, jpegWith(t, tiff))
	}
}

// agree compares the two ways to read a photo's EXIF.
func agree(t *testing.T, data []byte) {
	t.Helper()
	want, wantErr := ReadExif(data)
	got, err := ReadExifAt(bytes.NewReader(data), int64(len(data)))
	if (err == nil) != (wantErr == nil) || !sameExif(got, want) {
		t.Errorf("of %.16q: %+v %v, read whole %+v %v", data, got, err, want, wantErr)
	}
}

func TestReadExifAtSaysWhatTheSourceSays(t *testing.T) {
	reset := errors.New("connection reset")
	data := webpWithPicture(t, exifOf(rome()), 1<<20)
	if _, err := ReadExifAt(&elsewhere{data: data, fail: reset}, int64(len(data))); !errors.Is(err, reset) {
		t.Errorf("in the middle: %v", err)
	}
	if _, err := ReadExifAt(&elsewhere{data: data[:100]}, int64(len(data))); !errors.Is(err, io.EOF) {
		t.Errorf("shorter than it said: %v", err)
	}
	if _, err := ReadExifAt(bytes.NewReader(nil), 0); !errors.Is(err, ErrEmpty) {
		t.Errorf("nothing: %v", err)
	}
	endless := jpegWith(t, nil)[:2]
	for len(endless) < 2*exifBytes {
		endless = append(append(endless, 0xff, 0xe2, 0xff, 0xff), longPicture(0xffff-2)...)
	}
	if _, err := ReadExifAt(bytes.NewReader(endless), int64(len(endless))); !errors.Is(err, ErrCorrupt) {
		t.Errorf("segments without end: %v", err)
	}
}
