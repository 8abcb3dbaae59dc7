package cells

import (
	"errors"
	"fmt"
	"math"
	"math/bits"

	"github.com/golang/geo/s2"
)

// ErrCells says that rows do not make up a division of the earth. The message
// names the row and what is wrong with it.
var ErrCells = errors.New("cells are not usable")

// strayMetres is how far outside its cell a row's mean location may lie.
// Published divisions round their coordinates, and the smallest S2 cells are
// one centimetre wide.
const strayMetres = 1000

// ID is the 64-bit number of an S2 cell. Its token, not the number, is for
// people and for JSON.
type ID = s2.CellID

// Cell is one class of the model: a part of the earth and what is known of it.
type Cell struct {
	ID       ID
	Lat, Lon float64 // mean location of the training photos inside, degrees
	Photos   int64   // training photos inside, at least 1
	Places   []Place // where those photos were taken, greatest share first
	// RadiusP50 is how near to the mean location half of those photos were
	// taken, in metres; 0 where the file does not say.
	RadiusP50 float64
}

// Place is a region of a country and the share, 0 to 1, of a cell's training
// photos that were taken there.
type Place struct {
	CountryCode string  `json:"country_code"`
	Country     string  `json:"country"`
	Region      string  `json:"region"`
	Share       float64 `json:"share"`
}

// Cells is a bundle's division of the earth, sorted by S2 id. It never changes
// after New, so any number of goroutines may use it.
type Cells struct {
	rows []Cell
	// ends and begs are the leaf ranges of the rows, apart from them so that
	// the binary search walks memory that is nothing but keys.
	ends, begs []uint64
	// sums[i] is the weighted direction of rows[:i]: the mean of any run of
	// rows is one subtraction.
	sums []direction
}

// New takes rows in file order, which must be ascending by S2 id, and refuses
// what is not a division of the earth (ErrCells).
func New(rows []Cell) (*Cells, error) {
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: there is not a single row", ErrCells)
	}
	c := &Cells{
		rows: rows,
		ends: make([]uint64, len(rows)),
		begs: make([]uint64, len(rows)),
		sums: make([]direction, len(rows)+1),
	}
	for i, row := range rows {
		if err := checkRow(row); err != nil {
			return nil, fmt.Errorf("%w: row %d (%s): %w", ErrCells, i, row.ID.ToToken(), err)
		}
		c.begs[i], c.ends[i] = uint64(row.ID.RangeMin()), uint64(row.ID.RangeMax())
		c.sums[i+1] = c.sums[i].plus(directionOf(row.Lat, row.Lon, float64(row.Photos)))
		if i > 0 && c.begs[i] <= c.ends[i-1] {
			return nil, fmt.Errorf("%w: row %d (%s) does not come after row %d (%s): rows must be sorted by S2 id and must not overlap",
				ErrCells, i, row.ID.ToToken(), i-1, rows[i-1].ID.ToToken())
		}
	}
	return c, nil
}

func checkRow(row Cell) error {
	if !row.ID.IsValid() {
		return errors.New("not a valid S2 cell")
	}
	if !Valid(row.Lat, row.Lon) {
		return fmt.Errorf("location %v, %v is not on the earth", row.Lat, row.Lon)
	}
	if row.Photos < 1 {
		return fmt.Errorf("%d training photos, a class needs at least one", row.Photos)
	}
	if off := outside(row.ID, row.Lat, row.Lon); off > strayMetres {
		return fmt.Errorf("location %.5f, %.5f lies %.0f km outside the cell", row.Lat, row.Lon, off/1000)
	}
	if !(row.RadiusP50 >= 0 && row.RadiusP50 <= math.Pi*EarthRadius) {
		return fmt.Errorf("radius_p50_m is %v, want metres on this earth", row.RadiusP50)
	}
	return checkPlaces(row.Places)
}

func checkPlaces(places []Place) error {
	// Shares are rounded when written; a cell with hundreds of places adds up
	// hundreds of roundings.
	const slack = 0.01
	total, last := 0.0, 1.0+slack
	for _, p := range places {
		if !(p.Share > 0 && p.Share <= last) {
			return fmt.Errorf("place %s/%s has share %v, shares must be within 0 and 1, greatest first", p.CountryCode, p.Region, p.Share)
		}
		total, last = total+p.Share, p.Share
	}
	if total > 1+slack {
		return fmt.Errorf("shares of its places add up to %.3f", total)
	}
	return nil
}

// Len is the number of rows, which is the number of classes of the model.
func (c *Cells) Len() int { return len(c.rows) }

// At is row i of the file. The caller must not write to its Places.
func (c *Cells) At(i int) Cell { return c.rows[i] }

// Find is the row whose cell contains the point. It is false where the
// division has a gap (cells with too few photos are dropped in training) and
// for coordinates that are not on the earth.
func (c *Cells) Find(lat, lon float64) (int, bool) {
	id, ok := Leaf(lat, lon)
	if !ok {
		return 0, false
	}
	return c.FindID(id)
}

// FindID is the row whose cell is id or contains it.
func (c *Cells) FindID(id ID) (int, bool) {
	i := c.firstEnding(uint64(id))
	if i == len(c.ends) || c.begs[i] > uint64(id) {
		return 0, false
	}
	return i, true
}

// Within is the half-open run of rows [lo, hi) that lie inside cell id.
func (c *Cells) Within(id ID) (lo, hi int) {
	lo = c.firstEnding(uint64(id.RangeMin()))
	if lo < len(c.begs) && c.begs[lo] < uint64(id.RangeMin()) {
		lo++ // this row contains id, it does not lie inside it
	}
	hi = c.firstEnding(uint64(id.RangeMax()))
	if hi < len(c.ends) && c.ends[hi] == uint64(id.RangeMax()) && c.begs[hi] >= uint64(id.RangeMin()) {
		hi++
	}
	return lo, max(lo, hi)
}

// firstEnding is the first row whose range ends at or after leaf. The loop has
// no branch that depends on the data: the processor would guess half of them
// wrong, and each wrong guess costs as much as two steps.
func (c *Cells) firstEnding(leaf uint64) int {
	first := 0
	for n := len(c.ends); n > 0; {
		half := (n + 1) >> 1
		_, before := bits.Sub64(c.ends[first+half-1], leaf, 0) // 1 if it ends before leaf
		first += half & -int(before)
		n -= half
	}
	return first
}

// Busiest is the row with the most training photos, the first of equals: the
// best guess of someone who did not look at the photo.
func (c *Cells) Busiest() int {
	best := 0
	for i, row := range c.rows {
		if row.Photos > c.rows[best].Photos {
			best = i
		}
	}
	return best
}
