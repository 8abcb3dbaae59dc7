package pipeline

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

func TestHalfHoldsEveryValueOfItsOwn(t *testing.T) {
	for h := range 1 << 16 {
		f := fromHalf(uint16(h))
		if f != f || math.IsInf(float64(f), 0) {
			continue // never written: NaN is refused and infinities are clamped
		}
		if got := toHalf(f); got != uint16(h) {
			t.Fatalf("%#04x is %g, which becomes %#04x", h, f, got)
		}
	}
}

func TestHalfKnowsItsEdges(t *testing.T) {
	for _, row := range []struct {
		name string
		in   float32
		want uint16
	}{
		{"zero", 0, 0x0000},
		{"negative zero", float32(math.Copysign(0, -1)), 0x8000},
		{"one", 1, 0x3c00},
		{"minus two", -2, 0xc000},
		{"a third", 1.0 / 3, 0x3555},
		{"the greatest", 65504, 0x7bff},
		{"beyond the greatest is clamped", 1e9, 0x7bff},
		{"an infinity is clamped", float32(math.Inf(-1)), 0xfbff},
		{"the smallest normal", 0x1p-14, 0x0400},
		{"the greatest subnormal", 0x1p-14 - 0x1p-24, 0x03ff},
		{"the smallest", 0x1p-24, 0x0001},
		{"half of the smallest: to even", 0x1p-25, 0x0000},
		{"a tie to the even neighbour below", 1 + 0x1p-11, 0x3c00},
		{"a tie to the even neighbour above", 1 + 3*0x1p-11, 0x3c02},
		{"rounding that carries into the exponent", 2 - 0x1p-12, 0x4000},
	} {
		if got := toHalf(row.in); got != row.want {
			t.Errorf("%s: %g is %#04x, want %#04x", row.name, row.in, got, row.want)
		}
	}
	if f := fromHalf(0x7c00); !math.IsInf(float64(f), 1) {
		t.Errorf("0x7c00 is %g", f)
	}
	if f := fromHalf(0x7e00); f == f {
		t.Errorf("0x7e00 is %g", f)
	}
}

func TestHalfIsTheNearest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.Float32Range(-65504, 65504).Draw(t, "f")
		h := toHalf(f)
		off := math.Abs(float64(fromHalf(h)) - float64(f))
		for _, other := range []uint16{h - 1, h + 1} {
			g := fromHalf(other)
			if math.Abs(float64(g)-float64(f)) < off {
				t.Fatalf("%g became %g, but %g is nearer", f, fromHalf(h), g)
			}
		}
	})
}
