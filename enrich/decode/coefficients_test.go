package decode

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"testing"

	"pgregory.net/rapid"
)

// twins are the decoder that reads coefficients by entropy.c, however small the photo, and the one that leaves them to libjpeg-turbo.
type twins struct{ quick, plain *Decoder }

func newTwins(t testing.TB) twins {
	t.Helper()
	tw := twins{newDecoder(t), newDecoder(t)}
	tw.quick.worth, tw.plain.worth = 0, math.MaxInt
	tw.quick.limits.MaxPixels, tw.plain.limits.MaxPixels = 1<<20, 1<<20
	return tw
}

// compare decodes by both. It says what is not the same, if anything, and whether entropy.c read the photo.
func (tw twins) compare(photo []byte, g Geometry, at Corner) (difference string, quick bool) {
	before := tw.quick.quick.Load()
	got, want := make([]byte, g.Bytes()), make([]byte, g.Bytes())
	gotInfo, gotErr := tw.quick.View(photo, g, at, got)
	wantInfo, wantErr := tw.plain.View(photo, g, at, want)
	quick = tw.quick.quick.Load() > before
	switch {
	case fmt.Sprint(gotErr) != fmt.Sprint(wantErr):
		return fmt.Sprintf("%v, libjpeg-turbo: %v", gotErr, wantErr), quick
	case gotInfo != wantInfo:
		return fmt.Sprintf("%+v, libjpeg-turbo: %+v", gotInfo, wantInfo), quick
	case wantErr == nil && !bytes.Equal(got, want):
		differ := 0
		for i := range got {
			if got[i] != want[i] {
				differ++
			}
		}
		return fmt.Sprintf("%d of %d bytes of the pixels differ", differ, len(got)), quick
	}
	return "", quick
}

// requireQuick skips where entropy.c reads nothing at all, because it is not compiled.
func (tw twins) requireQuick(t *testing.T) {
	t.Helper()
	for _, photo := range small(1) {
		if _, quick := tw.compare(photo, Geometry{16, 1}, centred()); quick {
			return
		}
	}
	const without = "the headers of libjpeg-turbo's inside (jpegint.h) are not installed: it reads all coefficients itself"
	if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
		t.Fatal(without)
	}
	t.Skip(without)
}

// views are all scales, with every column and row and without some.
func views(side int) map[Geometry]Corner {
	return map[Geometry]Corner{
		{side, 1}:                {0.5, 0.5},
		{max(1, side/4), 1}:      {0.5, 1},
		{max(1, side/8), 1}:      {0, 0},
		{max(1, side/16), 1}:     {1, 0.5},
		{max(1, side/3), 0.4}:    {0.7, 0.9},
		{max(1, side/12), 0.4}:   {0.5, 0.1},
		{max(1, side/24), 0.9}:   {1, 1},
		{max(1, side/48), 0.301}: {0, 1},
	}
}

// Whatever codes, tables, samplings and restarts a baseline photo has: entropy.c reads it, and the pixels are those that
// libjpeg-turbo's own reader gives, at every scale, with columns and rows left out and without.
func TestCoefficientsAreLibjpegs(t *testing.T) {
	tw := newTwins(t)
	tw.requireQuick(t)
	rapid.Check(t, func(r *rapid.T) {
		for range 10 {
			s := drawn(r)
			photo := s.jpeg()
			for g, at := range views(min(s.width, s.height)) {
				// What comes in several scans is libjpeg-turbo's to read.
				if difference, quick := tw.compare(photo, g, at); difference != "" || quick == (s.apart && len(s.sampling) > 1) {
					r.Fatalf("%d×%d sampled %v to %+v at %+v: read by entropy.c %v; %s", s.width, s.height, s.sampling, g, at, quick, difference)
				}
			}
		}
	})
}

// The most that a unit can take is ready to be read, wherever in the photo it begins: of ten blocks, of the longest codes and values.
func TestTheLongestCoefficientsAreLibjpegs(t *testing.T) {
	tw := newTwins(t)
	tw.requireQuick(t)
	for seed := range uint64(8) {
		s := plainSketch(seed, 240, 224+int(seed), [][2]int{{4, 2}, {1, 1}, {1, 1}}, int(seed%4)*50).longest(0.03)
		photo := s.jpeg()
		if difference, quick := tw.compare(photo, Geometry{224, 1}, centred()); difference != "" || !quick || len(photo) < 8*32<<10 {
			t.Errorf("seed %d, %d bytes: read by entropy.c %v; %s", seed, len(photo), quick, difference)
		}
	}
}

// Behind the longest code and value, of a block's first coefficient or another, bits are left for the most that can be looked at once: codes of 11
// bits in all with the value between, and one of 15 bits behind them.
func TestTheLongestLooksAreLibjpegs(t *testing.T) {
	tw := newTwins(t)
	tw.requireQuick(t)
	for seed := range uint64(8) {
		s := plainSketch(seed, 400, 400, [][2]int{{1, 1}}, 0)
		s.empty, s.full = 0, 0
		s.dc, s.dcPicks = []huffman{coded([]byte{0, 15}, []byte{1, 16})}, []byte{15}
		s.ac, s.acPicks = []huffman{coded([]byte{0, 15, 1, 4, 3, 0x1f}, []byte{2, 3, 3, 4, 5, 16})}, []byte{0, 15, 4, 3, 0x1f}
		if difference, quick := tw.compare(s.jpeg(), Geometry{224, 1}, centred()); difference != "" || !quick {
			t.Errorf("seed %d: read by entropy.c %v; %s", seed, quick, difference)
		}
	}
}

// entropy.c reads the large photos of every decoder, and no small ones.
func TestLargePhotosAreReadByEntropy(t *testing.T) {
	newTwins(t).requireQuick(t)
	d := newDecoder(t)
	for _, row := range []struct {
		file string
		want int64
	}{{"odd444.jpg", 1}, {"grey.jpg", 1}, {"progressive.jpg", 1}, {"odd444.jpg", 2}} { // 39 KB; 15 KB; not baseline
		pixelsOf(t, d, fixture(t, row.file), Geometry{16, 1})
		if got := d.quick.Load(); got != row.want {
			t.Errorf("after %s: %d photos, want %d", row.file, got, row.want)
		}
	}
}

// samplings are those that cameras use, and some that none does, with up to ten blocks in a unit.
func samplings() [][][2]int {
	return [][][2]int{
		{{1, 1}}, // grey
		{{2, 2}}, // likewise
		{{1, 1}, {1, 1}, {1, 1}},
		{{2, 2}, {1, 1}, {1, 1}},
		{{2, 1}, {1, 1}, {1, 1}},
		{{4, 1}, {1, 1}, {1, 1}},
		{{1, 2}, {1, 1}, {1, 1}},
		{{4, 2}, {1, 1}, {1, 1}},
		{{1, 4}, {1, 2}, {1, 2}},
		{{1, 1}, {1, 1}, {2, 2}},
	}
}

// drawn is any photo.
func drawn(r *rapid.T) sketch {
	side := rapid.SampledFrom([]int{16, 17, 40, 64, 113, 240})
	random := rand.New(rand.NewPCG(1, rapid.Uint64().Draw(r, "seed")))
	s := sketch{
		width: side.Draw(r, "width"), height: side.Draw(r, "height"),
		sampling: rapid.SampledFrom(samplings()).Draw(r, "sampling"),
		quantum:  rapid.SampledFrom([]byte{1, 2, 13, 255}).Draw(r, "quantum"),
		restart:  rapid.SampledFrom([]int{0, 0, 1, 2, 7, 300}).Draw(r, "restart"),
		empty:    rapid.SampledFrom([]float64{0, 0.3, 0.95}).Draw(r, "empty"),
		full:     rapid.SampledFrom([]float64{0, 0.1, 1}).Draw(r, "full"),
		apart:    rapid.SampledFrom([]bool{false, false, false, true}).Draw(r, "scans apart"),
		ones:     rapid.Bool().Draw(r, "ones"),
		random:   random,
	}
	tables := rapid.IntRange(1, 3).Draw(r, "tables")
	deep := rapid.SampledFrom([]float64{0, 0.3, 1}).Draw(r, "deep")
	unused := rapid.IntRange(1, 4).Draw(r, "unused codes")
	dc := rapid.SampledFrom([]int{1, 7, 11, 15}).Draw(r, "bits of DC")
	ac := rapid.SampledFrom([]int{1, 2, 5, 10, 15}).Draw(r, "bits of AC")
	few := rapid.IntRange(1, 100).Draw(r, "hundredths of the symbols")
	s.dcPicks, s.acPicks = symbols(random, dc, ac, float64(few)/100)
	for range tables {
		s.dc = append(s.dc, grown(random, shuffled(random, s.dcPicks), deep, unused))
		s.ac = append(s.ac, grown(random, shuffled(random, s.acPicks), deep, unused))
	}
	if rapid.SampledFrom([]bool{false, false, false, true}).Draw(r, "as long as can be") {
		s = s.longest(0)
	}
	return s
}

// symbols are some of those with values of up to so many bits, always with the one that ends a block and the shortest value.
func symbols(random *rand.Rand, dcBits, acBits int, share float64) (dc, ac []byte) {
	dc, ac = []byte{0}, []byte{0, 1}
	for size := 1; size <= dcBits; size++ {
		if size == dcBits || random.Float64() < share {
			dc = append(dc, byte(size))
		}
	}
	for symbol := 2; symbol < 256; symbol++ { // 0xf0 is sixteen zeroes, and 0x10 … 0xe0 end a block, too
		if symbol&15 <= acBits && random.Float64() < share {
			ac = append(ac, byte(symbol))
		}
	}
	return dc, ac
}

func shuffled(random *rand.Rand, from []byte) []byte {
	to := slices.Clone(from)
	random.Shuffle(len(to), func(i, j int) { to[i], to[j] = to[j], to[i] })
	return to
}

// longest has no zeroes, and nothing but codes of 16 bits with values of 15, but for some empty blocks.
func (s sketch) longest(empty float64) sketch {
	others := []byte{0, 1}
	for run := byte(1); run < 16; run++ {
		others = append(others, run<<4|1, run<<4|2)
	}
	for i := range s.ac {
		s.ac[i] = grown(s.random, append(slices.Clone(others), 0x0f), 1, 1)
	}
	s.acPicks, s.empty, s.full = []byte{0x0f}, empty, 1
	return s
}
