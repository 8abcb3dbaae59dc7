package decode

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

// Photos decoded side by side, good ones among bad ones, into Go memory and
// into slots, come out as they do alone, and leave no goroutine behind.
func TestPixelsSideBySide(t *testing.T) {
	defer goleak.VerifyNone(t)
	d := newDecoder(t)
	files := []string{"photo.jpg", "cmyk.jpg", "photo.png", "photo.webp", "animated.gif", "photo.tif", "orientation6.png"}
	g := Geometry{48, 0.875}
	alone := map[string][]byte{}
	for _, name := range files {
		alone[name] = make([]byte, g.Bytes())
		if _, err := d.Pixels(fixture(t, name), g, alone[name]); err != nil {
			t.Fatal(name, err)
		}
	}
	slots := newSlots(t, 4, g.Bytes())
	defer slots.Close()
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 12 {
				name := files[(worker+i)%len(files)]
				data := fixture(t, name)
				if _, err := d.Pixels(half(data), g, make([]byte, g.Bytes())); err != nil && !known(err) {
					t.Errorf("half of %s: %v", name, err)
				}
				slot, err := slots.Get(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if _, err := d.Pixels(data, g, slot); err != nil || !bytes.Equal(slot, alone[name]) {
					t.Errorf("%s beside others: error %v, or other pixels than alone", name, err)
				}
				slots.Put(slot)
			}
		})
	}
	wg.Wait()
}

// A neighbour's complaint must not become this photo's.
func TestComplaintsAreTheirOwn(t *testing.T) {
	mixed := "pngload_buffer: libpng read error\nVipsJpeg: Premature end of JPEG file\nvips2png: libpng warning\n"
	if got := damaged(formatJPEG, mixed).Error(); got != "jpeg is truncated: Premature end of JPEG file" {
		t.Errorf("jpeg: %q", got)
	}
	if got := damaged(formatPNG, mixed).Error(); got != "png is truncated: libpng read error" {
		t.Errorf("png: %q", got)
	}
	if got := damaged(formatWebP, "heifload: \x1b]0;evil\n").Error(); got != "webp is corrupt" {
		t.Errorf("webp: %q", got)
	}
	if got := damaged(formatHEIC, "heif: Unsupported feature: Unsupported codec (4.3000)\n"); got.Error() != "heic is not supported by the installed libvips" {
		t.Errorf("heic: %q", got)
	}
}

// One decode more costs no memory more: after a warm-up, thousands of photos
// of every kind, good and bad, leave the process as large as it was.
func TestPixelsDoesNotGrow(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector keeps a shadow of its own; the same test runs without -race")
	}
	d := newDecoder(t)
	var photos [][]byte
	// CMYK is left out: setting up its colour profile takes 20 times as long.
	for _, name := range []string{"photo.jpg", "progressive.jpg", "photo.png", "alpha.png", "photo.webp", "animated.gif", "photo.tif", "orientation6.png"} {
		whole := fixture(t, name)
		photos = append(photos, whole, half(whole))
	}
	g := Geometry{48, 0.875}
	dst := make([]byte, g.Bytes())
	decode := func(n int) {
		for i := range n {
			_, _ = d.Pixels(photos[i%len(photos)], g, dst)
		}
	}
	decode(500)
	before := residentMiB(t)
	decode(2000)
	if after := residentMiB(t); after > before+24 {
		t.Errorf("resident %d MiB, was %d MiB 2000 decodes ago", after, before)
	} else {
		t.Logf("resident %d MiB, was %d MiB 2000 decodes ago", after, before)
	}
}

func residentMiB(t *testing.T) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skip("no /proc here to read the resident memory from:", err)
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, err := strconv.Atoi(strings.Fields(rest)[0])
			if err != nil {
				t.Fatal(err)
			}
			return kib >> 10
		}
	}
	t.Fatal("no VmRSS in /proc/self/status")
	return 0
}
