package decode

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"testing"
)

// Scaling inside the decoder is a short cut, and this is what it costs: the mean over photos of several sizes, each against
// the decoding of every pixel.
func TestScaledDecodingCostsNoQuality(t *testing.T) {
	scaled, whole := newDecoder(t), newDecoder(t)
	whole.whole = 1
	var sum float64
	sizes := [][2]int{{1280, 960}, {960, 1280}, {1632, 1224}, {3000, 1000}, {4032, 3024}}
	if raceEnabled {
		sizes = sizes[:3] // the others take half a minute to make then
	}
	for _, size := range sizes {
		var photo bytes.Buffer
		if err := asJPEG(&photo, scene(size[0], size[1])); err != nil {
			t.Fatal(err)
		}
		g := Geometry{224, 1}
		_, psnr := compare(pixelsOf(t, scaled, photo.Bytes(), g), pixelsOf(t, whole, photo.Bytes(), g))
		t.Logf("%d×%d: %.1f dB", size[0], size[1], psnr)
		sum += min(psnr, 99) // equal pixels would make the mean infinite
	}
	if mean := sum / float64(len(sizes)); mean < 50 {
		t.Errorf("%.1f dB in the mean, want at least 50", mean)
	} else {
		t.Logf("%.1f dB in the mean", mean)
	}
}

// The columns and rows that nobody needs are left out inside the decoder, and the rest is resampled by registers of another
// width. What comes out must be what it was: a JPEG of grey squares that it keeps without loss gives the very pixels of a PNG.
func TestNarrowedDecodingIsExact(t *testing.T) {
	d := newDecoder(t)
	for _, size := range [][2]int{{600, 200}, {200, 600}, {333, 217}, {217, 333}, {1000, 70}, {64, 64}} {
		for _, crop := range []float64{1, 0.875, 0.31} {
			t.Run(fmt.Sprintf("%dx%d/%v", size[0], size[1], crop), func(t *testing.T) {
				var lossy, lossless bytes.Buffer
				grey := image.NewGray(image.Rect(0, 0, size[0], size[1]))
				for i := range grey.Pix {
					x, y := i%grey.Stride/8, i/grey.Stride/8
					grey.Pix[i] = uint8(x*x*37 + y*101 + x*y*y)
				}
				if err := jpeg.Encode(&lossy, grey, &jpeg.Options{Quality: 100}); err != nil {
					t.Fatal(err)
				}
				if err := png.Encode(&lossless, grey); err != nil {
					t.Fatal(err)
				}
				g := Geometry{64, crop} // under two samples a pixel for the first sizes: no scaling
				if float64(min(size[0], size[1]))*crop >= 4*64 {
					t.Fatal("this size would be scaled")
				}
				if diff, psnr := compare(pixelsOf(t, d, lossy.Bytes(), g), pixelsOf(t, d, lossless.Bytes(), g)); diff != 0 {
					t.Errorf("pixels differ by up to %d, %.1f dB", diff, psnr)
				}
			})
		}
	}
}

// However chroma is sampled and scaled, what is decoded of the middle alone is the middle of what is decoded of all.
func TestNarrowedSamplingsAreExact(t *testing.T) {
	d := newDecoder(t)
	for _, sampling := range samplings() {
		for _, size := range []int{80, 40, 8} { // at 1/2, 1/4 and 1/8; the middle has half as many pixels
			photo := plainSketch(3, 320, 320, sampling, 0).jpeg()
			whole, middle := pixelsOf(t, d, photo, Geometry{size, 1}), pixelsOf(t, d, photo, Geometry{size / 2, 0.5})
			for y := range size / 2 {
				row := whole[3*((y+size/4)*size+size/4):][:3*(size/2)]
				if !bytes.Equal(middle[3*y*(size/2):][:len(row)], row) {
					t.Errorf("sampled %v, to %d: row %d of the middle is another", sampling, size, y)
					break
				}
			}
		}
	}
}

// Wide registers are for speed alone: for every orientation, size and format the pixels are those of plain C, with the
// widest that this processor has and with the others.
func TestWideRegistersChangeNoPixel(t *testing.T) {
	widest, narrow, plain := newDecoder(t), newDecoder(t), newDecoder(t)
	narrow.narrow, plain.plain = 1, 1
	photos := map[string][]byte{"png": fixture(t, "photo.png")}
	for orientation := uint32(1); orientation <= 8; orientation++ {
		var photo bytes.Buffer
		if err := asJPEG(&photo, textured(90+int(orientation), 140)); err != nil {
			t.Fatal(err)
		}
		tiff := tiffOf(entry{0x112, short, 1, orientation})
		photos[fmt.Sprint("jpeg turned ", orientation)] = carrying(photo.Bytes(), tiff)
	}
	var extremes bytes.Buffer // sums that overshoot on either side
	if err := asJPEG(&extremes, chequered(131, 97)); err != nil {
		t.Fatal(err)
	}
	photos["jpeg black and white"] = extremes.Bytes()
	for name, photo := range photos {
		for _, g := range []Geometry{{1, 1}, {2, 1}, {7, 0.4}, {64, 1}, {64, 0.01}, {90, 1}, {97, 0.9}, {224, 0.875}} {
			want := pixelsOf(t, plain, photo, g)
			for registers, d := range map[string]*Decoder{"widest": widest, "narrow": narrow} {
				if diff, _ := compare(pixelsOf(t, d, photo, g), want); diff != 0 {
					t.Errorf("%s at %+v, %s: pixels differ by up to %d", name, g, registers, diff)
				}
			}
		}
	}
}

// chequered is black and white in squares of 3 pixels.
func chequered(w, h int) image.Image {
	im := image.NewGray(image.Rect(0, 0, w, h))
	for i := range im.Pix {
		im.Pix[i] = uint8(255 * ((i%w/3 + i/w/3) % 2))
	}
	return im
}

func pixelsOf(t *testing.T, d *Decoder, photo []byte, g Geometry) []byte {
	t.Helper()
	dst := make([]byte, g.Bytes())
	if _, err := d.Pixels(photo, g, dst); err != nil {
		t.Fatal(err)
	}
	return dst
}

// scene has what photos have: slow gradients, edges at every angle, some grain.
func scene(w, h int) image.Image {
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	noise := uint32(1)
	for y := range h {
		for x := range w {
			u, v := float64(x)/float64(w), float64(y)/float64(h)
			noise = noise*1664525 + 1013904223
			light := 90 + 60*math.Sin(9*u+3*math.Sin(7*v)) + 40*math.Cos(31*u*v)
			if math.Mod(13*u+5*v*v, 1) < 0.3 {
				light -= 45
			}
			n := float64(noise>>28) - 8
			im.SetRGBA(x, y, color.RGBA{shade(light + n + 30*v), shade(light + n), shade(light + n + 40*u - 20), 255})
		}
	}
	return im
}

func shade(v float64) uint8 { return uint8(min(max(v, 0), 255)) }
