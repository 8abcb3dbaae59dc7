package pipeline

import "math"

// Embeddings travel as IEEE 754 binary16: half the bytes, and an error (2⁻¹¹ of the value) far below what the album
// model can tell.

const (
	maxHalf      = 65504  // the greatest finite binary16
	infiniteHalf = 0x7c00 // the exponent of infinities and NaNs, which are never written
)

// toHalf rounds to the nearest binary16, ties to even. Values beyond the greatest finite one become that one, because an
// infinity would poison every sum that the album model makes; NaN is the caller's to refuse.
func toHalf(f float32) uint16 {
	bits := math.Float32bits(f)
	sign := uint16(bits >> 16 & 0x8000)
	magnitude := math.Float32frombits(bits &^ (1 << 31))
	switch {
	case magnitude >= maxHalf:
		return sign | 0x7bff
	case magnitude < 0x1p-14: // subnormal in binary16: multiples of 2⁻²⁴
		return sign | uint16(math.RoundToEven(float64(magnitude)*0x1p24))
	}
	// The exponent is rebiased from 127 to 15. Adding just under half of the last place that stays, and one more if that
	// place is odd, rounds to even; a carry runs into the exponent, which is right.
	bits = math.Float32bits(magnitude) - 112<<23
	bits += 0xfff + bits>>13&1
	return sign | uint16(bits>>13)
}

// fromHalf is exact.
func fromHalf(h uint16) float32 {
	sign, exponent, fraction := float32(1), h>>10&0x1f, h&0x3ff
	if h&0x8000 != 0 {
		sign = -1
	}
	switch exponent {
	case 0:
		return sign * float32(fraction) * 0x1p-24
	case 0x1f:
		if fraction != 0 {
			return float32(math.NaN())
		}
		return sign * float32(math.Inf(1))
	}
	return math.Float32frombits(uint32(h&0x8000)<<16 | uint32(exponent+112)<<23 | uint32(fraction)<<13)
}
