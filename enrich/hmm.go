package enrich

import (
	"context"
	"fmt"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// HMM is the album mode of that name without a network: for whoever has probabilities already and wants to know
// what the mode makes of them, as one must to calibrate it.
type HMM struct {
	earth *earth
	k     int
}

// NewHMM is the mode over a division; a Reading has at most k classes.
func NewHMM(table *cells.Cells, travel bundle.Travel, k int) *HMM {
	return &HMM{newEarth(table, travel), k}
}

// Album is Model.Album with the mode hmm, of members of which only Sight.Top, greatest first, the time and the
// anchor are read. Errors: ErrOutput for candidates that are no probabilities of the division's classes, and the
// context's.
func (h *HMM) Album(ctx context.Context, members []Member) ([]Reading, error) {
	for i, m := range members {
		if err := checkTop(m.Sight.Top, h.earth.table.Len()); err != nil {
			return nil, fmt.Errorf("read album: photo %d of %d: %w", i+1, len(members), err)
		}
	}
	if len(members) == 0 {
		return nil, nil
	}
	return h.earth.chained(ctx, members, h.k)
}
