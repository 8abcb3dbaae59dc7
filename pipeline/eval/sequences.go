package eval

import (
	"context"
	"math/rand/v2"
	"slices"

	"planetag/enrich"
)

// shuffled marks the rows of albums in an order of chance: a mode that reads the order must lose by it.
const shuffled = " (shuffled)"

// sequenceRows are the album modes, each in capture order and in an order of chance.
func sequenceRows() []string {
	var rows []string
	for _, mode := range albumModes() {
		rows = append(rows, mode, mode+shuffled)
	}
	return rows
}

// scoreSequences adds what is asked of albums only: the modes in an order of chance, and with anchors.
func scoreSequences(ctx context.Context, model *enrich.Model, items []item, groups [][]int, o Options, r *Result) error {
	mixed := mixedUp(groups, o.Seed)
	for _, mode := range albumModes() {
		if !model.Offers(mode) {
			continue
		}
		readings, err := distributions(ctx, model, mode, items, mixed)
		if err != nil {
			return err
		}
		var metres []float64
		for _, g := range groups {
			for _, i := range g {
				if len(g) > 1 {
					metres = append(metres, judge(model.AnswerAlbum(mode, readings[i]), items[i].row).Metres)
				}
			}
		}
		if len(metres) > 0 {
			r.InAlbums[mode+shuffled] = Score(metres)
		}
	}
	if o.Anchors == 0 {
		return nil
	}
	var err error
	r.Anchored, err = anchored(ctx, model, items, groups, o)
	return err
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
