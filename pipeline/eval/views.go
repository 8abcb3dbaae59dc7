package eval

import (
	"hash/fnv"
	"math"
	"math/rand/v2"

	"planetag/enrich"
	"planetag/enrich/decode"
)

// views are other views of a photo: parts of it, every second one mirrored, every second pair in other light. A head that
// learns from them learns less by heart. They are drawn by the photo's id, so that two runs see the same.
func views(model *enrich.Model, data []byte, id string, n int) ([][]byte, error) {
	seed := fnv.New64a()
	seed.Write([]byte(id))
	random := rand.New(rand.NewPCG(seed.Sum64(), 1))
	list := make([][]byte, n)
	for k := range list {
		const least = 0.5 // of the side of the worker's square
		crop, at := least+(1-least)*random.Float64(), decode.Corner{Across: random.Float64(), Down: random.Float64()}
		list[k] = make([]byte, model.Info().InputBytes)
		if err := model.View(data, crop, at, list[k]); err != nil {
			return nil, err
		}
		if k%2 == 1 {
			mirror(list[k])
		}
		if k%4 >= 2 {
			const darkest, brightest = 0.65, 1.4
			lighten(list[k], darkest+(brightest-darkest)*random.Float64())
		}
	}
	return list, nil
}

// mirror swaps left and right of a square of pixels.
func mirror(pixels []byte) {
	side := int(math.Sqrt(float64(len(pixels) / 3)))
	for y := range side {
		row := pixels[3*y*side : 3*(y+1)*side]
		for i, j := 0, 3*(side-1); i < j; i, j = i+3, j-3 {
			for c := range 3 {
				row[i+c], row[j+c] = row[j+c], row[i+c]
			}
		}
	}
}

func lighten(pixels []byte, by float64) {
	for i, v := range pixels {
		pixels[i] = byte(min(by*float64(v)+0.5, 255))
	}
}
