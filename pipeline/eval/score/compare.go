package score

// Difference compares two answers to the same photos, figure by figure.
type Difference struct {
	N            int `json:"n"`
	Units        int `json:"units"`
	Within1km    Gap `json:"within_1km"`
	Within25km   Gap `json:"within_25km"`
	Within200km  Gap `json:"within_200km"`
	Within750km  Gap `json:"within_750km"`
	Within2500km Gap `json:"within_2500km"`
	MedianKm     Gap `json:"median_km"`
	MeanKm       Gap `json:"mean_km"`
	GeoScore     Gap `json:"geoscore"`
}

// Gap is a figure of the first answer minus that of the second. Of kilometres less is better, of shares and geoscores more.
type Gap struct {
	Difference float64   `json:"difference"`
	CI         *Interval `json:"ci"` // nil with fewer than two units
	// FirstBetter is the share of draws in which the first is better; draws without a difference count as half. nil as CI.
	FirstBetter *float64 `json:"first_better"`
}

// Compare says by how much first is better than second. Both hold metres, photo by photo; units is as in Sample. Every draw
// is the same for both, so that what is hard about a photo or an album is not taken for a difference.
func Compare(units []int, first, second []float64) Difference {
	sample := Sample{Units: units, Metres: [][]float64{first, second}}
	drawn := sample.draw()
	_, count := numbered(units)
	whole := []Figures{Score(first).Figures, Score(second).Figures}
	more := func(of func(Figures) float64) Gap { return gap(whole, drawn, 1, of) }
	less := func(of func(Figures) float64) Gap { return gap(whole, drawn, -1, of) }
	return Difference{
		N: len(units), Units: count,
		Within1km:    more(func(f Figures) float64 { return f.Within1km }),
		Within25km:   more(func(f Figures) float64 { return f.Within25km }),
		Within200km:  more(func(f Figures) float64 { return f.Within200km }),
		Within750km:  more(func(f Figures) float64 { return f.Within750km }),
		Within2500km: more(func(f Figures) float64 { return f.Within2500km }),
		MedianKm:     less(func(f Figures) float64 { return f.MedianKm }),
		MeanKm:       less(func(f Figures) float64 { return f.MeanKm }),
		GeoScore:     more(func(f Figures) float64 { return f.GeoScore }),
	}
}

// gap is one figure's; better is 1 if more of it is better, else -1.
func gap(whole []Figures, drawn [][]Figures, better float64, of func(Figures) float64) Gap {
	difference := func(pair []Figures) float64 { return of(pair[0]) - of(pair[1]) }
	g := Gap{Difference: difference(whole)}
	if drawn == nil {
		return g
	}
	wins := 0.0
	for _, pair := range drawn {
		switch d := better * difference(pair); {
		case d > 0:
			wins++
		case d == 0:
			wins += 0.5
		}
	}
	g.CI, g.FirstBetter = new(interval(drawn, difference)), new(wins/float64(len(drawn)))
	return g
}
