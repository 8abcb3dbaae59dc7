package survey

import (
	"encoding/binary"
	"math"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// shotOf says what is in the EXIF of a made photo.
type shotOf struct {
	lat, lon float64 // 0, 0: no position
	at       time.Time
	camera   string
}

// jpeg is a file that begins as a photo with this EXIF does, and goes on with size bytes of nothing. Nobody here looks at
// pixels.
func (s shotOf) jpeg(size int) []byte {
	tiff := s.tiff()
	out := []byte{0xff, 0xd8, 0xff, 0xe1}
	out = binary.BigEndian.AppendUint16(out, uint16(2+6+len(tiff)))
	out = append(append(out, "Exif\x00\x00"...), tiff...)
	out = append(out, 0xff, 0xda, 0, 2)
	return append(out, make([]byte, size)...)
}

// tiff has three directories one behind the other: the picture's, the camera's and the receiver's.
func (s shotOf) tiff() []byte {
	const ascii, long, rational = 2, 4, 5
	order := binary.BigEndian
	out := []byte("MM\x00*\x00\x00\x00\x08")
	type field struct {
		tag, kind uint16
		count     uint32
		value     []byte
	}
	number := func(n uint32) []byte { return order.AppendUint32(nil, n) }
	directory := func(out []byte, fields []field) []byte {
		out = order.AppendUint16(out, uint16(len(fields)))
		behind := uint32(len(out) + 12*len(fields) + 4)
		var values []byte
		for _, f := range fields {
			out = order.AppendUint16(out, f.tag)
			out = order.AppendUint16(out, f.kind)
			out = order.AppendUint32(out, f.count)
			if len(f.value) <= 4 {
				out = append(out, append(f.value, make([]byte, 4-len(f.value))...)...)
				continue
			}
			out = order.AppendUint32(out, behind+uint32(len(values)))
			values = append(values, f.value...)
		}
		return append(append(out, 0, 0, 0, 0), values...)
	}
	angle := func(v float64) []byte {
		whole := math.Floor(math.Abs(v))
		b := number(uint32(whole))
		b = append(b, number(1)...)
		b = append(b, number(uint32(math.Round((math.Abs(v)-whole)*3600*1e4)))...)
		return append(append(append(b, number(60*1e4)...), number(0)...), number(1)...)
	}
	side := func(v float64, positive, negative string) []byte {
		if v < 0 {
			return []byte(negative + "\x00")
		}
		return []byte(positive + "\x00")
	}
	camera := []byte(s.camera + "\x00")
	first := []field{{0x110, ascii, uint32(len(camera)), camera}, {0x8769, long, 1, number(0)}, {0x8825, long, 1, number(0)}}
	start := len(out)
	exifAt := len(directory(out, first))
	var exif []field
	if !s.at.IsZero() {
		exif = append(exif, field{0x9003, ascii, 20, []byte(s.at.Format("2006:01:02 15:04:05") + "\x00")})
	}
	gpsAt := len(directory(make([]byte, exifAt), exif))
	first[1].value, first[2].value = number(uint32(exifAt)), number(uint32(gpsAt))
	out = directory(out[:start], first)
	out = directory(out, exif)
	var gps []field
	if s.lat != 0 || s.lon != 0 {
		gps = []field{
			{1, ascii, 2, side(s.lat, "N", "S")},
			{2, rational, 3, angle(s.lat)},
			{3, ascii, 2, side(s.lon, "E", "W")},
			{4, rational, 3, angle(s.lon)},
		}
	}
	return directory(out, gps)
}
