package report

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"

	"planetag/pipeline/eval"
	"planetag/pipeline/eval/score"
)

// mostCountries of a table; the JSON has them all.
const mostCountries = 15

// figures are the columns of a table of scores.
func figures() []string {
	return []string{"1 km", "25", "200", "750", "2500", "median km", "mean km", "score"}
}

// mark marks the mode the worker answers with.
func mark(r eval.Result, mode string) string {
	if mode == r.DefaultMode && len(r.Modes) > 1 {
		return mode + " *"
	}
	return mode
}

// scoreGrid is modes and baselines in the order of the result.
func scoreGrid(r eval.Result, title string, rows ...map[string]score.Scores) grid {
	g := grid{Title: title, Head: figures()}
	for _, mode := range r.ModeOrder {
		for _, of := range rows {
			if s, ok := of[mode]; ok && s.N > 0 {
				g.Rows = append(g.Rows, scoreLine(mark(r, mode), s))
			}
		}
	}
	return g
}

func scoreLine(name string, s score.Scores) line {
	l := line{Name: name, Cells: []string{
		percent(s.Within1km), percent(s.Within25km), percent(s.Within200km), percent(s.Within750km), percent(s.Within2500km),
		km(s.MedianKm), km(s.MeanKm), fmt.Sprintf("%.0f", s.GeoScore),
	}}
	if s.Intervals != nil {
		l.Under = []string{
			percents(s.Within1kmCI), percents(s.Within25kmCI), percents(s.Within200kmCI), percents(s.Within750kmCI), percents(s.Within2500kmCI),
			span(km, s.MedianKmCI), span(km, s.MeanKmCI), span(func(v float64) string { return fmt.Sprintf("%.0f", v) }, s.GeoScoreCI),
		}
	}
	return l
}

// groupGrid is the published answers by country or continent, those with most photos first. most 0 = all.
func groupGrid(r eval.Result, title string, groups map[string]eval.Group, most int) grid {
	g := grid{Title: title, Head: append([]string{"photos"}, narrow(figures())...)}
	codes := slices.SortedFunc(maps.Keys(groups), func(a, b string) int {
		return cmp.Or(cmp.Compare(groups[b].N, groups[a].N), cmp.Compare(a, b))
	})
	for i, code := range codes {
		if most > 0 && i == most {
			g.Foot = fmt.Sprintf("and %d more, in --json", len(codes)-most)
			break
		}
		l := scoreLine(clip(groups[code].Name), groups[code].Modes[r.DefaultMode])
		l.Cells = append([]string{fmt.Sprint(groups[code].N)}, narrow(l.Cells)...)
		if l.Under != nil {
			l.Under = append([]string{""}, narrow(l.Under)...)
		}
		g.Rows = append(g.Rows, l)
	}
	return g
}

// narrow leaves out the columns for which a table with long names has no room: 1 km and the mean.
func narrow(cells []string) []string {
	return slices.Concat(cells[1:6], cells[7:])
}

// clip shortens a name that would push the figures off the screen.
func clip(name string) string {
	const most = 20
	if letters := []rune(name); len(letters) > most {
		return string(letters[:most-1]) + "…"
	}
	return name
}

// answerGrid says how well the answers keep their word.
func answerGrid(r eval.Result) grid {
	g := grid{
		Title: "answers %", Head: []string{"answered", "≤25 km", "≤200 km", "ECE", "in p50", "in p90"},
		Foot: "shares of distance and radius are of the answered photos; radii keep their word\nat 50 and 90",
	}
	for _, mode := range r.ModeOrder {
		if c, ok := r.ByMode[mode]; ok {
			g.Rows = append(g.Rows, line{Name: mark(r, mode), Cells: []string{
				percent(c.Coverage), optional(c.Within25km), optional(c.Within200km), fmt.Sprintf("%.3f", c.ECE),
				optional(c.RadiusP50Coverage), optional(c.RadiusP90Coverage),
			}, Under: under(c)})
		}
	}
	return g
}

// under is the intervals below the answers' shares; there is none of the calibration error.
func under(c score.Calibration) []string {
	if c.CoverageCI == nil {
		return nil
	}
	cells := make([]string, 6)
	for i, ci := range []*score.Interval{c.CoverageCI, c.Within25kmCI, c.Within200kmCI, nil, c.RadiusP50CI, c.RadiusP90CI} {
		if ci != nil {
			cells[i] = percents(*ci)
		}
	}
	return cells
}

// riskGrid is a few points of the risk–coverage curves and the areas under them.
func riskGrid(r eval.Result) grid {
	g := grid{
		Title: "most confident %", Head: []string{"10", "25", "50", "100", "area 25 km", "200", "750"},
		Foot: "share within 25 km if only so many were answered; area under the risk–coverage\ncurve, 0 to 1, less is better",
	}
	for _, mode := range r.ModeOrder {
		curve, ok := r.Risk[mode]
		if !ok || len(curve.Points) == 0 {
			continue
		}
		l := line{Name: mark(r, mode)}
		for _, coverage := range []float64{0.1, 0.25, 0.5, 1} {
			l.Cells = append(l.Cells, percent(at(curve, coverage).Within25km))
		}
		for _, area := range []float64{curve.Area25km, curve.Area200km, curve.Area750km} {
			l.Cells = append(l.Cells, fmt.Sprintf("%.3f", area))
		}
		g.Rows = append(g.Rows, l)
	}
	return g
}

// at is the first point that covers at least so many photos.
func at(c score.Curve, coverage float64) score.Point {
	for _, p := range c.Points {
		if p.Coverage >= coverage {
			return p
		}
	}
	return c.Points[len(c.Points)-1]
}

// comparisonGrid is one comparison, figure by figure.
func comparisonGrid(c eval.Comparison) grid {
	g := grid{
		Title: "first − second", Head: []string{"difference", "95 %", "first better in"},
		Foot: fmt.Sprintf("first: %s; second: %s; %d photos in %d units", c.First, c.Second, c.N, c.Units),
	}
	shares := func(v float64) string { return signed("%+.1f", 100*v) }
	kilometres := func(v float64) string { return signed("%+.0f", v) }
	for _, row := range []struct {
		name   string
		gap    score.Gap
		format func(float64) string
	}{
		{"1 km %", c.Within1km, shares},
		{"25 km %", c.Within25km, shares},
		{"200 km %", c.Within200km, shares},
		{"750 km %", c.Within750km, shares},
		{"2500 km %", c.Within2500km, shares},
		{"median km", c.MedianKm, kilometres},
		{"mean km", c.MeanKm, kilometres},
		{"score", c.GeoScore, kilometres},
	} {
		l := line{Name: row.name, Cells: []string{row.format(row.gap.Difference), "–", "–"}}
		if row.gap.CI != nil {
			l.Cells[1] = row.format(row.gap.CI[0]) + " … " + row.format(row.gap.CI[1])
			l.Cells[2] = percent(*row.gap.FirstBetter) + " %"
		}
		g.Rows = append(g.Rows, l)
	}
	return g
}

// signed prints a difference; one that rounds to nothing has no sign.
func signed(format string, v float64) string {
	text := fmt.Sprintf(format, v)
	if v == 0 || text == fmt.Sprintf(format, math.Copysign(0, v)) {
		return fmt.Sprintf(format, 0.0)[1:]
	}
	return text
}

// percent prints a share to the digit that papers print.
func percent(share float64) string { return fmt.Sprintf("%.1f", 100*share) }

func optional(share *float64) string {
	if share == nil {
		return "–"
	}
	return percent(*share)
}

// percents prints the interval of a share in whole per cents, rounded outwards: it promises no more than it holds.
func percents(ci score.Interval) string {
	low, high := math.Floor(100*ci[0]+1e-9), math.Ceil(100*ci[1]-1e-9)
	if low == high {
		return fmt.Sprintf("%.0f", low)
	}
	return fmt.Sprintf("%.0f–%.0f", low, high)
}

func span(format func(float64) string, ci score.Interval) string {
	low, high := format(ci[0]), format(ci[1])
	if low == high {
		return low
	}
	return low + "–" + high
}

// km prints a distance in kilometres with as many digits as mean something.
func km(v float64) string {
	if v < 10 {
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
