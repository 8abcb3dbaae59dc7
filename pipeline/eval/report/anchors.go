package report

import (
	"fmt"

	"planetag/pipeline/eval"
	"planetag/pipeline/eval/score"
)

// anchorGrids are the tables of the experiment with some positions known; none without it.
func anchorGrids(a *eval.Anchored) []grid {
	if a == nil {
		return nil
	}
	var tables []grid
	for _, part := range []struct {
		title string
		rows  map[string]score.Scores
	}{{"anchor ≤ 1 h", a.Near}, {"anchor > 1 h", a.Far}, {"all hidden", a.All}} {
		g := grid{Head: narrow(figures())}
		for _, mode := range a.Order {
			s := part.rows[mode]
			if s.N == 0 {
				continue
			}
			g.Title = fmt.Sprintf("%s, n=%d", part.title, s.N)
			l := scoreLine(mode, s)
			l.Cells = narrow(l.Cells)
			if l.Under != nil {
				l.Under = narrow(l.Under)
			}
			g.Rows = append(g.Rows, l)
		}
		tables = append(tables, g)
	}
	shown := fmt.Sprintf("%.0f %% of their photos (%d)", 100*a.Share, a.Shown)
	if a.From != "" {
		shown = fmt.Sprintf("those %d of their photos that are in %s", a.Shown, a.From)
	}
	tables[0].Foot = fmt.Sprintf("%d albums, %s with a position; scored are the others,\nhere those with a position of their album within an hour", a.Albums, shown)
	return append(tables, anchorAnswers(a))
}

// anchorAnswers says how well the answers keep their word when some positions are known.
func anchorAnswers(a *eval.Anchored) grid {
	g := grid{Title: "with anchors %", Head: []string{"answered", "≤25 km", "≤200 km", "in p50", "in p90"}}
	for _, mode := range a.Order {
		if c, ok := a.Calibrated[mode]; ok {
			l := line{Name: mode, Cells: []string{
				percent(c.Coverage), optional(c.Within25km), optional(c.Within200km), optional(c.RadiusP50Coverage), optional(c.RadiusP90Coverage),
			}}
			if u := under(c); u != nil {
				l.Under = append(u[:3:3], u[4:]...)
			}
			g.Rows = append(g.Rows, l)
		}
	}
	return g
}
