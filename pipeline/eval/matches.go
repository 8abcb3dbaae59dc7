package eval

import (
	"math"
	"math/bits"
	"runtime"
	"sync"
)

// match is what the gallery has for one photo. Indices are -1 when no gallery photo qualifies.
type match struct {
	// nearest has the embedding with the greatest cosine, but never the very same bytes: a gallery that holds the tested
	// photos would otherwise be an answer sheet.
	nearest int
	twin    int     // the likest photo of all, the same bytes first
	same    bool    // twin has the same bytes
	cosine  float64 // of twin's embedding
	bits    int     // in which twin's perceptual hash differs
}

// matches compares every photo with every gallery photo, on all cores.
func matches(items, gallery []item) []match {
	unit := make([][]float32, len(gallery))
	for i := range gallery {
		unit[i] = normalised(gallery[i].sight.Embedding)
	}
	found := make([]match, len(items))
	var wg sync.WaitGroup
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		wg.Go(func() {
			for i := w; i < len(items); i += workers {
				found[i] = matchOne(items[i], gallery, unit)
			}
		})
	}
	wg.Wait()
	return found
}

// matchOne takes the first of equals, so that the order of the gallery decides and not chance.
func matchOne(it item, gallery []item, unit [][]float32) match {
	m := match{nearest: -1, twin: -1}
	query := normalised(it.sight.Embedding)
	nearest, twin := math.Inf(-1), math.Inf(-1)
	for g := range gallery {
		cos := dot(query, unit[g])
		same := gallery[g].digest == it.digest
		if cos > nearest && !same {
			nearest, m.nearest = cos, g
		}
		differ := bits.OnesCount64(it.hash ^ gallery[g].hash)
		if like := likeness(same, cos, differ); like > twin {
			twin = like
			m.twin, m.same, m.cosine, m.bits = g, same, cos, differ
		}
	}
	return m
}

// likeness orders the candidates for a twin: the same bytes, then whatever is a duplicate, then the cosine.
func likeness(same bool, cos float64, differ int) float64 {
	switch {
	case same:
		return 4
	case duplicate(cos, differ):
		return 2 + cos
	}
	return cos
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
