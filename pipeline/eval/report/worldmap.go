package report

import (
	"fmt"
	"html"
	"html/template"
	"math"
	"strings"

	"planetag/enrich/cells/gazetteer"
	"planetag/pipeline/eval"
)

// worldMap draws every error as a line from the truth, a dot, to the prediction, over the outlines of land. One unit of the drawing is
// a degree.
func worldMap(misses []eval.Miss, land []gazetteer.Ring) template.HTML {
	var b strings.Builder
	b.WriteString(`<svg class="map" viewBox="-180 -90 360 180" role="img" aria-label="map of the errors">`)
	b.WriteString(`<rect class="sea" x="-180" y="-90" width="360" height="180"/><path class="land" d="`)
	for _, ring := range land {
		for i, p := range ring {
			step := 'L'
			if i == 0 {
				step = 'M'
			}
			fmt.Fprintf(&b, "%c%.1f %.1f", step, p[0], -p[1])
		}
		b.WriteString("Z")
	}
	b.WriteString(`"/><path class="grid" d="`)
	for degrees := -150; degrees <= 150; degrees += 30 {
		fmt.Fprintf(&b, "M%d -90V90", degrees)
	}
	for degrees := -60; degrees <= 60; degrees += 30 {
		fmt.Fprintf(&b, "M-180 %dH180", degrees)
	}
	b.WriteString(`"/>`)
	for _, m := range misses {
		fmt.Fprintf(&b, `<g class="%s"><path class="miss" d="%s"/><circle cx="%.2f" cy="%.2f" r=".6"/><title>%s: %s km</title></g>`,
			distanceClass(m.Km), missPath(m), m.Lon, -m.Lat, html.EscapeString(m.ID), km(m.Km))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) // the only text in it is escaped
}

// missPath is the shorter way round: one that crosses the antimeridian leaves the map on one side and enters it on the other.
func missPath(m eval.Miss) string {
	across := m.PredLon - m.Lon
	if math.Abs(across) <= 180 {
		return fmt.Sprintf("M%.2f %.2fL%.2f %.2f", m.Lon, -m.Lat, m.PredLon, -m.PredLat)
	}
	edge := math.Copysign(180, -across)
	beyond := m.PredLon + 2*edge
	lat := m.Lat
	if beyond != m.Lon {
		lat += (m.PredLat - m.Lat) * (edge - m.Lon) / (beyond - m.Lon)
	}
	return fmt.Sprintf("M%.2f %.2fL%.2f %.2fM%.2f %.2fL%.2f %.2f", m.Lon, -m.Lat, edge, -lat, -edge, -lat, m.PredLon, -m.PredLat)
}

// distanceClass is the colour of an error.
func distanceClass(km float64) string {
	for i, limit := range []float64{25, 200, 750, 2500} {
		if km <= limit {
			return fmt.Sprintf("d%d", i+1)
		}
	}
	return "d5"
}
