package decode

import (
	"bytes"
	"errors"
	"testing"
)

// The last scan of a progressive photo is left out where the decoder scales by 4 or 8. This is what it costs beside all scans:
// nothing at an eighth, and at a quarter less than the scaling itself costs beside every pixel.
func TestLateScansAreNotMissed(t *testing.T) {
	d, all, whole := newDecoder(t), newDecoder(t), newDecoder(t)
	all.plain, whole.whole = 1, 1
	photo := fixture(t, "progressive.jpg")
	last := bytes.LastIndex(photo, []byte{0xff, 0xda}) // start of scan: one bit of each of the luma's frequencies
	for _, row := range []struct {
		scale   string
		g       Geometry
		leastDB float64
		leftOut bool
	}{
		{"1/8", Geometry{40, 1}, 99, true},
		{"1/4", Geometry{80, 1}, 55, true},
		{"1/2", Geometry{96, 0.875}, 99, false},
	} {
		t.Run(row.scale, func(t *testing.T) {
			got, every := pixelsOf(t, d, photo, row.g), pixelsOf(t, all, photo, row.g)
			_, psnr := compare(got, every)
			_, scaled := compare(every, pixelsOf(t, whole, photo, row.g))
			t.Logf("%.1f dB against every scan, which is %.1f dB against every pixel", psnr, scaled)
			if psnr < row.leastDB {
				t.Errorf("%.1f dB, want at least %.0f", psnr, row.leastDB)
			}
			other := bytes.Clone(photo)
			for i := last + 16; i < last+400; i++ {
				if other[i] != 0xff && other[i-1] != 0xff {
					other[i] ^= 0x15
				}
			}
			same := bytes.Equal(got, pixelsOf(t, d, other, row.g))
			if same != row.leftOut {
				t.Errorf("the last scan is left out: %v, want %v", same, row.leftOut)
			}
		})
	}
	without := append(bytes.Clone(photo[:last]), 0xff, 0xd9)
	g := Geometry{40, 1}
	if !bytes.Equal(pixelsOf(t, d, without, g), pixelsOf(t, d, photo, g)) {
		t.Error("a photo that ends where enough was read is another one")
	}
	for _, cut := range []int{last + 2, last + 100, len(photo) - 2} {
		if _, err := d.Pixels(photo[:cut], Geometry{40, 1}, make([]byte, 40*40*3)); !errors.Is(err, ErrCorrupt) {
			t.Errorf("cut at %d of %d bytes, of which the last scan begins at %d: %v, want ErrCorrupt", cut, len(photo), last, err)
		}
	}
}
