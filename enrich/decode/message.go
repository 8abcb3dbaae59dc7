package decode

import (
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
	"unsafe"
)

// Parent and child are the same binary, so the messages need no versions, only
// fixed sizes: neither side ever waits for a length that the other one chose. They
// are sent as they lie in memory, and are numbers all through, so that any bytes
// of its length are a message.
type fixed interface {
	setup | hello | request | reply
}

// bytesOf is the memory of a message.
func bytesOf[M fixed](m *M) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(m)), unsafe.Sizeof(*m))
}

// setup is the first message, to the child: everything that does not change.
type setup struct {
	Size      int64
	Crop      float64
	MaxBytes  int64
	MaxPixels int64
	MinSide   int64
	MaxAspect float64
	Memory    int64 // bytes that decoding may take
}

func setupOf(l Limits, g Geometry, memory int64) setup {
	return setup{int64(g.Size), g.Crop, l.MaxBytes, l.MaxPixels, int64(l.MinSide), l.MaxAspect, memory}
}

func (s setup) geometry() Geometry { return Geometry{Size: int(s.Size), Crop: s.Crop} }

func (s setup) limits() Limits {
	return Limits{MaxBytes: s.MaxBytes, MaxPixels: s.MaxPixels, MinSide: int(s.MinSide), MaxAspect: s.MaxAspect}
}

// photoAt is where the photo's bytes begin in the shared memory, behind the
// pixels; memoryBytes is the length of all of it.
func (s setup) photoAt() int {
	page := os.Getpagesize()
	return (s.geometry().Bytes() + page - 1) / page * page
}

func (s setup) memoryBytes() int { return s.photoAt() + int(s.MaxBytes) }

// hello is the child's answer to setup: it waits for photos.
type hello struct {
	Word     uint64
	Confined uint8 // 1 when the system calls are filtered
}

const helloWord = 0x67617465_6e616c70

// request says that a photo lies in the shared memory.
type request struct {
	Sequence uint64
	Bytes    int64
}

// reply says what became of it; three texts follow, in room for textBytes.
type reply struct {
	Sequence        uint64
	Verdict         uint8 // index of verdicts
	Format          uint8 // index of formats
	Orientation     uint8
	ExifVerdict     uint8 // index of verdicts
	ExifOrientation uint8
	HasTime         uint8
	HasPosition     uint8
	Width, Height   int32
	TakenAt         int64 // Unix seconds
	Offset          int32 // seconds east of Greenwich
	Lat, Lon        float64
	Message         uint16 // lengths of the three texts
	ExifMessage     uint16
	Camera          uint16
}

const (
	textBytes = 2048
	longText  = 600

	replyBytes = int(unsafe.Sizeof(reply{})) + textBytes
)

func formats() []string {
	return []string{
		"", string(formatJPEG), string(formatPNG), string(formatWebP), string(formatGIF),
		string(formatTIFF), string(formatHEIC), string(formatAVIF),
	}
}

// errMemory is a decoder that got no more memory: the end of this child, but
// only a second one shows that the photo is the reason.
var errMemory = errors.New("out of memory")

func verdicts() []error { return []error{nil, ErrEmpty, ErrFormat, ErrLimits, ErrCorrupt, errMemory} }

// encodeReply is the child's side.
func encodeReply(sequence uint64, p Photo, err error) []byte {
	message, exifMessage, camera := textOf(err), textOf(p.ExifErr), shown(p.Exif.Camera)
	r := reply{
		Sequence: sequence, Verdict: verdictOf(err),
		Format: uint8(max(0, slices.Index(formats(), p.Info.Format))), Orientation: uint8(p.Info.Orientation),
		ExifVerdict: verdictOf(p.ExifErr), ExifOrientation: uint8(p.Exif.Orientation),
		Width: int32(p.Info.Width), Height: int32(p.Info.Height),
		Message: uint16(len(message)), ExifMessage: uint16(len(exifMessage)), Camera: uint16(len(camera)),
	}
	if at := p.Exif.TakenAt; !at.IsZero() {
		_, offset := at.Zone()
		r.HasTime, r.TakenAt, r.Offset = 1, at.Unix(), int32(offset)
	}
	if at := p.Exif.Position; at != nil {
		r.HasPosition, r.Lat, r.Lon = 1, at.Lat, at.Lon
	}
	out := make([]byte, replyBytes)
	n := copy(out, bytesOf(&r))
	for _, text := range []string{message, exifMessage, camera} {
		n += copy(out[n:], text)
	}
	return out
}

func verdictOf(err error) uint8 {
	for i, kind := range verdicts() {
		if errors.Is(err, kind) {
			return uint8(i)
		}
	}
	return uint8(slices.Index(verdicts(), ErrCorrupt))
}

func textOf(err error) string {
	if err == nil {
		return ""
	}
	return shown(err.Error())
}

func shown(s string) string {
	return printable(strings.ToValidUTF8(s[:min(len(s), longText)], ""))
}

// answer is what a child said about a photo.
type answer struct {
	photo Photo
	err   error // one of verdicts
}

// decodeReply is the parent's side. The child has read a stranger's bytes and
// may be a stranger's by now: what it says is believed only as far as an honest
// child could have said it.
func decodeReply(in []byte, sequence uint64) (answer, error) {
	var r reply
	n := copy(bytesOf(&r), in)
	if err := r.check(sequence); err != nil {
		return answer{}, err
	}
	message, rest := split(in[n:], r.Message)
	exifMessage, rest := split(rest, r.ExifMessage)
	camera, _ := split(rest, r.Camera)
	for _, text := range []string{message, exifMessage, camera} {
		if !utf8.ValidString(text) || printable(text) != text {
			return answer{}, errors.New("a text of its reply is not printable")
		}
	}
	a := answer{photo: Photo{
		Info: Info{
			Format: formats()[r.Format], Width: int(r.Width), Height: int(r.Height), Orientation: int(r.Orientation),
		},
		Exif: Exif{TakenAt: r.takenAt(), Position: r.position(), Camera: camera, Orientation: int(r.ExifOrientation)},
	}}
	if kind := verdicts()[r.Verdict]; kind != nil {
		a.err = &fault{kind, message}
	}
	if kind := verdicts()[r.ExifVerdict]; kind != nil {
		a.photo.ExifErr = &fault{kind, exifMessage}
	}
	return a, nil
}

func (r reply) check(sequence uint64) error {
	switch {
	case r.Sequence != sequence:
		return fmt.Errorf("its reply is to photo %d, not %d", r.Sequence, sequence)
	case int(max(r.Verdict, r.ExifVerdict)) >= len(verdicts()) || int(r.Format) >= len(formats()):
		return fmt.Errorf("its reply has verdict %d about format %d", r.Verdict, r.Format)
	case r.Orientation > 8 || r.ExifOrientation > 8 || r.Width < 0 || r.Height < 0:
		return fmt.Errorf("its reply says %d×%d, orientation %d", r.Width, r.Height, r.Orientation)
	case r.Verdict == 0 && (r.Format == 0 || r.Orientation == 0 || r.Width == 0 || r.Height == 0):
		return errors.New("its reply knows nothing about a good photo")
	case (r.Verdict == 0) != (r.Message == 0):
		return errors.New("its reply has no reason, or one without need")
	case max(r.Message, r.ExifMessage, r.Camera) > longText:
		return errors.New("its reply is too long")
	case r.HasTime != 0 && (!plausible(r.takenAt()) || r.Offset < -90_000 || r.Offset > 90_000):
		return errors.New("its reply has an impossible time")
	case r.HasPosition != 0 && !(math.Abs(r.Lat) <= 90 && math.Abs(r.Lon) <= 180):
		return errors.New("its reply has an impossible position")
	}
	return nil
}

func (r reply) takenAt() time.Time {
	switch {
	case r.HasTime == 0:
		return time.Time{}
	case r.Offset == 0:
		return time.Unix(r.TakenAt, 0).UTC()
	}
	return time.Unix(r.TakenAt, 0).In(time.FixedZone("", int(r.Offset)))
}

func (r reply) position() *Position {
	if r.HasPosition == 0 {
		return nil
	}
	return &Position{Lat: r.Lat, Lon: r.Lon}
}

func split(text []byte, n uint16) (head string, rest []byte) { return string(text[:n]), text[n:] }
