package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"
)

// The drawing of a chart in its own units; the page scales it.
const (
	chartWidth, chartHeight = 420.0, 300.0
	left, right             = 52.0, 12.0
	top, bottom             = 12.0, 44.0
)

// chart is a plot of shares or of kilometres over a share.
type chart struct {
	x, y string // names of the axes
	logs bool   // y in kilometres on a logarithmic axis from 1 to 20,000, instead of a share from 0 to 1
	svg  strings.Builder
}

// newChart draws the axes.
func newChart(x, y string, logs bool) *chart {
	c := &chart{x: x, y: y, logs: logs}
	fmt.Fprintf(&c.svg, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s over %s">`, chartWidth, chartHeight, html.EscapeString(y), html.EscapeString(x))
	for _, tick := range []float64{0, 0.2, 0.4, 0.6, 0.8, 1} {
		fmt.Fprintf(&c.svg, `<path class="grid" d="M%.1f %.1fV%.1f"/>`, c.at(tick), top, chartHeight-bottom)
		c.text(c.at(tick), chartHeight-bottom+16, "middle", fmt.Sprintf("%.0f %%", 100*tick))
	}
	ticks := []float64{0, 0.2, 0.4, 0.6, 0.8, 1}
	if logs {
		ticks = []float64{1, 10, 100, 1000, 10_000}
	}
	for _, tick := range ticks {
		label := fmt.Sprintf("%.0f %%", 100*tick)
		if logs {
			label = fmt.Sprintf("%g", tick)
		}
		fmt.Fprintf(&c.svg, `<path class="grid" d="M%.1f %.1fH%.1f"/>`, left, c.height(tick), chartWidth-right)
		c.text(left-6, c.height(tick)+4, "end", label)
	}
	c.text((left+chartWidth-right)/2, chartHeight-8, "middle", x)
	return c
}

// at and height are the place of a value on the two axes.
func (c *chart) at(x float64) float64 { return left + x*(chartWidth-left-right) }

func (c *chart) height(y float64) float64 {
	if c.logs {
		y = math.Log10(min(max(y, 1), 20_000)) / math.Log10(20_000)
	}
	return chartHeight - bottom - y*(chartHeight-top-bottom)
}

func (c *chart) text(x, y float64, anchor, text string) {
	fmt.Fprintf(&c.svg, `<text x="%.1f" y="%.1f" text-anchor="%s">%s</text>`, x, y, anchor, html.EscapeString(text))
}

// line draws a curve; class gives its colour, the label stands in the legend.
func (c *chart) line(class, label string, place int, points [][2]float64) {
	var path strings.Builder
	for i, p := range points {
		step := 'L'
		if i == 0 {
			step = 'M'
		}
		fmt.Fprintf(&path, "%c%.1f %.1f", step, c.at(p[0]), c.height(p[1]))
	}
	fmt.Fprintf(&c.svg, `<path class="curve %s" d="%s"/>`, class, path.String())
	if label != "" {
		y := top + 14 + 15*float64(place)
		fmt.Fprintf(&c.svg, `<path class="curve %s" d="M%.1f %.1fh18"/>`, class, chartWidth-right-112, y-4)
		c.text(chartWidth-right-90, y, "start", label)
	}
}

// bar draws a bar from 0 to y.
func (c *chart) bar(from, to, y float64, hint string) {
	fmt.Fprintf(&c.svg, `<rect class="bar" x="%.1f" y="%.1f" width="%.1f" height="%.1f"><title>%s</title></rect>`,
		c.at(from)+1, c.height(y), c.at(to)-c.at(from)-2, c.height(0)-c.height(y), html.EscapeString(hint))
}

// done is the drawing. Everything in it was escaped or is a number.
func (c *chart) done() template.HTML {
	return template.HTML(c.svg.String() + "</svg>")
}
