package pipeline

import (
	"math"
	"slices"

	"planetag/enrich"
)

// locationOf turns an answer of the model into the published form. A measured position wins: it is the location, and the
// estimate is only compared with it. Stage, revision, album and time are the caller's.
func locationOf(ref Reference, src Source, info enrich.Info, a enrich.Answer) Location {
	l := Location{
		PhotoID: ref.PhotoID, Status: StatusEstimated, Source: src, TakenAt: ref.TakenAt,
		Entropy: &a.Entropy, Candidates: candidatesOf(a),
		Model: &ModelOfLocation{
			Bundle: info.Name + "@" + info.Version, SHA256: info.SHA256, PrecisionCapLevel: info.PrecisionCap,
		},
	}
	switch {
	case ref.Position != nil:
		l.Status = StatusGiven
		l.Location = &Point{Lat: ref.Position.Lat, Lon: ref.Position.Lon}
		l.Given = givenOf(*ref.Position, a)
	case a.Abstained:
		l.Status = StatusAbstained
		l.Confidence, l.Rollup = &a.Confidence, rollupOf(a)
	default:
		l.Location = &Point{Lat: a.Lat, Lon: a.Lon}
		l.RadiusP50M, l.RadiusP90M = metres(a.RadiusP50), metres(a.RadiusP90)
		l.Confidence, l.Rollup = &a.Confidence, rollupOf(a)
		l.Cell, l.S2Ancestors, l.Place = a.Cell, a.Ancestors, placeOf(a)
	}
	return l
}

func givenOf(p Position, a enrich.Answer) *GivenPosition {
	g := &GivenPosition{Lat: p.Lat, Lon: p.Lon, Source: p.Source}
	if g.Estimate = estimateOf(a); g.Estimate == nil {
		return g
	}
	distance := int64(math.Round(enrich.DistanceMetres(p.Lat, p.Lon, a.Lat, a.Lon)))
	g.DistanceM = &distance
	return g
}

// estimateOf is an answer in brief; nil where there is none.
func estimateOf(a enrich.Answer) *Estimate {
	if a.Abstained {
		return nil
	}
	return &Estimate{Lat: a.Lat, Lon: a.Lon, RadiusP90M: metres(a.RadiusP90), Confidence: a.Confidence}
}

// movedBy is how far the album moved a photo's estimate, in metres; 0 when there is nothing to compare.
func movedBy(l Location) float64 {
	to := l.Location
	if l.Given != nil && l.Given.Estimate != nil {
		to = &Point{Lat: l.Given.Estimate.Lat, Lon: l.Given.Estimate.Lon}
	}
	if l.PhotoOnly == nil || to == nil || l.Given != nil && l.Given.Estimate == nil {
		return 0
	}
	return enrich.DistanceMetres(l.PhotoOnly.Lat, l.PhotoOnly.Lon, to.Lat, to.Lon)
}

func candidatesOf(a enrich.Answer) []CandidateCell {
	var list []CandidateCell
	for _, c := range a.Candidates {
		list = append(list, CandidateCell{Cell: c.Token, P: c.P, Lat: c.Lat, Lon: c.Lon})
	}
	return list
}

func rollupOf(a enrich.Answer) *Rollup {
	if a.Rollup.Token == "" {
		return nil
	}
	return &Rollup{Cell: a.Rollup.Token, Level: a.Rollup.Level, P: a.Rollup.P}
}

func placeOf(a enrich.Answer) *Place {
	if a.Place == (enrich.Place{}) {
		return nil
	}
	return &Place{
		CountryCode: a.Place.CountryCode, Country: a.Place.Country, Region: a.Place.Region,
		CountryProbability: probability(a.CountryP),
	}
}

// rounded is a copy with degrees to 5 decimals (1.1 m), probabilities and entropy to 4, and distances to whole metres:
// what lies beyond is noise of the float arithmetic, and would make equal answers unequal bytes.
func (l Location) rounded() Location {
	if l.Location != nil {
		l.Location = &Point{Lat: degrees(l.Location.Lat), Lon: degrees(l.Location.Lon)}
	}
	l.Confidence, l.Entropy = roundedPointer(l.Confidence), roundedPointer(l.Entropy)
	if l.Rollup != nil {
		r := *l.Rollup
		r.P = probability(r.P)
		l.Rollup = &r
	}
	l.Candidates = slices.Clone(l.Candidates)
	for i, c := range l.Candidates {
		l.Candidates[i] = CandidateCell{Cell: c.Cell, P: probability(c.P), Lat: degrees(c.Lat), Lon: degrees(c.Lon)}
	}
	l.PhotoOnly = l.PhotoOnly.rounded()
	if l.Album != nil {
		part := *l.Album
		part.MovedM = math.Round(part.MovedM)
		l.Album = &part
	}
	if l.Given != nil {
		g := *l.Given
		g.Lat, g.Lon, g.Estimate = degrees(g.Lat), degrees(g.Lon), g.Estimate.rounded()
		l.Given = &g
	}
	return l
}

func (e *Estimate) rounded() *Estimate {
	if e == nil {
		return nil
	}
	return &Estimate{
		Lat: degrees(e.Lat), Lon: degrees(e.Lon), RadiusP90M: e.RadiusP90M, Confidence: probability(e.Confidence),
	}
}

func roundedPointer(v *float64) *float64 {
	if v == nil {
		return nil
	}
	r := probability(*v)
	return &r
}

func degrees(v float64) float64     { return decimals(v, 1e5) }
func probability(v float64) float64 { return decimals(v, 1e4) }

// decimals rounds to the given power of ten. NaN stays NaN, so that encoding fails, and -0 becomes 0.
func decimals(v, power float64) float64 { return math.Round(v*power)/power + 0 }
