package score

import "math"

// bins is the usual number of bins of the expected calibration error (Guo et al., "On Calibration of Modern Neural
// Networks", 2017).
const bins = 15

// Judged is one answer beside the truth.
type Judged struct {
	Confidence           float64 // what the answer claims, 0 to 1
	Correct              bool    // the true position lies in the most probable cell
	Abstained            bool
	Metres               float64 // distance to the truth
	RadiusP50, RadiusP90 float64 // metres the answer claims
}

// Calibration says whether the answers of one mode keep their word. The pointers are nil when nothing was answered.
type Calibration struct {
	N                 int      `json:"n"`        // photos
	Answered          int      `json:"answered"` // photos that got a location
	Coverage          float64  `json:"coverage"` // the same as a share
	Within25km        *float64 `json:"within_25km"`
	Within200km       *float64 `json:"within_200km"` // shares of those answered
	ECE               float64  `json:"ece"`          // over all photos, abstained ones too: they carry a confidence as well
	RadiusP50Coverage *float64 `json:"radius_p50_coverage"`
	RadiusP90Coverage *float64 `json:"radius_p90_coverage"` // shares of those answered
}

// Calibrate compares what the answers claim with what is true. A radius keeps its word when the share of answers inside
// it is the share in its name: 0.5 inside radius_p50, 0.9 inside radius_p90.
func Calibrate(judged []Judged) Calibration {
	c := Calibration{N: len(judged), ECE: ECE(judged)}
	if len(judged) == 0 {
		return c
	}
	var metres []float64
	inP50, inP90 := 0, 0
	for _, j := range judged {
		if j.Abstained {
			continue
		}
		metres = append(metres, j.Metres)
		if j.Metres <= j.RadiusP50 {
			inP50++
		}
		if j.Metres <= j.RadiusP90 {
			inP90++
		}
	}
	c.Answered = len(metres)
	c.Coverage = float64(c.Answered) / float64(len(judged))
	if c.Answered > 0 {
		share := func(n int) *float64 { return new(float64(n) / float64(c.Answered)) }
		c.Within25km, c.Within200km = new(Within(metres, 25)), new(Within(metres, 200))
		c.RadiusP50Coverage, c.RadiusP90Coverage = share(inP50), share(inP90)
	}
	return c
}

// Bin is one bar of a reliability diagram: the answers whose confidence is above From and at most To. The first bin also
// holds those without any confidence.
type Bin struct {
	From       float64 `json:"from"`
	To         float64 `json:"to"`
	N          int     `json:"n"`
	Confidence float64 `json:"confidence"` // mean of what they claim; 0 in an empty bin
	Correct    float64 `json:"correct"`    // share of them that is right; 0 in an empty bin
}

// Reliability puts answers into 15 bins of equal width by confidence.
func Reliability(judged []Judged) []Bin {
	diagram := make([]Bin, bins)
	for b := range diagram {
		diagram[b].From, diagram[b].To = float64(b)/bins, float64(b+1)/bins
	}
	for _, j := range judged {
		b := &diagram[min(max(int(math.Ceil(j.Confidence*bins))-1, 0), bins-1)]
		b.N++
		b.Confidence += j.Confidence
		if j.Correct {
			b.Correct++
		}
	}
	for i := range diagram {
		if n := float64(diagram[i].N); n > 0 {
			diagram[i].Confidence /= n
			diagram[i].Correct /= n
		}
	}
	return diagram
}

// ECE is the expected calibration error: the gaps between mean confidence and share correct of the reliability diagram's
// bins, averaged with the bins' sizes as weights. 0 is perfect; no answers give 0.
func ECE(judged []Judged) float64 {
	if len(judged) == 0 {
		return 0
	}
	sum := 0.0
	for _, b := range Reliability(judged) {
		sum += float64(b.N) * math.Abs(b.Confidence-b.Correct)
	}
	return sum / float64(len(judged))
}
