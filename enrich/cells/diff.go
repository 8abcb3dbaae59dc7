package cells

import "math"

// Part is a part of two divisions.
type Part struct {
	Cells      int     `json:"cells"`       // of the first division; for OnlyInSecond of the second
	Photos     int64   `json:"photos"`      // in them
	EarthShare float64 `json:"earth_share"` // of the earth's surface, 0 to 1
}

// Diff says what became of the cells of one division in another. Every cell of
// the first is in one of Same, Divided, Joined and Gone.
type Diff struct {
	Same         Part `json:"same"`
	Divided      Part `json:"divided"`        // finer cells in the second
	Joined       Part `json:"joined"`         // part of a coarser cell in the second
	Gone         Part `json:"gone"`           // nothing of it in the second
	OnlyInSecond Part `json:"only_in_second"` // cells of the second where the first has nothing
}

// Compare compares two divisions.
func Compare(first, second *Cells) Diff {
	var d Diff
	for _, row := range first.rows {
		part := &d.Gone
		if i, ok := second.FindID(row.ID); ok && second.rows[i].ID == row.ID {
			part = &d.Same
		} else if ok {
			part = &d.Joined
		} else if lo, hi := second.Within(row.ID); lo < hi {
			part = &d.Divided
		}
		part.add(row)
	}
	for _, row := range second.rows {
		_, inside := first.FindID(row.ID)
		if lo, hi := first.Within(row.ID); !inside && lo == hi {
			d.OnlyInSecond.add(row)
		}
	}
	return d
}

func (p *Part) add(row Cell) {
	p.Cells++
	p.Photos += row.Photos
	p.EarthShare += areaOf(row.ID) / (4 * math.Pi)
}
