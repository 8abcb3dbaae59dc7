package decode

import (
	"bytes"
	"testing"
)

// FuzzHiddenExif looks for EXIF in anything: what was found is hidden for good, by changes that lie inside of the object.
func FuzzHiddenExif(f *testing.F) {
	for _, name := range []string{"photo.jpg", "photo.png", "photo.webp", "photo.tif", "photo.heic", "photo.avif", "animated.gif", "orientation6.png"} {
		f.Add(fixture(f, name))
	}
	f.Add(jpegWith(f, exifOf(rome())))
	f.Add(pngWith(f, "eXIf", exifOf(rome())))
	f.Add(webpWith(f, exifOf(rome())))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x02Exif"))
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x00Exif\xff\xe1\x00\x08Exif\x00\x00"))
	f.Add([]byte("\x89PNG\r\n\x1a\n\xff\xff\xff\xf4eXIf\x00\x00\x00\x00eXIf\x00\x00\x00\x00\x00\x00\x00\x00eXIf"))
	f.Add([]byte("RIFF\x00\x00\x00\x00WEBPEXIF\xff\xff\xff\xffEXIF\x02\x00\x00\x00"))
	f.Add([]byte("\x00\x00\x00\x14ftypheic\x00\x00\x00\x00mif1infe\x02\x00\x00\x00\x00\x01\x00\x00ExExif"))
	f.Fuzz(func(t *testing.T, data []byte) {
		kind, err := sniff(data)
		if err != nil {
			return
		}
		blocks := exifBlocks(kind, data)
		hidden := bytes.Clone(data)
		for _, p := range concealed(blocks) {
			if p.at > uint(len(data)) || p.at+4 > uint(len(data)) {
				t.Fatalf("%s: a change at %d of %d bytes", kind, p.at, len(data))
			}
			copy(hidden[p.at:], p.with[:])
		}
		if kind == formatTIFF { // is one itself; libtiff reads it, not libexif
			return
		}
		if left := concealed(exifBlocks(kind, hidden)); len(left) > 0 {
			t.Errorf("%s: %d changes hid %d blocks and left %v", kind, len(concealed(blocks)), len(blocks), left)
		}
	})
}
