package decode

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// Turning the picture before or after makes no difference: the eight stored
// forms of one scene give the same pixels, byte for byte.
func TestOrientationsAreOnePhoto(t *testing.T) {
	d := newDecoder(t)
	g := Geometry{32, 0.875}
	upright := make([]byte, g.Bytes())
	if _, err := d.Pixels(fixture(t, "orientation1.png"), g, upright); err != nil {
		t.Fatal(err)
	}
	for o := '2'; o <= '8'; o++ {
		got := make([]byte, g.Bytes())
		info, err := d.Pixels(fixture(t, "orientation"+string(o)+".png"), g, got)
		if err != nil {
			t.Fatal(err)
		}
		// The two orders of summing differ by a rounding; a mistake in the
		// turning differs everywhere.
		if diff, _ := compare(got, upright); diff > 1 || info.Orientation != int(o-'0') {
			t.Errorf("orientation %c: %+v, largest difference %d", o, info, diff)
		}
	}
}

// A flat photo stays flat at every size and crop: the weights add up to one.
func TestResamplingKeepsAFlatColour(t *testing.T) {
	d := newDecoder(t)
	rapid.Check(t, func(r *rapid.T) {
		w, h := rapid.IntRange(16, 90).Draw(r, "width"), rapid.IntRange(16, 90).Draw(r, "height")
		g := Geometry{rapid.IntRange(1, 120).Draw(r, "size"), rapid.Float64Range(0.01, 1).Draw(r, "crop")}
		colour := [3]byte{rapid.Byte().Draw(r, "red"), rapid.Byte().Draw(r, "green"), rapid.Byte().Draw(r, "blue")}
		dst := make([]byte, g.Bytes())
		if _, err := d.Pixels(encodePNG(t, flat(w, h, colour)), g, dst); err != nil {
			if errors.Is(err, ErrLimits) {
				return
			}
			r.Fatal(err)
		}
		if want := bytes.Repeat(colour[:], g.Size*g.Size); !bytes.Equal(dst, want) {
			r.Fatalf("%d×%d to %+v: not flat", w, h, g)
		}
	})
}

func TestNewRefusesNegativeLimits(t *testing.T) {
	for _, l := range []Limits{{MaxBytes: -1}, {MaxPixels: -1}, {MinSide: -1}, {MaxAspect: -1}, {MaxAspect: math.NaN()}} {
		if _, err := New(l); err == nil {
			t.Errorf("%+v was accepted", l)
		}
	}
}

func TestGeometryValidate(t *testing.T) {
	for _, g := range []Geometry{{}, {0, 1}, {-1, 1}, {4097, 1}, {224, 0}, {224, 1.01}, {224, math.NaN()}, {224, math.Inf(1)}} {
		if g.Validate() == nil {
			t.Errorf("%+v was accepted", g)
		}
	}
	if err := (Geometry{224, 0.875}).Validate(); err != nil {
		t.Error(err)
	}
}

// A dst of the wrong length is the program's mistake and must not reach C.
func TestPixelsPanicsOnAWrongDst(t *testing.T) {
	d := newDecoder(t)
	for _, n := range []int{0, 16*16*3 - 1, 16*16*3 + 1} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("dst of %d bytes was accepted", n)
				}
			}()
			_, _ = d.Pixels(fixture(t, "photo.png"), Geometry{16, 1}, make([]byte, n))
		}()
	}
}

// skipWithoutCodec skips where this machine's libvips was built without a
// format; the sentence is part of the contract. A machine that must have
// everything fails instead.
func skipWithoutCodec(t testing.TB, err error) {
	t.Helper()
	if errors.Is(err, ErrFormat) && strings.HasSuffix(err.Error(), "is not supported by the installed libvips") {
		if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

// TestViews: the middle is what the network sees, and a corner is what is there.
func TestViews(t *testing.T) {
	d, g := newDecoder(t), Geometry{16, 0.5}
	data := fixture(t, "photo.png")
	middle, centred, corner := make([]byte, g.Bytes()), make([]byte, g.Bytes()), make([]byte, g.Bytes())
	for _, row := range []struct {
		at  Corner
		dst []byte
	}{{Corner{0.5, 0.5}, centred}, {Corner{0, 1}, corner}} {
		if _, err := d.View(data, g, row.at, row.dst); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Pixels(data, g, middle); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(middle, centred) || bytes.Equal(middle, corner) {
		t.Errorf("the middle is %v, a view of it %v; a corner is another: %v", middle[:6], centred[:6], corner[:6])
	}
	defer func() {
		if recover() == nil {
			t.Error("a corner outside the photo was not refused")
		}
	}()
	_, _ = d.View(data, g, Corner{-0.1, 0}, corner)
}
