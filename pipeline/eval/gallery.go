package eval

import (
	"math"
	"runtime"
	"sync"
)

// nearest returns, for each item, the index of the gallery photo whose embedding has the greatest cosine with its own
// (the lower index on a tie), or -1 when no gallery photo may answer. A gallery photo with the very same bytes never
// answers: a gallery that holds the tested photos would otherwise be an answer sheet.
func nearest(items, gallery []item) []int {
	unit := make([][]float32, len(gallery))
	for i := range gallery {
		unit[i] = normalised(gallery[i].sight.Embedding)
	}
	found := make([]int, len(items))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(items); i += workers {
				found[i] = nearestOne(items[i], gallery, unit)
			}
		})
	}
	wg.Wait()
	return found
}

func nearestOne(it item, gallery []item, unit [][]float32) int {
	best, at := math.Inf(-1), -1
	query := normalised(it.sight.Embedding)
	for g := range gallery {
		if gallery[g].digest == it.digest {
			continue
		}
		if cos := dot(query, unit[g]); cos > best {
			best, at = cos, g
		}
	}
	return at
}

// normalised scales v to length one; a zero vector stays zero.
func normalised(v []float32) []float32 {
	length := math.Sqrt(dot(v, v))
	if length == 0 {
		return v
	}
	unit := make([]float32, len(v))
	for i := range v {
		unit[i] = float32(float64(v[i]) / length)
	}
	return unit
}

func dot(a, b []float32) float64 {
	sum := 0.0
	for i := range a {
		sum += float64(a[i]) * float64(b[i])
	}
	return sum
}
