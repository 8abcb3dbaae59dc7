package divide

import (
	"sort"

	"planetag/enrich/cells"
)

// Rules say how the earth is divided.
type Rules struct {
	MaxPhotos int64 `json:"max_photos"` // t1: a cell with more is divided
	MinPhotos int64 `json:"min_photos"` // t2: a cell with fewer is dropped
	MinLevel  int   `json:"min_level"`  // no cell is coarser
	MaxLevel  int   `json:"max_level"`  // no cell is finer, whatever it holds
}

// cutter cuts cells from spots that come in ascending order. It looks ahead as
// far as a cell may reach, and no further.
//
// The cell of the first spot is the coarsest one that starts after the cell
// before it and ends before the spot with which it would hold too many. That is
// what descending from the faces of the cube arrives at: an ancestor that holds
// few enough would have been kept, and one that holds too many is ruled out by
// that spot, or by a cell that was already cut from it.
type cutter struct {
	rules Rules
	keys  keys
	emit  func(id cells.ID, spots []spot) error // in ascending order, disjoint; spots are not written to again

	window []spot   // read, but not yet in a cell
	weight int64    // of the window
	open   cells.ID // the cell of the window's first spot, 0 if not yet known
	after  cells.ID // end of the last cell
}

// push takes the next spot.
func (c *cutter) push(s spot) error {
	c.window = append(c.window, s)
	c.weight += c.keys.weight(s)
	if c.open != 0 && c.keys.leaf(s.key) <= c.open.RangeMax() {
		return nil
	}
	return c.advance(false)
}

// finish cuts what is left.
func (c *cutter) finish() error { return c.advance(true) }

// advance cuts all cells that are known for certain.
func (c *cutter) advance(ended bool) error {
	for len(c.window) > 0 && (ended || c.weight > c.rules.MaxPhotos) {
		if c.open == 0 {
			border, found := c.border()
			if !found && !ended {
				return nil
			}
			c.open = c.coarsest(border, found)
		}
		end := c.upTo(c.open.RangeMax())
		if end == len(c.window) && !ended {
			return nil // more of it may come
		}
		cell := c.window[:end:end]
		c.window, c.after = c.window[end:], c.open.RangeMax()
		for _, s := range cell {
			c.weight -= c.keys.weight(s)
		}
		id := c.open
		c.open = 0
		if err := c.emit(id, cell); err != nil {
			return err
		}
	}
	return nil
}

// border is the place of the first spot that cannot be in one cell with the
// window's first; false if there is none in the window. Spots at one place are
// never parted, so a place with too many photos alone ends at the next place.
func (c *cutter) border() (cells.ID, bool) {
	sum, i := int64(0), 0
	for ; i < len(c.window) && sum <= c.rules.MaxPhotos; i++ {
		sum += c.keys.weight(c.window[i])
	}
	if sum <= c.rules.MaxPhotos {
		return 0, false
	}
	first := c.keys.leaf(c.window[0].key)
	if at := c.keys.leaf(c.window[i-1].key); at != first {
		return at, true
	}
	if i = c.upTo(first); i == len(c.window) {
		return 0, false
	}
	return c.keys.leaf(c.window[i].key), true
}

// upTo is the number of the window's spots up to and including place last.
func (c *cutter) upTo(last cells.ID) int {
	return sort.Search(len(c.window), func(i int) bool { return c.keys.leaf(c.window[i].key) > last })
}

// coarsest is the coarsest cell around the window's first spot that is allowed.
func (c *cutter) coarsest(border cells.ID, bounded bool) cells.ID {
	first := c.keys.leaf(c.window[0].key)
	for level := c.rules.MinLevel; level < c.rules.MaxLevel; level++ {
		id := first.Parent(level)
		if id.RangeMin() > c.after && (!bounded || id.RangeMax() < border) {
			return id
		}
	}
	return first.Parent(c.rules.MaxLevel)
}
