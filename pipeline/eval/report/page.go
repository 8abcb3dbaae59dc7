package report

import (
	_ "embed" // the page's template
	"fmt"
	"html/template"
	"io"

	"planetag/enrich/cells/gazetteer"
	"planetag/pipeline/eval"
)

//go:embed page.html
var pageText string

// page is what the template is filled with.
type page struct {
	Title  string
	Facts  []string
	Notes  []string
	Grids  []grid
	Lists  []list
	Charts []figure
	Map    template.HTML
	Misses int
	Of     int
}

// figure is a chart with what it shows.
type figure struct {
	Title string
	Chart template.HTML
	Text  string
}

// HTML writes the result as one page. Errors are drawn over the outlines of land; without them the map has
// its lines of longitude and latitude only.
func HTML(w io.Writer, r eval.Result, land []gazetteer.Ring) error {
	t, err := template.New("page").Parse(pageText)
	if err != nil {
		return fmt.Errorf("read the page: %w", err)
	}
	p := page{
		Title: "planetag eval: " + r.Bundle + r.Predictions, Facts: facts(r), Notes: r.Notes, Lists: lists(r), Charts: charts(r),
		Misses: len(r.Errors), Of: r.N,
	}
	for _, g := range grids(r) {
		if len(g.Rows) > 0 {
			p.Grids = append(p.Grids, g)
		}
	}
	if len(r.Errors) > 0 {
		p.Map = worldMap(r.Errors, land)
	}
	if err := t.Execute(w, p); err != nil {
		return fmt.Errorf("fill the page: %w", err)
	}
	return nil
}

// charts are those of the mode whose answers would be published.
func charts(r eval.Result) []figure {
	var all []figure
	if curve, ok := r.Risk[r.DefaultMode]; ok && len(curve.Points) > 0 {
		all = append(
			all,
			figure{
				"Risk and coverage", coverageChart(curve),
				fmt.Sprintf("Answering only the most confident photos. Area under the risk–coverage curve: %.3f at 25 km, %.3f at 200 km, %.3f at 750 km.",
					curve.Area25km, curve.Area200km, curve.Area750km),
			},
			figure{"Median error and coverage", medianChart(curve), "In kilometres; the axis is logarithmic and starts at 1 km."},
		)
	}
	if diagram, ok := r.Reliability[r.DefaultMode]; ok {
		all = append(all, figure{
			"Reliability", reliabilityChart(diagram),
			fmt.Sprintf("Below the dashed line answers claim too much. Expected calibration error: %.3f.", r.ByMode[r.DefaultMode].ECE),
		})
	}
	return all
}
