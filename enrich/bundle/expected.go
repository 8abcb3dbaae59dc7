package bundle

import (
	"errors"
	"fmt"
	"math"
)

// Expected is a calibration by expected error: what an answer is worth follows
// from its whole distribution, not from its greatest probability alone. A third
// of the probability in each of three cells of one town is a good answer; one
// half here and one half at the other end of the earth is not.
type Expected struct {
	// Tables are by the answered cell's own spread, ascending from 0: to name a
	// building and to name half a country are answers of two kinds, right and
	// wrong in ways of their own.
	Tables []ExpectedTable `yaml:"tables"`
	// UnsureBelow is the probability, 0 to 1, under which an answer names no one
	// thing, whatever its cell: it gets the radii of the last table. A network that
	// has seen a building gives its cell much; the cell that is merely the most
	// probable of many may hold a building, too. 0, the default, asks for the cell
	// alone. Whether an answer is given at all is up to its cell's table.
	UnsureBelow float64 `yaml:"unsure_below"`
	// UnsureRefused says that an answer less probable than UnsureBelow is not given,
	// for a mode that agrees too easily.
	UnsureRefused bool `yaml:"unsure_refused"`
	// Promise is for the reader: what the tables' AbstainAbove keep.
	Promise Promise `yaml:"promise"`
}

// ExpectedTable is for answered cells of which half of the training photos lie
// CellRadius metres or more from their mean location.
type ExpectedTable struct {
	CellRadius float64 `yaml:"cell_radius_m"`
	// AbstainAbove is the expected error, in metres, over which no location is
	// given. 0 gives none at all.
	AbstainAbove float64 `yaml:"abstain_above_m"`
	// Radius are the steps by expected error, ascending from 0.
	Radius []ExpectedRadius `yaml:"radius"`
}

// ExpectedRadius is one step: with this expected error or more, half of the
// photos that calibrated it were within P50 metres and nine of ten within P90.
type ExpectedRadius struct {
	From float64 `yaml:"expected_error_m"`
	P50  float64 `yaml:"p50_m"`
	P90  float64 `yaml:"p90_m"`
}

// Promise is the share of answered photos that are to lie within a distance,
// and what keeping it cost on the photos it was chosen on.
type Promise struct {
	Share    float64 `yaml:"share"`    // promised, 0 to 1
	Within   float64 `yaml:"within_m"` // metres
	Kept     float64 `yaml:"kept"`     // share of the answered photos that were within
	Answered float64 `yaml:"answered"` // share of all photos that were answered
}

// Radii is the table whose radii an answer gets that has that probability and a
// cell with that spread in metres.
func (e Expected) Radii(cellRadius, confidence float64) ExpectedTable {
	if confidence < e.UnsureBelow {
		return e.Tables[len(e.Tables)-1]
	}
	return e.Table(cellRadius)
}

// Limit is the expected error in metres over which such an answer is not given.
func (e Expected) Limit(cellRadius, confidence float64) float64 {
	if e.UnsureRefused && confidence < e.UnsureBelow {
		return 0
	}
	return e.Table(cellRadius).AbstainAbove
}

// Table is the one for a cell with that spread in metres: the last that does not
// ask for more. Read has made sure that the first asks for 0.
func (e Expected) Table(cellRadius float64) ExpectedTable {
	return step(e.Tables, func(t ExpectedTable) float64 { return t.CellRadius }, cellRadius)
}

// At is the step for an expected error in metres: the last that is not greater.
// Read has made sure that the first step starts at 0.
func (t ExpectedTable) At(metres float64) ExpectedRadius {
	return step(t.Radius, func(r ExpectedRadius) float64 { return r.From }, metres)
}

func (e Expected) check() error {
	if len(e.Tables) == 0 || e.Tables[0].CellRadius != 0 {
		return errors.New("tables must start at cell_radius_m 0, so that every cell has one")
	}
	if !(e.UnsureBelow >= 0 && e.UnsureBelow <= 1) {
		return fmt.Errorf("unsure_below is %v, want 0 to 1", e.UnsureBelow)
	}
	for i, t := range e.Tables {
		if i > 0 && !(t.CellRadius > e.Tables[i-1].CellRadius) || math.IsInf(t.CellRadius, 0) {
			return fmt.Errorf("table %d: cell_radius_m %v, want metres ascending from 0", i, t.CellRadius)
		}
		if err := t.check(); err != nil {
			return fmt.Errorf("table %d: %w", i, err)
		}
	}
	return e.Promise.check()
}

func (p Promise) check() error {
	for _, share := range []float64{p.Share, p.Kept, p.Answered} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("promise: share %v, kept %v and answered %v, want each within 0 and 1", p.Share, p.Kept, p.Answered)
		}
	}
	if !(p.Within >= 0) || math.IsInf(p.Within, 0) {
		return fmt.Errorf("promise: within_m is %v, want metres", p.Within)
	}
	return nil
}

func (t ExpectedTable) check() error {
	if !(t.AbstainAbove >= 0) || math.IsInf(t.AbstainAbove, 0) {
		return fmt.Errorf("abstain_above_m is %v, want metres, or 0 to answer nothing", t.AbstainAbove)
	}
	if len(t.Radius) == 0 || t.Radius[0].From != 0 {
		return errors.New("radius must start at expected_error_m 0, so that every answer has one")
	}
	for i, r := range t.Radius {
		if i > 0 && !(r.From > t.Radius[i-1].From) || math.IsInf(r.From, 0) {
			return fmt.Errorf("radius row %d: expected_error_m %v, want metres ascending from 0", i, r.From)
		}
		if !(r.P50 > 0) || !(r.P90 >= r.P50) || math.IsInf(r.P90, 0) {
			return fmt.Errorf("radius row %d: p50_m %v and p90_m %v, want positive metres and p50_m no greater than p90_m", i, r.P50, r.P90)
		}
	}
	return nil
}
