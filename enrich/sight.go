package enrich

import (
	"errors"
	"fmt"
	"math"

	"planetag/enrich/infer"
)

// ErrOutput says that a graph answered with something that is not a
// distribution over the bundle's cells. The same photo would do so again.
var ErrOutput = errors.New("model output is not a distribution over cells")

// Candidate is one class the model holds possible.
type Candidate struct {
	Cell int     // row of the bundle's cells
	P    float64 // probability, 0 to 1
}

// Sight is what the CNN saw in one photo.
type Sight struct {
	// Embedding is the last layer before the classes, Info.EmbeddingWidth wide.
	Embedding []float32
	// Top are the most probable classes, greatest first, Info.TopK of them or,
	// with a gallery, at most so many.
	Top []Candidate
}

// slack is by how much float32 probabilities may add up to more than one.
const slack = 1e-3

func topOf(out infer.Output, classes int) ([]Candidate, error) {
	top := make([]Candidate, len(out.Prob))
	for i, p := range out.Prob {
		top[i] = Candidate{Cell: int(out.Cell[i]), P: float64(p)}
	}
	return top, checkTop(top, classes)
}

// checkTop says whether top can be the most probable classes of a distribution.
func checkTop(top []Candidate, classes int) error {
	total := 0.0
	for i, c := range top {
		if c.Cell < 0 || c.Cell >= classes {
			return fmt.Errorf("%w: class %d, the bundle has %d cells", ErrOutput, c.Cell, classes)
		}
		if !(c.P >= 0 && c.P <= 1+slack) { // also refuses NaN
			return fmt.Errorf("%w: probability %v of class %d", ErrOutput, c.P, c.Cell)
		}
		if i > 0 && c.P > top[i-1].P {
			return fmt.Errorf("%w: class %d is listed after a less probable one", ErrOutput, c.Cell)
		}
		total += c.P
	}
	if total > 1+slack {
		return fmt.Errorf("%w: probabilities add up to %v", ErrOutput, total)
	}
	return nil
}

func checkEmbedding(embedding []float32) error {
	for i, v := range embedding {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
			return fmt.Errorf("%w: number %d of the embedding is %v", ErrOutput, i, v)
		}
	}
	return nil
}
