package decode

import (
	"bytes"
	"testing"
)

// Whatever the bytes are: pixels or one of the four errors, the guard words of
// dst's neighbours untouched, the object unchanged. The seeds are large, so fuzz
// with -fuzzminimizetime 5x, or all time goes into shrinking the first find.
func FuzzPixels(f *testing.F) {
	for _, name := range []string{"alpha.png", "photo.png", "photo.webp", "photo.tif", "animated.gif", "palette.png", "cmyk.jpg", "photo.avif", "orientation6.png"} {
		f.Add(fixture(f, name))
	}
	f.Add([]byte(nil))
	f.Add(pngClaiming(40000, 40000))
	for _, tiff := range loops() {
		f.Add(jpegWith(f, tiff))
		f.Add(tiff)
	}
	d, err := New(Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20})
	if err != nil {
		f.Fatal(err)
	}
	const guard = 64
	f.Fuzz(func(t *testing.T, data []byte) {
		g := Geometry{16, 0.875}
		memory := bytes.Repeat([]byte{0xa5}, g.Bytes()+2*guard)
		before := bytes.Clone(data)
		info, err := d.Pixels(data, g, memory[guard:guard+g.Bytes()])
		if err != nil && !known(err) {
			t.Errorf("error %v is none of the four", err)
		}
		if err == nil && (info.Width < 16 || info.Height < 16 || info.Orientation < 1 || info.Orientation > 8) {
			t.Errorf("decoded, but %+v", info)
		}
		if !bytes.Equal(before, data) {
			t.Error("the object was changed")
		}
		for i := range guard {
			if memory[i] != 0xa5 || memory[len(memory)-1-i] != 0xa5 {
				t.Fatal("wrote outside dst")
			}
		}
	})
}

// Whatever the bytes are: credible values, or the zero value beside an error.
func FuzzReadExif(f *testing.F) {
	f.Add(jpegWith(f, exifOf(rome())))
	f.Add(exifOf(rome()))
	f.Add(pngWith(f, "eXIf", exifOf(rome())))
	f.Add(webpWith(f, exifOf(rome())))
	f.Add(fixture(f, "photo.heic"))
	f.Add(fixture(f, "photo.avif"))
	for _, tiff := range loops() {
		f.Add(tiff)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := ReadExif(data)
		if err != nil && (e != (Exif{}) || !known(err)) {
			t.Errorf("%+v beside %v", e, err)
		}
		if p := e.Position; p != nil && !(p.Lat >= -90 && p.Lat <= 90 && p.Lon >= -180 && p.Lon <= 180) {
			t.Errorf("position %+v is not on the earth", *p)
		}
		if e.Orientation < 0 || e.Orientation > 8 || len([]rune(e.Camera)) > 100 {
			t.Errorf("not credible: %+v", e)
		}
		if at, atErr := ReadExifAt(bytes.NewReader(data), int64(len(data))); err == nil && atErr == nil && !sameExif(at, e) {
			t.Errorf("read in parts %+v, whole %+v", at, e)
		}
	})
}
