package enrich

import (
	"cmp"
	"math"
	"slices"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// Place names a region of a country, each empty where no single one holds at
// least half of the training photos of the cell.
type Place struct{ CountryCode, Country, Region string }

// Located is a cell with the probability that the photo was taken in it.
type Located struct {
	Token    string
	Level    int
	P        float64
	Lat, Lon float64 // mean location of the cell's training photos, degrees
}

// Answer is where a photo was probably taken. Nothing in it is finer than the
// precision cap. When Abstained is set the other fields are filled all the
// same, for evaluation; whoever publishes must then not publish a location.
type Answer struct {
	Abstained            bool
	Lat, Lon             float64 // degrees
	RadiusP50, RadiusP90 float64 // metres, from the calibration table
	// Confidence is the probability of the most probable class. It is taken
	// before the precision cap, because that is what was calibrated.
	Confidence float64
	// ExpectedError is how far, in metres, the photo would be from the most
	// probable class if the probabilities were true. It is taken before the
	// precision cap, like Confidence.
	ExpectedError float64
	AbstainAbove  float64 // the greatest ExpectedError that is answered; 0 where confidence decides
	Entropy       float64 // nats, over the listed cells and one rest
	Cell          string  // S2 token
	Level         int
	Ancestors     []string // tokens at levels 2, 4, 6, … coarser than Cell, coarse first
	// Rollup is the finest cell (an ancestor or a class itself) that holds at
	// least half of the probability; zero if not even a face of the cube does.
	Rollup Located
	Place  Place
	// CountryP is the probability that the photo was taken in Place's country,
	// summed over all listed classes by the share of each that lies there; 0
	// where Place names none.
	CountryP   float64
	Candidates []Located // at most 5, greatest probability first
}

// mostCandidates is how many cells an answer lists.
const mostCandidates = 5

// placer turns probabilities over classes into answers.
type placer struct {
	cells       *cells.Cells
	calibration map[string]bundle.Calibration
	// precisionCap is the finest level of an answer.
	precisionCap int
	areas        []area
	areaOf       []int // class → its area
}

// share is the probability of one area.
type share struct {
	area int
	p    float64
}

func (p *placer) answer(mode string, top []Candidate) Answer {
	if mode == bundle.None {
		mode = bundle.Single
	}
	table, known := p.calibration[mode]
	if !known && !bundle.InEveryBundle(mode) || len(top) == 0 || checkTop(top, p.cells.Len()) != nil {
		return Answer{Abstained: true}
	}
	if !known { // nobody measured the mode here
		table = bundle.Calibration{AbstainBelow: math.Inf(1), Radius: []bundle.Radius{{P50: antipode, P90: antipode}}}
	}
	along := p.capped(top)
	shares := greatestFirst(along)
	best := p.areas[shares[0].area]
	worth := p.worth(table, top)
	answer := Answer{
		Abstained:     worth.abstained,
		Lat:           best.lat,
		Lon:           best.lon,
		RadiusP50:     max(worth.p50, best.floor),
		RadiusP90:     max(worth.p90, best.floor),
		Confidence:    worth.confidence,
		ExpectedError: worth.expected,
		AbstainAbove:  worth.above,
		Entropy:       entropy(shares),
		Cell:          best.id.ToToken(),
		Level:         best.id.Level(),
		Ancestors:     cells.Ancestors(best.id),
		Rollup:        p.rollup(along),
		Place:         best.place,
		CountryP:      p.countryP(best.place.CountryCode, top),
	}
	for _, s := range shares[:min(mostCandidates, len(shares))] {
		a := p.areas[s.area]
		answer.Candidates = append(answer.Candidates, Located{a.id.ToToken(), a.id.Level(), min(s.p, 1), a.lat, a.lon})
	}
	return answer
}

// fixed is the answer at a place that follows from anchors, with the classes
// beside it. The place becomes the middle of its cell at the precision cap: what
// is published of one photo must not tell another's position to the metre.
func (p *placer) fixed(mode string, r Reading) Answer {
	a := p.answer(mode, r.Top)
	leaf, ok := cells.Leaf(r.Fix.Lat, r.Fix.Lon)
	if !ok {
		return Answer{Abstained: true}
	}
	id := cells.Cap(leaf, p.precisionCap)
	a.Lat, a.Lon = cells.Centre(id)
	floor := cells.HalfDiagonal(id)
	a.Place = Place{}
	if row, ok := p.cells.FindID(leaf); ok {
		best := p.areas[p.areaOf[row]]
		id, a.Place = best.id, best.place
	}
	a.Cell, a.Level, a.Ancestors = id.ToToken(), id.Level(), cells.Ancestors(id)
	a.RadiusP50, a.RadiusP90 = max(r.Fix.RadiusP50, floor), max(r.Fix.RadiusP90, floor)
	a.Confidence = min(r.Fix.P, 1)
	a.Abstained = r.Fix.P < likely
	return a
}

// likely is the probability under which a place that follows from anchors is
// not published.
const likely = 0.5

// capped adds up the probabilities of classes that the precision cap makes one
// area. The areas come in the order of their numbers, which is that of S2's
// curve.
func (p *placer) capped(top []Candidate) []share {
	shares := make([]share, 0, len(top))
	for _, c := range byRow(top) {
		area, last := p.areaOf[c.Cell], len(shares)-1
		if last >= 0 && shares[last].area == area {
			shares[last].p += c.P
		} else {
			shares = append(shares, share{area, c.P})
		}
	}
	return shares
}

// greatestFirst is the list in the order of the probabilities.
func greatestFirst(along []share) []share {
	shares := slices.Clone(along)
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.p, a.p), cmp.Compare(a.area, b.area))
	})
	return shares
}

// entropy is -Σ p·ln p over the areas and, as one more, everything not listed.
func entropy(shares []share) float64 {
	sum, rest := 0.0, 1.0
	for _, s := range shares {
		rest -= s.p
		sum += surprise(s.p)
	}
	return sum + surprise(rest)
}

func surprise(p float64) float64 {
	if p <= 0 || p >= 1 { // 0·ln 0 is 0; beyond 1 is rounding
		return 0
	}
	return -p * math.Log(p)
}

// rollup is the finest cell that holds half of the probability. Areas of one
// ancestor are neighbours along S2's curve, in the order of which they come
// here, so that on each level each of them is looked at once.
func (p *placer) rollup(along []share) Located {
	const half = 0.5 - 1e-9 // what is a half but for the order in which it was added up
	for level := p.precisionCap; level >= 0; level-- {
		var finest cells.ID
		most := 0.0
		for rest := along; len(rest) > 0; {
			id, sum, n := p.areas[rest[0].area].id, rest[0].p, 1
			if id.Level() >= level {
				id = id.Parent(level)
				for ; n < len(rest) && id.Contains(p.areas[rest[n].area].id); n++ {
					sum += rest[n].p
				}
				if sum > most {
					finest, most = id, sum
				}
			}
			rest = rest[n:]
		}
		if most >= half {
			lat, lon, _ := p.cells.Mean(p.cells.Within(finest))
			return Located{finest.ToToken(), level, min(most, 1), lat, lon}
		}
	}
	return Located{}
}
