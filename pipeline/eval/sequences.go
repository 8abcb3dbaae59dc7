package eval

import (
	"context"
	"math/rand/v2"
	"slices"
)

// shuffledRow marks the rows of albums in an order of chance: a mode that reads the order must lose by it.
const shuffledRow = " (shuffled)"

// shuffle has the album modes answer to the albums in an order of chance.
func (w *witness) shuffle(ctx context.Context, items []item, s *subject, seed uint64) error {
	mixed := mixedUp(albums(s.rows), seed)
	for _, mode := range s.modes {
		if alone(mode) {
			continue
		}
		readings, err := w.readings(ctx, mode, items, mixed)
		if err != nil {
			return err
		}
		s.shuffled[mode] = w.judged(mode, items, readings)
	}
	return nil
}

// mixedUp are the albums in an order that only the seed knows.
func mixedUp(groups [][]int, seed uint64) [][]int {
	random := rand.New(rand.NewPCG(seed, uint64(len(groups))))
	mixed := make([][]int, len(groups))
	for n, g := range groups {
		mixed[n] = slices.Clone(g)
		random.Shuffle(len(g), func(i, j int) { mixed[n][i], mixed[n][j] = mixed[n][j], mixed[n][i] })
	}
	return mixed
}
