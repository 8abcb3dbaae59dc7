package decode

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// damages are what happens to a photo, at each place of its bytes. Each answers nil where it does not apply.
func damages() map[string]func(photo []byte, at int, random *rand.Rand) []byte {
	put := func(photo []byte, at int, bytes ...byte) []byte {
		return slices.Insert(slices.Clone(photo), at, bytes...)
	}
	set := func(photo []byte, at int, bytes ...byte) []byte {
		return slices.Replace(slices.Clone(photo), at, min(at+len(bytes), len(photo)), bytes...)
	}
	marker := func(photo []byte, at int) bool { // RST0 … RST7
		return at+1 < len(photo) && photo[at] == 0xff && photo[at+1]&^7 == 0xd0
	}
	at := func(mark func(photo []byte, at int) []byte) func([]byte, int, *rand.Rand) []byte {
		return func(photo []byte, at int, _ *rand.Rand) []byte { return mark(photo, at) }
	}
	atMarker := func(mark func(photo []byte, at int) []byte) func([]byte, int, *rand.Rand) []byte {
		return func(photo []byte, at int, _ *rand.Rand) []byte {
			if !marker(photo, at) {
				return nil
			}
			return mark(photo, at)
		}
	}
	return map[string]func([]byte, int, *rand.Rand) []byte{
		"cut":                     at(func(p []byte, at int) []byte { return p[:at] }),
		"cut, with an end":        at(func(p []byte, at int) []byte { return append(slices.Clone(p[:at]), 0xff, 0xd9) }),
		"cut at half a marker":    at(func(p []byte, at int) []byte { return append(slices.Clone(p[:at]), 0xff) }),
		"a byte left out":         at(func(p []byte, at int) []byte { return slices.Delete(slices.Clone(p), at, at+1) }),
		"a stray 0xff":            at(func(p []byte, at int) []byte { return put(p, at, 0xff) }),
		"a stray 0xff of codes":   at(func(p []byte, at int) []byte { return put(p, at, 0xff, 0) }),
		"two, then a zero":        at(func(p []byte, at int) []byte { return set(p, at, 0xff, 0xff, 0) }),
		"a stray RST3":            at(func(p []byte, at int) []byte { return put(p, at, 0xff, 0xd3) }),
		"a stray DNL":             at(func(p []byte, at int) []byte { return put(p, at, 0xff, 0xdc, 0, 4, 0, 9) }),
		"codes become zeroes":     at(func(p []byte, at int) []byte { return set(p, at, make([]byte, 12)...) }),
		"codes become ones":       at(func(p []byte, at int) []byte { return set(p, at, bytes.Repeat([]byte{0xff, 0}, 6)...) }),
		"a bit flipped":           func(p []byte, at int, r *rand.Rand) []byte { return set(p, at, p[at]^1<<r.IntN(8)) },
		"a byte changed":          func(p []byte, at int, r *rand.Rand) []byte { return set(p, at, byte(r.Uint32())) },
		"a marker lost":           atMarker(func(p []byte, at int) []byte { return slices.Delete(slices.Clone(p), at, at+2) }),
		"a marker twice":          atMarker(func(p []byte, at int) []byte { return put(p, at, p[at], p[at+1]) }),
		"a marker ahead":          atMarker(func(p []byte, at int) []byte { return set(p, at+1, 0xd0|(p[at+1]+1)&7) }),
		"a marker behind":         atMarker(func(p []byte, at int) []byte { return set(p, at+1, 0xd0|(p[at+1]-1)&7) }),
		"the end for a marker":    atMarker(func(p []byte, at int) []byte { return set(p, at+1, 0xd9) }),
		"a marker filled up":      atMarker(func(p []byte, at int) []byte { return put(p, at, 0xff) }),
		"a byte before a marker":  atMarker(func(p []byte, at int) []byte { return put(p, at, 0x5a) }),
		"a byte behind a marker":  atMarker(func(p []byte, at int) []byte { return put(p, at+2, 0x5a) }),
		"zeroes before a marker":  atMarker(func(p []byte, at int) []byte { return put(p, at, make([]byte, 9)...) }),
		"a byte lost at a marker": atMarker(func(p []byte, at int) []byte { return slices.Delete(slices.Clone(p), at-1, at) }),
	}
}

// small are photos of few bytes, with and without restarts.
func small(seed uint64) map[string][]byte {
	grey, colour, many := [][2]int{{1, 1}}, [][2]int{{2, 2}, {1, 1}, {1, 1}}, [][2]int{{4, 2}, {1, 1}, {1, 1}}
	photos := map[string][]byte{}
	for name, s := range map[string]sketch{
		"grey":             plainSketch(seed, 31, 18, grey, 0),
		"grey, restarts":   plainSketch(seed, 31, 18, grey, 1),
		"colour":           plainSketch(seed, 20, 33, colour, 0),
		"colour, restarts": plainSketch(seed, 24, 40, colour, 2),
		"many blocks":      plainSketch(seed, 40, 17, many, 1),
	} {
		photos[fmt.Sprintf("%s, seed %d", name, seed)] = s.jpeg()
	}
	return photos
}

// plainSketch has what most photos have: many short blocks, values of few bits, and codes that are nobody's.
func plainSketch(seed uint64, width, height int, sampling [][2]int, restart int) sketch {
	random := rand.New(rand.NewPCG(seed, uint64(width*height+restart)))
	s := sketch{width: width, height: height, sampling: sampling, restart: restart, quantum: 3, empty: 0.5, full: 0.01, random: random}
	s.dcPicks, s.acPicks = symbols(random, 5, 4, 0.25)
	s.dc, s.ac = []huffman{grown(random, shuffled(random, s.dcPicks), 0.5, 3)}, []huffman{grown(random, shuffled(random, s.acPicks), 0.3, 5)}
	return s
}

// Whatever happens to a photo: it is decoded, or refused in the same words, as if entropy.c were not there. Much of it only changes
// what the picture shows, and that must be read by entropy.c, or nothing was tried.
func TestDamagedCoefficientsAreLibjpegs(t *testing.T) {
	tw := newTwins(t)
	tw.requireQuick(t)
	photos := small(1)
	maps.Copy(photos, small(2))
	for name, photo := range photos {
		var behind []byte // enough of anything for libjpeg-turbo to take its faster way, which looks at nothing but the bytes that are left
		if strings.HasSuffix(name, "2") {
			behind = make([]byte, 512*10)
		}
		t.Run(name, func(t *testing.T) {
			if difference, quick := tw.compare(photo, Geometry{16, 1}, centred()); difference != "" || !quick {
				t.Fatalf("undamaged: read by entropy.c %v; %s", quick, difference)
			}
			tries, read := 0, 0
			for damage, hit := range damages() {
				random := rand.New(rand.NewPCG(2, 2))
				for at := range photo {
					damaged := hit(photo, at, random)
					if damaged == nil {
						continue
					}
					g := Geometry{16 / (1 << (at % 4)), 1}
					difference, quick := tw.compare(slices.Concat(damaged, behind), g, centred())
					if difference != "" {
						t.Fatalf("%s at %d of %d, to %+v: read by entropy.c %v; %s", damage, at, len(photo), g, quick, difference)
					}
					tries++
					if quick {
						read++
					}
				}
			}
			t.Logf("%d bytes; entropy.c read %d of %d", len(photo), read, tries)
			if 10*read < tries {
				t.Errorf("entropy.c read %d of %d", read, tries)
			}
		})
	}
}

// FuzzCoefficients: whatever the bytes, the pixels, the header and the words are those of libjpeg-turbo.
func FuzzCoefficients(f *testing.F) {
	for _, photo := range small(1) {
		f.Add(photo)
	}
	f.Add(fixture(f, "odd444.jpg"))
	f.Add(fixture(f, "grey.jpg"))
	tw := newTwins(f)
	f.Fuzz(func(t *testing.T, photo []byte) {
		if !bytes.HasPrefix(photo, []byte{0xff, 0xd8}) {
			return
		}
		for g, at := range map[Geometry]Corner{{16, 1}: centred(), {3, 0.875}: {0, 1}} {
			if difference, quick := tw.compare(photo, g, at); difference != "" {
				t.Fatal(fmt.Sprintf("to %+v: read by entropy.c %v; ", g, quick), difference)
			}
		}
	})
}
