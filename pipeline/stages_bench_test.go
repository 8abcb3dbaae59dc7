package pipeline

import (
	"bytes"
	"context"
	"image/color"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/enrich"
)

// The benchmarks of the walk's steps; those of decode, consumer and the network are in their packages. A step's allocations are
// the same on a busy machine, its time is not.

func BenchmarkReference(b *testing.B) {
	rec := consumer.Record{Value: []byte(`{"bucket":"pics","key":"rome 2024/IMG_0042.jpg","album":"rome 2024","taken_at":"2024-05-01T14:03:00Z"}`)}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := ParseReference(rec, "pics"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFetch reads an object of 300 KB from a store on loopback. Store and reader are in one process, so its allocations are
// those of both.
func BenchmarkFetch(b *testing.B) {
	s := testStore(b, randomBytes(b, 300_000), nil, nil)
	ref := Reference{Bucket: "images", Key: testKey}
	b.SetBytes(300_000)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.Get(b.Context(), ref, nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkLook decodes a small photo in this process and shows it to the tiny network: slots, turns, batcher and all.
func BenchmarkLook(b *testing.B) {
	s, red := startPhotoStage(b, nil), paint(b, color.RGBA{R: 220, A: 255})
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := s.look(b.Context(), red); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPlace(b *testing.B) {
	s, rec, sight := placeable(b)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.place(b.Context(), rec, Reference{PhotoID: "pics/1.jpg", Bucket: "pics", Key: "1.jpg", Album: "rome"}, Object{ETag: "e"}, sight); err != nil {
			b.Fatal(err)
		}
	}
}

func placeable(tb testing.TB) (*photoStage, consumer.Record, enrich.Sight) {
	s, red := startPhotoStage(tb, nil), paint(tb, color.RGBA{R: 220, A: 255})
	_, sight, err := s.look(tb.Context(), red)
	if err != nil {
		tb.Fatal(err)
	}
	return s, consumer.Record{Topic: "photos", Time: time.Now()}, sight
}

// What a photo leaves behind for the garbage collector on its way from bytes to sight is bounded: of the decoder some is EXIF's,
// of the network most is a batch's and not a photo's. JSON, HTTP and Kafka are not in it; planetag bench counts everything.
func TestAPhotoAllocatesLittle(t *testing.T) {
	s, red := startPhotoStage(t, nil), paint(t, color.RGBA{R: 220, A: 255})
	batcher, stop := running(t, constantCNN{}, BatchConfig{MaxSize: 1, Runners: 1})
	defer stop()
	pixels := [][]byte{bytes.Repeat([]byte{200, 10, 10}, s.model.Info().InputBytes/3)}
	for _, row := range []struct {
		step string
		most float64
		do   func() error
	}{
		{"decode", 8, func() error {
			slot, err := s.slots.Get(t.Context())
			if err == nil {
				_, err = s.decode(t.Context(), red, slot)
				s.slots.Put(slot)
			}
			return err
		}},
		{"network, alone in its batch", 40, func() error { _, err := s.model.Embed(t.Context(), pixels); return err }},
		{"batch, with a network that costs nothing", 8, func() error { _, err := batcher.Embed(t.Context(), pixels[0]); return err }},
	} {
		n := testing.AllocsPerRun(100, func() {
			if err := row.do(); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%s: %.0f allocations a photo", row.step, n)
		if n > row.most {
			t.Errorf("%s: %.0f allocations a photo, want at most %.0f", row.step, n, row.most)
		}
	}
}

// constantCNN says the same of every photo, and allocates nothing for it.
type constantCNN struct{}

var constantSights = make([]enrich.Sight, 64)

func (constantCNN) Embed(_ context.Context, pixels [][]byte) ([]enrich.Sight, error) {
	return constantSights[:len(pixels)], nil
}
