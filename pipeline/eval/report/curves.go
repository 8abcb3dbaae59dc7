package report

import (
	"fmt"
	"html/template"

	"planetag/pipeline/eval/score"
)

// coverageChart draws the share of near answers over the share of photos answered.
func coverageChart(curve score.Curve) template.HTML {
	c := newChart("share of the photos answered, the most confident first", "share within the distance", false)
	for i, row := range []struct {
		class, label string
		of           func(score.Point) float64
	}{
		{"d3", "≤ 750 km", func(p score.Point) float64 { return p.Within750km }},
		{"d2", "≤ 200 km", func(p score.Point) float64 { return p.Within200km }},
		{"d1", "≤ 25 km", func(p score.Point) float64 { return p.Within25km }},
	} {
		c.line(row.class, row.label, i, along(curve, row.of))
	}
	return c.done()
}

// medianChart draws the median error over the share of photos answered.
func medianChart(curve score.Curve) template.HTML {
	c := newChart("share of the photos answered, the most confident first", "median error in km", true)
	c.line("d1", "median km", 0, along(curve, func(p score.Point) float64 { return p.MedianKm }))
	return c.done()
}

func along(curve score.Curve, of func(score.Point) float64) [][2]float64 {
	var points [][2]float64
	for _, p := range curve.Points {
		points = append(points, [2]float64{p.Coverage, of(p)})
	}
	return points
}

// reliabilityChart draws the share that is right over the confidence; on the diagonal the answers keep their word.
func reliabilityChart(diagram []score.Bin) template.HTML {
	c := newChart("confidence", "share in the right cell", false)
	for _, b := range diagram {
		if b.N > 0 {
			c.bar(b.From, b.To, b.Correct, fmt.Sprintf("%d photos claim %.1f %%, %.1f %% are right", b.N, 100*b.Confidence, 100*b.Correct))
		}
	}
	c.line("even", "", 0, [][2]float64{{0, 0}, {1, 1}})
	return c.done()
}
