package decode

import (
	"encoding/json"
	"image/png"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// goldenCase is a line of testdata/golden.json, which testdata/make.py writes.
type goldenCase struct {
	Fixture string  `json:"fixture"`
	Size    int     `json:"size"`
	Crop    float64 `json:"crop"`
	Golden  string  `json:"golden"`
	MaxDiff int     `json:"max_diff"` // lossless input: largest difference of a byte
	MinPSNR float64 `json:"min_psnr"` // lossy input, dB
}

// The pixels are those of Pillow, which training used: to the bit or two for
// lossless input, and as near as no model can tell for a scaled JPEG.
func TestPixelsAgreeWithPillow(t *testing.T) {
	d := newDecoder(t)
	for _, c := range goldenCases(t) {
		name := c.Fixture + "/" + strconv.Itoa(c.Size)
		t.Run(name, func(t *testing.T) {
			got := make([]byte, c.Size*c.Size*3)
			_, err := d.Pixels(fixture(t, c.Fixture), Geometry{c.Size, c.Crop}, got)
			skipWithoutCodec(t, err)
			if err != nil {
				t.Fatal(err)
			}
			want := readPNG(t, c.Golden)
			diff, psnr := compare(got, want)
			t.Logf("largest difference %d, PSNR %.1f dB", diff, psnr)
			if c.MinPSNR > 0 && psnr < c.MinPSNR {
				t.Errorf("PSNR %.1f dB, want at least %.1f", psnr, c.MinPSNR)
			}
			if c.MinPSNR == 0 && diff > c.MaxDiff {
				t.Errorf("largest difference %d, want at most %d", diff, c.MaxDiff)
			}
		})
	}
}

func goldenCases(t testing.TB) []goldenCase {
	t.Helper()
	var cases []goldenCase
	if err := json.Unmarshal(fixture(t, "golden.json"), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) < 20 {
		t.Fatalf("golden.json has %d cases, want at least 20", len(cases))
	}
	return cases
}

// compare gives the largest difference and the PSNR, +Inf when equal.
func compare(got, want []byte) (diff int, psnr float64) {
	var squares float64
	for i := range want {
		delta := int(got[i]) - int(want[i])
		squares += float64(delta * delta)
		diff = max(diff, delta, -delta)
	}
	return diff, 10 * math.Log10(255*255*float64(len(want))/squares)
}

func newDecoder(t testing.TB) *Decoder {
	t.Helper()
	d, err := New(DefaultLimits())
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func readPNG(t testing.TB, name string) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	im, err := png.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	b := im.Bounds()
	var out []byte
	for y := range b.Dy() {
		for x := range b.Dx() {
			r, g, b, _ := im.At(x, y).RGBA()
			out = append(out, byte(r>>8), byte(g>>8), byte(b>>8))
		}
	}
	return out
}
