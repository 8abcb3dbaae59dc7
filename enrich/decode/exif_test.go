package decode

import (
	"bytes"
	"errors"
	"math"
	"strings"
	"testing"
	"time"
)

// rome is a photo with everything in it.
func rome() camera {
	return camera{
		maker: "Canon", model: "Canon EOS 5D", taken: "2019:06:01 12:30:45", offset: "+02:00", orientation: 6,
		latRef: "N", lat: [3][2]uint32{{41, 1}, {53, 1}, {2412, 100}}, hasLat: true,
		lonRef: "E", lon: [3][2]uint32{{12, 1}, {29, 1}, {3190, 100}}, hasLon: true,
	}
}

// exifCase is the tourist's photo with one thing changed, and what changes in
// the answer.
type exifCase struct {
	name string
	edit func(*camera)
	want func(*Exif)
}

func readExif(t *testing.T, rows []exifCase) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c := rome()
			want := Exif{TakenAt: cest(), Position: &Position{41.8900333, 12.4921944}, Camera: "Canon EOS 5D", Orientation: 6}
			if row.edit != nil {
				row.edit(&c)
			}
			if row.want != nil {
				row.want(&want)
			}
			got, err := ReadExif(jpegWith(t, exifOf(c)))
			if err != nil {
				t.Fatal(err)
			}
			if !sameExif(got, want) {
				t.Errorf("got %+v at %+v, want %+v at %+v", got, got.Position, want, want.Position)
			}
		})
	}
}

func cest() time.Time { return time.Date(2019, 6, 1, 10, 30, 45, 0, time.UTC) }

// A camera's clock is believed, but not a clock that was never set.
func TestReadExifTimes(t *testing.T) {
	readExif(t, []exifCase{
		{"a tourist in Rome", nil, nil},
		{
			"no offset: the wall clock is taken for UTC", func(c *camera) { c.offset = "" },
			func(e *Exif) { e.TakenAt = time.Date(2019, 6, 1, 12, 30, 45, 0, time.UTC) },
		},
		{
			"blanks for an offset", func(c *camera) { c.offset = "   :  " },
			func(e *Exif) { e.TakenAt = time.Date(2019, 6, 1, 12, 30, 45, 0, time.UTC) },
		},
		{"a scan has only the time of digitising", func(c *camera) { c.taken, c.digitised = "", "2019:06:01 10:30:45" }, nil},
		{"an unset clock", func(c *camera) { c.taken = "0000:00:00 00:00:00" }, func(e *Exif) { e.TakenAt = time.Time{} }},
		{"a clock of blanks", func(c *camera) { c.taken = "    :  :     :  :  " }, func(e *Exif) { e.TakenAt = time.Time{} }},
		{"February has no 30th", func(c *camera) { c.taken = "2019:02:30 10:00:00" }, func(e *Exif) { e.TakenAt = time.Time{} }},
	})
}

// A position counts only when it is whole and on the earth.
func TestReadExifPositions(t *testing.T) {
	readExif(t, []exifCase{
		{
			"Rio lies south and west", func(c *camera) { c.latRef, c.lonRef = "S", "W" },
			func(e *Exif) { e.Position = &Position{-e.Position.Lat, -e.Position.Lon} },
		},
		{"no hemisphere, no position", func(c *camera) { c.latRef = "" }, noPosition},
		{"a hemisphere that does not exist", func(c *camera) { c.lonRef = "Q" }, noPosition},
		{"latitude alone", func(c *camera) { c.hasLon = false }, noPosition},
		{"no fix yet: 0, 0", func(c *camera) {
			c.lat, c.lon = [3][2]uint32{{0, 1}, {0, 1}, {0, 1}}, [3][2]uint32{{0, 1}, {0, 1}, {0, 1}}
		}, noPosition},
		{"not a number: 0/0", func(c *camera) { c.lat = [3][2]uint32{{0, 0}, {0, 0}, {0, 0}} }, noPosition},
		{"infinite: 1/0", func(c *camera) { c.lon = [3][2]uint32{{1, 0}, {1, 0}, {1, 0}} }, noPosition},
		{"north of the pole", func(c *camera) { c.lat[0] = [2]uint32{91, 1} }, noPosition},
		{"east of the date line", func(c *camera) { c.lon[0] = [2]uint32{4000000000, 1} }, noPosition},
		{"interoperability's tag 1 is no latitude", func(c *camera) { c.interoperability, c.latRef = true, "" }, noPosition},
	})
}

// Names and turns come from the photo's own directory, fit to be shown.
func TestReadExifCameras(t *testing.T) {
	readExif(t, []exifCase{
		{"no such orientation", func(c *camera) { c.orientation = 9 }, func(e *Exif) { e.Orientation = 0 }},
		{"the thumbnail's orientation is not the photo's", func(c *camera) { c.orientation, c.thumbOrientation = 0, 8 }, func(e *Exif) { e.Orientation = 0 }},
		{"a maker that its models do not repeat", func(c *camera) { c.maker = "Apple"; c.model = "iPhone 12" }, func(e *Exif) { e.Camera = "Apple iPhone 12" }},
		{"a name with a terminal's escapes in it", func(c *camera) { c.maker = ""; c.model = "\x1b[31mEvil\x07" }, func(e *Exif) { e.Camera = "[31mEvil" }},
		{"a very long name", func(c *camera) { c.maker = ""; c.model = strings.Repeat("x", 300) }, func(e *Exif) { e.Camera = strings.Repeat("x", 100) }},
	})
}

func noPosition(e *Exif) { e.Position = nil }

func sameExif(a, b Exif) bool {
	if (a.Position == nil) != (b.Position == nil) {
		return false
	}
	if a.Position != nil && math.Abs(a.Position.Lat-b.Position.Lat)+math.Abs(a.Position.Lon-b.Position.Lon) > 1e-6 {
		return false
	}
	return a.TakenAt.Equal(b.TakenAt) && a.Camera == b.Camera && a.Orientation == b.Orientation
}

func TestReadExifOffsetIsKept(t *testing.T) {
	got, err := ReadExif(jpegWith(t, exifOf(rome())))
	if err != nil {
		t.Fatal(err)
	}
	if s := got.TakenAt.Format(time.RFC3339); s != "2019-06-01T12:30:45+02:00" {
		t.Errorf("taken at %s, want the camera's own zone", s)
	}
}

// A TIFF is its own EXIF; the others embed it.
func TestReadExifOfOtherFormats(t *testing.T) {
	if got, err := ReadExif(exifOf(rome())); err != nil || got.Camera != "Canon EOS 5D" {
		t.Errorf("tiff: %+v, %v", got, err)
	}
	if got, err := ReadExif(fixture(t, "orientation6.png")); err != nil || got.Orientation != 6 {
		t.Errorf("png: %+v, %v", got, err)
	}
	if got, err := ReadExif(fixture(t, "photo.heic")); err != nil || got.Orientation != 1 {
		t.Errorf("heic: %+v, %v", got, err)
	}
	for _, name := range []string{"photo.jpg", "photo.png", "photo.webp", "photo.avif", "animated.gif"} {
		if got, err := ReadExif(fixture(t, name)); err != nil || got != (Exif{}) {
			t.Errorf("%s has no exif: %+v, %v", name, got, err)
		}
	}
	if _, err := ReadExif(nil); !errors.Is(err, ErrEmpty) {
		t.Errorf("nothing: %v, want ErrEmpty", err)
	}
	if _, err := ReadExif([]byte("Dear diary")); !errors.Is(err, ErrFormat) {
		t.Errorf("text: %v, want ErrFormat", err)
	}
}

// loops are directories that point at themselves, at each other, or far away.
func loops() map[string][]byte {
	head := []byte("II*\x00\x08\x00\x00\x00")
	many := make([]entry, 4000)
	for i := range many {
		many[i] = entry{0x8769, long, 1, 8}
	}
	wide := make([]entry, 4000)
	for i := range wide {
		wide[i] = entry{0x14a, long, 60, 8}
	}
	pair := make([]entry, 1500)
	for i := range pair {
		pair[i] = entry{[]uint16{0x8769, 0x8825}[i%2], long, 1, 8}
	}
	return map[string][]byte{
		"exif and gps, 750 times each":  tiffOf(pair...),
		"exif is ifd0 itself":           tiffOf(entry{0x8769, long, 1, 8}),
		"gps is ifd0 itself":            tiffOf(entry{0x8825, long, 1, 8}, entry{0x112, short, 1, 1}),
		"next directory is this one":    directory(bytes.Clone(head), 8, entry{0x112, short, 1, 1}),
		"4000 pointers to the start":    tiffOf(many...),
		"4000 lists of sub-directories": tiffOf(wide...),
		"a pointer out of the file":     tiffOf(entry{0x8769, long, 1, 0xfffffff0}),
		"a string of 4 GiB":             tiffOf(entry{0x10f, ascii, 0xffffffff, 8}),
		"a type that does not exist":    tiffOf(entry{0x112, 99, 1, 1}),
		"an empty directory":            tiffOf(),
		"half an entry":                 tiffOf(entry{0x112, short, 1, 1})[:14],
	}
}

// Broken metadata costs neither time nor the pixels of the photo.
func TestBrokenExifEndsSoonAndLeavesThePixels(t *testing.T) {
	d := newDecoder(t)
	for name, tiff := range loops() {
		t.Run(name, func(t *testing.T) {
			data := jpegWith(t, tiff)
			begin := time.Now()
			got, err := ReadExif(data)
			if took := time.Since(begin); took > 5*time.Second {
				t.Errorf("took %v", took)
			}
			if err != nil && (got != (Exif{}) || !errors.Is(err, ErrCorrupt)) {
				t.Errorf("got %+v, %v; want the zero value beside ErrCorrupt", got, err)
			}
			if got.Position != nil {
				t.Errorf("position %+v out of nothing", got.Position)
			}
			if _, err := d.Pixels(data, Geometry{16, 1}, make([]byte, 16*16*3)); err != nil {
				t.Errorf("pixels: %v", err)
			}
		})
	}
}

func TestReadExifBudgets(t *testing.T) {
	var out [16]byte
	late := boundedReader{data: bytes.NewReader(make([]byte, 64)), left: 64, deadline: time.Now().Add(-time.Second)}
	if _, err := late.Read(out[:]); err == nil || late.spent == nil {
		t.Errorf("read after the deadline: %v", err)
	}
	greedy := boundedReader{data: bytes.NewReader(make([]byte, 64)), left: 20, deadline: time.Now().Add(time.Hour)}
	var n int
	for range 4 {
		k, _ := greedy.Read(out[:])
		n += k
	}
	if n != 32 || greedy.spent == nil {
		t.Errorf("read %d bytes of a budget of 20 in steps of 16, spent %v", n, greedy.spent)
	}
}
