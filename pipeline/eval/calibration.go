package eval

import "math"

// eceBins is the usual number of bins of the expected calibration error (Guo et al., "On Calibration of Modern Neural
// Networks", 2017).
const eceBins = 15

// Judged is one calibrated answer beside the truth.
type Judged struct {
	Confidence           float64 // what the answer claims, 0 to 1
	Correct              bool    // the true position lies in the most probable cell
	Abstained            bool
	Metres               float64 // distance to the truth
	RadiusP50, RadiusP90 float64 // metres the answer claims
}

// Calibration says whether the answers of one mode keep their word. The pointers are nil when nothing was answered.
type Calibration struct {
	Photos      int      `json:"photos"`
	Abstained   float64  `json:"abstained"`    // share of all photos
	Answered    int      `json:"answered"`     // photos that got a location
	Within25km  *float64 `json:"within_25km"`  // share of those answered
	Within200km *float64 `json:"within_200km"` // share of those answered
	ECE         float64  `json:"ece"`          // over all photos, abstained ones too: they carry a confidence as well
	InsideP50   *float64 `json:"inside_radius_p50"`
	InsideP90   *float64 `json:"inside_radius_p90"`
}

// Calibrate compares what the answers claim with what is true. A radius keeps its word when the share of answers inside
// it is the share in its name: 0.5 inside radius_p50, 0.9 inside radius_p90.
func Calibrate(judged []Judged) Calibration {
	c := Calibration{Photos: len(judged), ECE: ECE(judged)}
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
	c.Abstained = float64(len(judged)-c.Answered) / float64(len(judged))
	if c.Answered > 0 {
		share := func(n int) *float64 { return new(float64(n) / float64(c.Answered)) }
		c.Within25km, c.Within200km = new(Within(metres, 25)), new(Within(metres, 200))
		c.InsideP50, c.InsideP90 = share(inP50), share(inP90)
	}
	return c
}

// ECE is the expected calibration error: answers are put into 15 bins of equal width by confidence, and the gaps between
// mean confidence and share correct are averaged with the bins' sizes as weights. 0 is perfect; no answers give 0.
func ECE(judged []Judged) float64 {
	var count, confident, correct [eceBins]float64
	for _, j := range judged {
		b := min(max(int(math.Ceil(j.Confidence*eceBins))-1, 0), eceBins-1)
		count[b]++
		confident[b] += j.Confidence
		if j.Correct {
			correct[b]++
		}
	}
	sum := 0.0
	for b := range count {
		sum += math.Abs(confident[b] - correct[b])
	}
	if len(judged) == 0 {
		return 0
	}
	return sum / float64(len(judged))
}
