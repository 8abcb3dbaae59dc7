package decode

// #cgo pkg-config: vips libjpeg
// #cgo CFLAGS: -O3 -Wall
// #cgo LDFLAGS: -lm
// #cgo noescape pt_decode
// #cgo nocallback pt_decode
// #include "shim.h"
import "C"

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"sync/atomic"
	"unsafe"
)

// Limits is what an object may be before its pixels are touched. A field that
// is zero takes its default.
type Limits struct {
	MaxBytes  int64   // of the object; default 64 MiB
	MaxPixels int64   // width × height; default 100 million
	MinSide   int     // shorter side in pixels; default 16
	MaxAspect float64 // longer ÷ shorter side; default 16
}

// DefaultLimits is 64 MiB, 100 megapixels, 16 pixels, 16 to 1.
func DefaultLimits() Limits {
	return Limits{MaxBytes: 64 << 20, MaxPixels: 100_000_000, MinSide: 16, MaxAspect: 16}
}

func (l Limits) withDefaults() (Limits, error) {
	d := DefaultLimits()
	if l.MaxBytes < 0 || l.MaxPixels < 0 || l.MinSide < 0 || l.MaxAspect < 0 || math.IsNaN(l.MaxAspect) {
		return l, fmt.Errorf("check limits: %+v: a limit is below zero", l)
	}
	if l.MaxBytes == 0 {
		l.MaxBytes = d.MaxBytes
	}
	if l.MaxPixels == 0 {
		l.MaxPixels = d.MaxPixels
	}
	if l.MinSide == 0 {
		l.MinSide = d.MinSide
	}
	if l.MaxAspect == 0 {
		l.MaxAspect = d.MaxAspect
	}
	return l, nil
}

// Geometry says which part of the photo becomes the model's input.
type Geometry struct {
	Size int     // the output is Size × Size, 1 … 4096
	Crop float64 // side of the source square ÷ shorter side of the photo, in (0, 1]
}

// Bytes is the length of the output: Size × Size × 3.
func (g Geometry) Bytes() int { return g.Size * g.Size * 3 }

// Validate says what is wrong with a geometry that came from a file.
func (g Geometry) Validate() error {
	if g.Size < 1 || g.Size > 4096 {
		return fmt.Errorf("check geometry: size %d is not in 1 … 4096", g.Size)
	}
	if !(g.Crop > 0 && g.Crop <= 1) {
		return fmt.Errorf("check geometry: crop %v is not in (0, 1]", g.Crop)
	}
	return nil
}

// Info is what the header says about the photo.
type Info struct {
	Format        string // jpeg, png, webp, gif, tiff, heic, avif
	Width, Height int    // of the upright photo, full resolution
	Orientation   int    // the EXIF orientation that was applied, 1 … 8
}

// The two layouts are one; this stops compiling when they part.
var _ [unsafe.Sizeof(patch{})]byte = [C.sizeof_pt_patch]byte{}

// Decoder decodes photos; it is safe for concurrent use and holds no memory
// between photos.
type Decoder struct {
	limits Limits
	any    chan struct{} // photos in C
	heavy  chan struct{} // of which HEIC and AVIF
	whole  int           // 1 = no JPEG is scaled by its decoder, for tests to compare with
	plain  int           // 1 = no wide registers are used and no scan is left out, likewise
	narrow int           // 1 = the widest registers are not used, likewise
	worth  int           // bytes of a JPEG of which entropy.c reads the coefficients
	quick  atomic.Int64  // photos that it read, for tests
}

// worthIt is the smallest JPEG for entropy.c: laying its tables out costs what it saves of smaller ones.
const worthIt = 24 << 10

// New starts libvips, once per process: it is one library with one set of
// settings (one thread per photo, no caches, untrusted loaders blocked), so
// every Decoder shares it and none can stop it.
func New(l Limits) (*Decoder, error) {
	l, err := l.withDefaults()
	if err != nil {
		return nil, err
	}
	if C.pt_start() != 0 {
		return nil, errors.New("start libvips: it refused, run `vips --version` for its own words")
	}
	procs := runtime.GOMAXPROCS(0)
	return &Decoder{
		limits: l,
		any:    make(chan struct{}, procs),
		heavy:  make(chan struct{}, max(1, procs/2)),
		worth:  worthIt,
	}, nil
}

// Pixels writes the centre square of the upright photo to dst: Size × Size
// pixels, rows from top to bottom, red, green, blue of 8 bits. dst must be
// g.Bytes() long; it may be memory outside Go's heap, and its content after an
// error is unspecified. Info is filled as far as the header was read, also
// beside an error. A geometry or dst that does not fit is a mistake of the
// program, not of the photo, and panics.
func (d *Decoder) Pixels(data []byte, g Geometry, dst []byte) (Info, error) {
	return d.view(data, g, centred(), dst)
}

// Corner is where a square lies in a photo as it is stored, before its
// orientation: the shares, 0 to 1, of the room beside it that is left of it, and
// of the room above and below that is above.
type Corner struct{ Across, Down float64 }

func centred() Corner { return Corner{0.5, 0.5} }

// View is Pixels of a square somewhere else in the photo, for training: a
// network answers to the one in the middle. A corner outside the photo panics.
func (d *Decoder) View(data []byte, g Geometry, at Corner, dst []byte) (Info, error) {
	if !(at.Across >= 0 && at.Across <= 1 && at.Down >= 0 && at.Down <= 1) {
		panic(fmt.Sprintf("internal error: a square at %+v of the room around it", at))
	}
	return d.view(data, g, at, dst)
}

func (d *Decoder) view(data []byte, g Geometry, at Corner, dst []byte) (Info, error) {
	if err := g.Validate(); err != nil {
		panic("internal error: " + err.Error())
	}
	if len(dst) != g.Bytes() {
		panic(fmt.Sprintf("internal error: dst is %d bytes, %d×%d pixels need %d", len(dst), g.Size, g.Size, g.Bytes()))
	}
	f, err := sniff(data)
	if err != nil {
		return Info{}, err
	}
	if int64(len(data)) > d.limits.MaxBytes {
		return Info{Format: string(f)}, d.limits.tooBig(f, len(data))
	}
	if C.pt_has_loader(loaderOf(f)) == 0 {
		return Info{Format: string(f)}, notInstalled(f)
	}
	return d.run(f, data, g, at, dst)
}

// Coefficients has libjpeg-turbo read the coefficients of a JPEG, and makes no
// pixels of them, for benchmarks to compare with.
func Coefficients(data []byte) error {
	if C.pt_coefficients(unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data))) != C.PT_OK {
		return &fault{ErrCorrupt, "coefficients cannot be read"}
	}
	return nil
}

// run is the one C call, admitted by the semaphores.
func (d *Decoder) run(f format, data []byte, g Geometry, at Corner, dst []byte) (Info, error) {
	if f.heavy() {
		d.heavy <- struct{}{}
		defer func() { <-d.heavy }()
	}
	d.any <- struct{}{}
	defer func() { <-d.any }()

	blocks := exifBlocks(f, data)
	request := C.pt_request{
		loader:      loaderOf(f),
		orientation: C.int(orientationOf(f, data, blocks)),
		size:        C.int(g.Size),
		crop:        C.double(g.Crop),
		across:      C.double(at.Across),
		down:        C.double(at.Down),
		max_pixels:  C.double(d.limits.MaxPixels),
		max_aspect:  C.double(d.limits.MaxAspect),
		min_side:    C.int(d.limits.MinSide),
		whole:       C.int(d.whole),
		plain:       C.int(d.plain),
		narrow:      C.int(d.narrow),
		worth:       C.size_t(d.worth),
	}
	patches := concealed(blocks)
	var answer C.pt_answer
	code := C.pt_decode(unsafe.Pointer(unsafe.SliceData(data)), C.size_t(len(data)),
		(*C.pt_patch)(unsafe.Pointer(unsafe.SliceData(patches))), C.size_t(len(patches)),
		&request, (*C.uint8_t)(unsafe.SliceData(dst)), &answer)
	d.quick.Add(int64(answer.quick))
	return d.answer(f, request, code, &answer)
}

// answer translates what C said.
func (d *Decoder) answer(f format, request C.pt_request, code C.int, answer *C.pt_answer) (Info, error) {
	info := Info{
		Format:      string(f),
		Width:       int(answer.width),
		Height:      int(answer.height),
		Orientation: int(request.orientation),
	}
	if info.Orientation >= 5 { // the turned ones
		info.Width, info.Height = info.Height, info.Width
	}
	switch code {
	case C.PT_OK:
		return info, nil
	case C.PT_REFUSED:
		return info, d.limits.refusal(f, info.Width, info.Height)
	case C.PT_UNSUPPORTED:
		return info, unsupported(f, C.GoString(&answer.message[0]))
	default:
		return info, damaged(f, C.GoString(&answer.message[0]))
	}
}

func loaderOf(f format) C.int {
	switch f {
	case formatJPEG:
		return C.PT_JPEG
	case formatPNG:
		return C.PT_PNG
	case formatWebP:
		return C.PT_WEBP
	case formatGIF:
		return C.PT_GIF
	case formatTIFF:
		return C.PT_TIFF
	default:
		return C.PT_HEIF
	}
}
