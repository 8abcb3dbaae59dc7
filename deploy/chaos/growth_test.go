package chaos

import (
	"math"
	"testing"
)

func TestSlopeFindsALine(t *testing.T) {
	var x, straight, shaken []float64
	for i := range 3000 {
		h := float64(i) / 3000
		x, straight, shaken = append(x, h), append(straight, 100+3*h), append(shaken, 100+3*h+float64(i/100%2))
	}
	if up, err := slope(blocks(x), blocks(straight)); math.Abs(up-3) > 1e-9 || err > 1e-9 {
		t.Errorf("a straight line rises by %v ± %v, want 3 ± 0", up, err)
	}
	if up, err := slope(blocks(x), blocks(shaken)); math.Abs(up-3) > 2*err || err < 0.1 {
		t.Errorf("a shaken line rises by %v ± %v, want about 3, and not for sure", up, err)
	}
	if up, err := slope(nil, nil); up != 0 || err != 0 {
		t.Errorf("nothing rises by %v ± %v", up, err)
	}
}
