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
	// Radius are the steps by expected error, ascending from 0.
	Radius []ExpectedRadius `yaml:"radius"`
	// AbstainAbove is the expected error, in metres, over which no location is
	// given. 0 gives none at all.
	AbstainAbove float64 `yaml:"abstain_above_m"`
	// Promise is for the reader: what AbstainAbove was chosen to keep.
	Promise Promise `yaml:"promise"`
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

// At is the step for an expected error in metres: the last that is not greater.
// Read has made sure that the first step starts at 0.
func (e Expected) At(metres float64) ExpectedRadius {
	step := e.Radius[0]
	for _, r := range e.Radius[1:] {
		if r.From > metres {
			break
		}
		step = r
	}
	return step
}

func (e Expected) check() error {
	if !(e.AbstainAbove >= 0) || math.IsInf(e.AbstainAbove, 0) {
		return fmt.Errorf("abstain_above_m is %v, want metres, or 0 to answer nothing", e.AbstainAbove)
	}
	p := e.Promise
	for _, share := range []float64{p.Share, p.Kept, p.Answered} {
		if !(share >= 0 && share <= 1) {
			return fmt.Errorf("promise: share %v, kept %v and answered %v, want each within 0 and 1", p.Share, p.Kept, p.Answered)
		}
	}
	if !(p.Within >= 0) || math.IsInf(p.Within, 0) {
		return fmt.Errorf("promise: within_m is %v, want metres", p.Within)
	}
	if len(e.Radius) == 0 || e.Radius[0].From != 0 {
		return errors.New("radius must start at expected_error_m 0, so that every answer has one")
	}
	for i, r := range e.Radius {
		if i > 0 && !(r.From > e.Radius[i-1].From) || math.IsInf(r.From, 0) {
			return fmt.Errorf("radius row %d: expected_error_m %v, want metres ascending from 0", i, r.From)
		}
		if !(r.P50 > 0) || !(r.P90 >= r.P50) || math.IsInf(r.P90, 0) {
			return fmt.Errorf("radius row %d: p50_m %v and p90_m %v, want positive metres and p50_m no greater than p90_m", i, r.P50, r.P90)
		}
	}
	return nil
}
