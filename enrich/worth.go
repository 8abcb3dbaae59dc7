package enrich

import (
	"cmp"
	"math"
	"slices"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// anywhere is the mean distance of a point of the earth from another, in
// metres: a quarter of the way around. It stands for the classes that are not
// listed, of which nothing is known but that they are less probable.
const anywhere = math.Pi / 2 * cells.EarthRadius

// worth is what a distribution was found to be worth when the bundle was
// calibrated.
type worth struct {
	confidence, expected float64
	p50, p90             float64 // metres
	above                float64 // metres; 0 where confidence decides
	abstained            bool
}

// worth asks the calibration by expected error, or by confidence where the
// bundle has no other. Top is not empty.
func (p *placer) worth(table bundle.Calibration, top []Candidate) worth {
	w := worth{confidence: min(top[0].P, 1), expected: p.expectedError(top)}
	if e := table.Expected; e != nil {
		spread := p.cells.At(anchor(top)).RadiusP50
		step := e.Radii(spread, w.confidence).At(w.expected)
		w.p50, w.p90, w.above = step.P50, step.P90, e.Limit(spread, w.confidence)
		w.abstained = w.expected > w.above
		return w
	}
	step := table.At(w.confidence)
	w.p50, w.p90 = step.P50, step.P90
	// 1 answers nothing, also of a network that is so sure of itself that float32 has no number between its confidence and 1.
	w.abstained = w.confidence < table.AbstainBelow || table.AbstainBelow >= 1
	return w
}

// expectedError is Σ p·(d + r) over the listed classes, d being the distance
// from the most probable one and r how far its photos are spread around its
// mean location, and the rest of the probability at the distance of anywhere:
// metres. Without r, to be sure of half a continent would look as good as to be
// sure of a building. Training
// computes the same, photo by photo (train/calibrate.py).
func (p *placer) expectedError(top []Candidate) float64 {
	best := p.cells.At(anchor(top))
	sum, rest := 0.0, 1.0
	for _, c := range byRow(top) {
		cell := p.cells.At(c.Cell)
		sum += c.P * (cells.DistanceMetres(best.Lat, best.Lon, cell.Lat, cell.Lon) + cell.RadiusP50)
		rest -= c.P
	}
	return sum + max(rest, 0)*anywhere
}

// anchor is the most probable class, of equals that of the first row.
func anchor(top []Candidate) int {
	first := top[0].Cell
	for _, c := range top[1:] {
		if c.P < top[0].P {
			break
		}
		first = min(first, c.Cell)
	}
	return first
}

// byRow is the list in the order of the cells: classes of one probability may
// come in any, and sums of floats must not tell.
func byRow(top []Candidate) []Candidate {
	rows := slices.Clone(top)
	slices.SortFunc(rows, func(a, b Candidate) int { return cmp.Or(cmp.Compare(a.Cell, b.Cell), cmp.Compare(a.P, b.P)) })
	return rows
}

// countryP is the probability of a country: of every listed class the share of
// its training photos that were taken there. What is not listed counts for
// nobody, so this is a little too small rather than too great.
func (p *placer) countryP(code string, top []Candidate) float64 {
	if code == "" {
		return 0
	}
	sum := 0.0
	for _, c := range byRow(top) {
		for _, place := range p.cells.At(c.Cell).Places {
			if place.CountryCode == code {
				sum += c.P * place.Share
			}
		}
	}
	return min(sum, 1)
}
