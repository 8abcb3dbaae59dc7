package cells

import (
	"math"
	"slices"

	"github.com/golang/geo/s2"
)

// Summary is a division at a glance.
type Summary struct {
	Cells         int          `json:"cells"`
	Photos        int64        `json:"photos"`
	Levels        []LevelCount `json:"levels"`  // coarse first, only those there are
	SizeKm        Spread       `json:"size_km"` // square roots of the cells' areas
	PhotosPerCell Spread       `json:"photos_per_cell"`
	EarthShare    float64      `json:"earth_share"` // of the earth's surface, 0 to 1
	Busiest       string       `json:"busiest"`     // token of the cell with most photos
}

// LevelCount is how many cells have a level.
type LevelCount struct {
	Level int `json:"level"`
	Cells int `json:"cells"`
}

// Spread is the least, the middle and the greatest of some values, and those
// that a tenth of them lie below and above.
type Spread struct {
	Min    float64 `json:"min"`
	P10    float64 `json:"p10"`
	Median float64 `json:"median"`
	P90    float64 `json:"p90"`
	Max    float64 `json:"max"`
}

// Summary looks at all cells.
func (c *Cells) Summary() Summary {
	s := Summary{Cells: c.Len(), Busiest: c.rows[c.Busiest()].ID.ToToken()}
	var levels [31]int
	var sizes, photos []float64
	for _, row := range c.rows {
		levels[row.ID.Level()]++
		area := areaOf(row.ID)
		sizes = append(sizes, math.Sqrt(area)*EarthRadius/1000)
		photos = append(photos, float64(row.Photos))
		s.Photos += row.Photos
		s.EarthShare += area / (4 * math.Pi)
	}
	for level, n := range levels {
		if n > 0 {
			s.Levels = append(s.Levels, LevelCount{level, n})
		}
	}
	s.SizeKm, s.PhotosPerCell = spreadOf(sizes), spreadOf(photos)
	return s
}

// areaOf is the area of a cell in steradians.
func areaOf(id ID) float64 { return s2.CellFromCellID(id).ExactArea() }

// spreadOf sorts values, of which there must be one at least.
func spreadOf(values []float64) Spread {
	slices.Sort(values)
	at := func(q float64) float64 { return values[int(q*float64(len(values)-1)+0.5)] }
	return Spread{at(0), at(0.1), at(0.5), at(0.9), at(1)}
}
