package decode

import (
	"errors"
	"math"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// What a decoder process says arrives as it was said.
func TestRepliesArriveWhole(t *testing.T) {
	at := time.Date(2019, 7, 3, 14, 5, 6, 0, time.FixedZone("", 2*3600))
	for name, want := range map[string]answer{
		"a photo of a camera": {photo: Photo{
			Info: Info{Format: "jpeg", Width: 4032, Height: 3024, Orientation: 6},
			Exif: Exif{TakenAt: at, Position: &Position{Lat: 41.8902, Lon: 12.4922}, Camera: "Nikon D70", Orientation: 6},
		}},
		"a photo that says nothing": {photo: Photo{Info: Info{Format: "png", Width: 1, Height: 1, Orientation: 1}}},
		"one with broken EXIF": {photo: Photo{
			Info: Info{Format: "jpeg", Width: 9, Height: 9, Orientation: 1}, ExifErr: &fault{ErrCorrupt, "exif ends early"},
		}},
		"no photo": {err: &fault{ErrFormat, "object is text/plain, not a photo"}},
	} {
		got, err := decodeReply(encodeReply(7, want.photo, want.err), 7)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !got.photo.Exif.TakenAt.Equal(want.photo.Exif.TakenAt) {
			t.Errorf("%s: taken at %v, said %v", name, got.photo.Exif.TakenAt, want.photo.Exif.TakenAt)
		}
		got.photo.Exif.TakenAt, want.photo.Exif.TakenAt = time.Time{}, time.Time{}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v arrived, %+v was said", name, got, want)
		}
	}
}

// Any bytes at all are a reply, of which only what an honest process could have said is believed.
func TestRepliesOfALiar(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := encodeReply(7, Photo{
			Info: Info{Format: "jpeg", Width: 4, Height: 3, Orientation: 1},
			Exif: Exif{TakenAt: time.Unix(1562155506, 0), Position: &Position{Lat: 41.9, Lon: 12.5}, Camera: "Nikon D70"},
		}, nil)
		var said reply
		copy(bytesOf(&said), in)
		switch small := rapid.Uint8Range(0, 9); rapid.SampledFrom([]string{"verdict", "format", "header", "exif", "time", "position", "texts"}).Draw(t, "lie") {
		case "verdict":
			said.Verdict, said.Message = small.Draw(t, "verdict"), uint16(rapid.IntRange(0, 2*longText).Draw(t, "message"))
		case "format":
			said.Format = small.Draw(t, "format")
		case "header":
			said.Orientation = small.Draw(t, "orientation")
			said.Width, said.Height = rapid.Int32Range(-1, 3).Draw(t, "width"), rapid.Int32Range(-1, 3).Draw(t, "height")
		case "exif":
			said.ExifVerdict, said.ExifOrientation = small.Draw(t, "exif verdict"), small.Draw(t, "exif orientation")
		case "time":
			said.HasTime, said.TakenAt, said.Offset = small.Draw(t, "has time"), rapid.SampledFrom([]int64{0, 1562155506, -5e9, 3e11, math.MinInt64}).Draw(t, "at"), rapid.Int32Range(-100_000, 100_000).Draw(t, "offset")
		case "position":
			said.HasPosition, said.Lat, said.Lon = small.Draw(t, "has position"), rapid.Float64().Draw(t, "lat"), rapid.Float64Range(-200, 200).Draw(t, "lon")
		case "texts":
			said.Camera = uint16(rapid.IntRange(0, 2*longText).Draw(t, "camera"))
			copy(in[len(in)-textBytes:], rapid.SliceOfN(rapid.ByteRange(0x10, 0x90), 20, 20).Draw(t, "text"))
		}
		copy(in, bytesOf(&said))
		a, err := decodeReply(in, 7)
		if err != nil {
			return
		}
		p := a.photo
		switch {
		case a.err == nil && (p.Info.Format == "" || p.Info.Width < 1 || p.Info.Height < 1 || p.Info.Orientation < 1 || p.Info.Orientation > 8):
			t.Errorf("a good photo with %+v", p.Info)
		case a.err != nil && a.err.Error() == "":
			t.Error("refused without a reason")
		case printable(p.Exif.Camera) != p.Exif.Camera:
			t.Errorf("taken by %q", p.Exif.Camera)
		case p.Exif.Position != nil && !(math.Abs(p.Exif.Position.Lat) <= 90 && math.Abs(p.Exif.Position.Lon) <= 180):
			t.Errorf("taken at %v", *p.Exif.Position)
		case !p.Exif.TakenAt.IsZero() && !plausible(p.Exif.TakenAt):
			t.Errorf("taken on %v", p.Exif.TakenAt)
		}
	})
	if _, err := decodeReply(encodeReply(8, Photo{}, errors.New("no")), 7); err == nil {
		t.Error("the reply to another photo was taken")
	}
}
