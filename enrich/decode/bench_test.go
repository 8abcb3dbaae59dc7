package decode

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"syscall"
	"testing"
	"time"
)

// BenchmarkPixels decodes to the model's input and reports, as x_stdlib, how
// many times as much processor time Go's own decoder needs for the decoding
// alone. Processor time, because a busy machine stretches the wall clock.
func BenchmarkPixels(b *testing.B) {
	d := newDecoder(b)
	for _, row := range []struct {
		name   string
		w, h   int
		encode func(*bytes.Buffer, image.Image) error
	}{
		{"jpeg_2MP", 1632, 1224, asJPEG},
		{"jpeg_12MP", 4032, 3024, asJPEG},
		{"progressive", 0, 0, func(out *bytes.Buffer, _ image.Image) error { out.Write(fixture(b, "progressive.jpg")); return nil }},
		{"png_2MP", 1632, 1224, func(out *bytes.Buffer, im image.Image) error { return png.Encode(out, im) }},
	} {
		b.Run(row.name, func(b *testing.B) {
			var photo bytes.Buffer
			if err := row.encode(&photo, textured(row.w, row.h)); err != nil {
				b.Fatal(err)
			}
			g := Geometry{224, 0.875}
			if row.w == 0 {
				g.Size = 64 // so that it is scaled by 4; a value under 1 of x_coefficients is scans that were left out
			}
			dst := make([]byte, g.Bytes())
			b.SetBytes(int64(photo.Len()))
			b.ReportAllocs()
			before := cpuTime()
			for b.Loop() {
				if _, err := d.Pixels(photo.Bytes(), g, dst); err != nil {
					b.Fatal(err)
				}
			}
			b.StopTimer()
			begin := cpuTime()
			ours := (begin - before) / time.Duration(b.N)
			if _, _, err := image.Decode(bytes.NewReader(photo.Bytes())); err != nil {
				b.Fatal(err)
			}
			b.ReportMetric(ours.Seconds()*1e3, "cpu_ms/op")
			b.ReportMetric(float64(cpuTime()-begin)/float64(ours), "x_stdlib")
			const times = 20
			begin = cpuTime()
			for range times {
				if Coefficients(photo.Bytes()) != nil {
					return // no JPEG
				}
			}
			b.ReportMetric(float64(ours)*times/float64(cpuTime()-begin), "x_coefficients")
		})
	}
}

// BenchmarkCoefficients decodes in turns with entropy.c and with libjpeg-turbo's own reader of coefficients: processor time of either,
// and of one over the other. The small photos are as small as entropy.c takes them.
func BenchmarkCoefficients(b *testing.B) {
	ours, theirs := newDecoder(b), newDecoder(b)
	theirs.worth = math.MaxInt
	for _, row := range []struct{ width, height int }{{1632, 1224}, {1280, 960}, {320, 240}} {
		b.Run(fmt.Sprintf("%dx%d", row.width, row.height), func(b *testing.B) {
			var photo bytes.Buffer
			if err := asJPEG(&photo, textured(row.width, row.height)); err != nil {
				b.Fatal(err)
			}
			g := Geometry{224, 0.875}
			dst := make([]byte, g.Bytes())
			var took [2]time.Duration
			for b.Loop() {
				for i, d := range []*Decoder{ours, theirs} {
					before := cpuTime()
					if _, err := d.Pixels(photo.Bytes(), g, dst); err != nil {
						b.Fatal(err)
					}
					took[i] += cpuTime() - before
				}
			}
			b.ReportMetric(took[0].Seconds()*1e3/float64(b.N), "cpu_ms/op")
			b.ReportMetric(took[1].Seconds()*1e3/float64(b.N), "libjpeg_cpu_ms/op")
			b.ReportMetric(float64(took[0])/float64(took[1]), "x_libjpeg")
			b.ReportMetric(float64(photo.Len())/1e3, "KB")
		})
	}
}

func BenchmarkReadExif(b *testing.B) {
	data := jpegWith(b, exifOf(rome()))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ReadExif(data); err != nil {
			b.Fatal(err)
		}
	}
}

func cpuTime() time.Duration {
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		return 0
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func asJPEG(out *bytes.Buffer, im image.Image) error {
	return jpeg.Encode(out, im, &jpeg.Options{Quality: 90})
}

// textured has about the detail, and so the bytes, of a real photo.
func textured(w, h int) image.Image {
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	noise := uint32(1)
	for y := range h {
		for x := range w {
			noise = noise*1664525 + 1013904223
			n := byte(noise>>28) + byte((x/24^y/24)&31)
			im.SetRGBA(x, y, color.RGBA{byte(x*255/w) + n, byte(y*255/h) + n, 120 + n, 255})
		}
	}
	return im
}

func flat(w, h int, c [3]byte) image.Image {
	im := image.NewRGBA(image.Rect(0, 0, w, h))
	for i := 0; i < len(im.Pix); i += 4 {
		im.Pix[i], im.Pix[i+1], im.Pix[i+2], im.Pix[i+3] = c[0], c[1], c[2], 255
	}
	return im
}
