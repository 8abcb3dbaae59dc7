package decode

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"
)

// BenchmarkPool decodes the same JPEG in this process and in others, by two
// callers each, in rounds that take turns so that a busy machine is unfair to
// both. It reports the photos a second of the pool as a share of those here.
func BenchmarkPool(b *testing.B) {
	const callers, photos = 2, 20
	var photo bytes.Buffer
	if err := asJPEG(&photo, textured(1632, 1224)); err != nil {
		b.Fatal(err)
	}
	g := Geometry{224, 0.875}
	p, err := NewPool(DefaultLimits(), g, PoolOptions{Processes: callers})
	if err != nil {
		b.Fatal(err)
	}
	defer p.Close()
	round := func(photoOf func(context.Context, []byte, Geometry, []byte) (Photo, error)) time.Duration {
		began := time.Now()
		var wg sync.WaitGroup
		for range callers {
			wg.Go(func() {
				dst := make([]byte, g.Bytes())
				for range photos {
					if _, err := photoOf(b.Context(), photo.Bytes(), g, dst); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		return time.Since(began)
	}
	d := newDecoder(b)
	round(p.Photo) // the processes start
	var here, there time.Duration
	for b.Loop() {
		here += round(d.Photo)
		there += round(p.Photo)
	}
	each := float64(callers * photos * b.N)
	b.ReportMetric(here.Seconds()*1e3/each, "here_ms/photo")
	b.ReportMetric(there.Seconds()*1e3/each, "pool_ms/photo")
	b.ReportMetric(100*here.Seconds()/there.Seconds(), "%_of_in_process")
}
