package infer

import (
	"testing"

	"planetag/enrich/decode"
)

// BenchmarkIntoBatch copies decoded photos from their slots into a batch, as CNN.Run does with more than one: what it would save if photos were decoded
// into the batch, where one that is late, or none, would keep the others waiting.
func BenchmarkIntoBatch(b *testing.B) {
	const photos, bytes = 16, 224 * 224 * 3
	slots, err := decode.NewSlots(photos, bytes)
	if err != nil {
		b.Fatal(err)
	}
	batch := make([]byte, photos*bytes)
	var decoded [][]byte
	for range photos {
		slot, err := slots.Get(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		clear(slot) // its pages are there
		decoded = append(decoded, slot)
	}
	for b.Loop() {
		written := 0
		for _, photo := range decoded {
			written += copy(batch[written:], photo)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*photos), "µs/photo")
	for _, slot := range decoded {
		slots.Put(slot)
	}
	slots.Close()
}
