package divide

import (
	"github.com/cespare/xxhash/v2"

	"planetag/enrich/cells"
)

// spotLevel is how coarse a spot is where photographers are known: S2 level 22,
// about two metres.
const spotLevel = 22

// whoBits are the bits of a level 22 cell's number that say nothing: two for
// each finer level, and the marker behind the position. A photographer's hash
// fits there: one number still sorts by place, and 8 bytes still hold a photo.
const whoBits = 2*(30-spotLevel) + 1

// keys turns photos into numbers that sort along S2's curve, and back.
type keys struct{ photographers bool }

// of is the key of a photo; false if the coordinate is not on the earth. Two
// photographers of one spot share a hash once in 131,072 times.
func (k keys) of(lat, lon float64, who string) (uint64, bool) {
	id, ok := cells.Leaf(lat, lon)
	if !ok || !k.photographers {
		return uint64(id), ok
	}
	return uint64(id)>>whoBits<<whoBits | xxhash.Sum64String(who)>>(64-whoBits), true
}

// leaf is the place of a key: a cell of level 30, or 22 with photographers.
func (k keys) leaf(key uint64) cells.ID {
	if !k.photographers {
		return cells.ID(key)
	}
	return cells.ID(key>>whoBits<<whoBits | 1<<(whoBits-1))
}

// spot is one key and how often it was read.
type spot struct {
	key    uint64
	photos int64
}

// weight is what a spot counts towards the limits of a cell.
func (k keys) weight(s spot) int64 {
	if k.photographers {
		return 1
	}
	return s.photos
}
