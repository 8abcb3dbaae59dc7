package score

import "math"

// bins is the usual number of bins of the expected calibration error (Guo et al., "On Calibration of Modern Neural
// Networks", 2017).
const bins = 15

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
