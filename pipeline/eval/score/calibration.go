package score

// Judged is one answer beside the truth.
type Judged struct {
	Confidence           float64 // what the answer claims, 0 to 1
	Correct              bool    // the true position lies in the most probable cell
	Abstained            bool
	Metres               float64 // distance to the truth
	RadiusP50, RadiusP90 float64 // metres the answer claims
}

// Calibration says whether the answers of one mode keep their word. The pointers are nil when nothing was answered, and
// those of intervals when there are fewer than two units.
type Calibration struct {
	N                 int       `json:"n"`        // photos
	Answered          int       `json:"answered"` // photos that got a location
	Coverage          float64   `json:"coverage"` // the same as a share
	Within25km        *float64  `json:"within_25km"`
	Within200km       *float64  `json:"within_200km"` // shares of those answered
	ECE               float64   `json:"ece"`          // over all photos, abstained ones too: they carry a confidence as well
	RadiusP50Coverage *float64  `json:"radius_p50_coverage"`
	RadiusP90Coverage *float64  `json:"radius_p90_coverage"` // shares of those answered
	CoverageCI        *Interval `json:"coverage_ci,omitempty"`
	Within25kmCI      *Interval `json:"within_25km_ci,omitempty"`
	Within200kmCI     *Interval `json:"within_200km_ci,omitempty"`
	RadiusP50CI       *Interval `json:"radius_p50_coverage_ci,omitempty"`
	RadiusP90CI       *Interval `json:"radius_p90_coverage_ci,omitempty"`
}

// Calibrate compares what the answers claim with what is true. A radius keeps its word when the share of answers inside
// it is the share in its name: 0.5 inside radius_p50, 0.9 inside radius_p90. Units are as in Sample.
func Calibrate(judged []Judged, units []int) Calibration {
	p := newPromises(judged, units)
	c := Calibration{N: len(judged), ECE: ECE(judged)}
	var total promise
	for _, u := range p {
		total.times(u, 1)
	}
	c.Answered = int(total.answered)
	if c.N > 0 {
		c.Coverage = total.answered / total.photos
	}
	c.Within25km, c.Within200km = share(total.within25, total), share(total.within200, total)
	c.RadiusP50Coverage, c.RadiusP90Coverage = share(total.inP50, total), share(total.inP90, total)
	if drawn := p.draw(); drawn != nil {
		c.CoverageCI = ratio(drawn, func(p promise) (float64, float64) { return p.answered, p.photos })
		c.Within25kmCI = ratio(drawn, func(p promise) (float64, float64) { return p.within25, p.answered })
		c.Within200kmCI = ratio(drawn, func(p promise) (float64, float64) { return p.within200, p.answered })
		c.RadiusP50CI = ratio(drawn, func(p promise) (float64, float64) { return p.inP50, p.answered })
		c.RadiusP90CI = ratio(drawn, func(p promise) (float64, float64) { return p.inP90, p.answered })
	}
	return c
}

func share(n float64, of promise) *float64 {
	if of.answered == 0 {
		return nil
	}
	return new(n / of.answered)
}
