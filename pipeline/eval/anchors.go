package eval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"planetag/enrich"
)

// Anchored is what albums of which some photos have a position do for the others. Every row is of the same photos: those
// that were not shown to the model.
type Anchored struct {
	Share  float64 `json:"share"` // of each album's photos, rounded, at least one and never all
	Seed   uint64  `json:"seed"`
	Albums int     `json:"albums"`
	Shown  int     `json:"shown"` // photos whose position the model saw

	All        map[string]Scores      `json:"all"`        // by mode, see anchorRows
	Near       map[string]Scores      `json:"near"`       // of photos with an anchor within an hour
	Far        map[string]Scores      `json:"far"`        // of the others
	Calibrated map[string]Calibration `json:"calibrated"` // the published answers
}

// near is how close in time an anchor is called near.
const near = time.Hour

// The rows of Anchored beside each mode with anchors.
const (
	withAnchors = "+anchors"
	modeInTime  = "nearest_in_time" // the position of the nearest photo in time, to the metre
	modeInCap   = "nearest, capped" // the same, no finer than the bundle's precision cap: what may be published
)

// anchorRows is the order of the rows.
func anchorRows() []string {
	rows := []string{modeInTime, modeInCap, modeSingle}
	for _, mode := range albumModes() {
		rows = append(rows, mode+withAnchors)
	}
	return rows
}

// hidden is one photo whose position is not shown, and the photo that answers for it by time.
type hidden struct{ item, nearest int }

func anchored(ctx context.Context, model *enrich.Model, items []item, groups [][]int, o Options) (*Anchored, error) {
	groups = slices.DeleteFunc(slices.Clone(groups), func(g []int) bool { return len(g) < 2 })
	shown, asked := draw(items, groups, o)
	a := &Anchored{
		Share: o.Anchors, Seed: o.Seed, Albums: len(groups), Shown: len(shown),
		All: map[string]Scores{}, Near: map[string]Scores{}, Far: map[string]Scores{}, Calibrated: map[string]Calibration{},
	}
	a.baselines(model, items, asked)
	for _, mode := range albumModes() {
		if !model.Offers(mode) {
			continue
		}
		readings, err := withPositions(ctx, model, mode, items, groups, shown)
		if err != nil {
			return nil, err
		}
		judged := judgeAll(asked, func(h hidden) Judged {
			return judge(model.AnswerAlbum(mode, readings[h.item]), items[h.item].row)
		})
		a.add(items, asked, mode+withAnchors, judged)
		a.Calibrated[mode+withAnchors] = Calibrate(judged)
	}
	return a, nil
}

// draw picks the photos of each album whose position is shown, and lists the others.
func draw(items []item, groups [][]int, o Options) (shown map[int]bool, asked []hidden) {
	shown = map[int]bool{}
	random := rand.New(rand.NewPCG(o.Seed, 1))
	for _, g := range groups {
		n := min(max(int(o.Anchors*float64(len(g))+0.5), 1), len(g)-1)
		for _, k := range random.Perm(len(g))[:n] {
			shown[g[k]] = true
		}
		asked = append(asked, hiddenOf(items, g, shown)...)
	}
	return shown, asked
}

// baselines are what one gets by looking at one other photo only, or at none.
func (a *Anchored) baselines(model *enrich.Model, items []item, asked []hidden) {
	a.add(items, asked, modeInTime, judgeAll(asked, func(h hidden) Judged {
		from := items[h.nearest].row
		return judge(enrich.Answer{Lat: from.Lat, Lon: from.Lon}, items[h.item].row)
	}))
	a.add(items, asked, modeInCap, judgeAll(asked, func(h hidden) Judged {
		from := items[h.nearest].row
		fix := enrich.Reading{Fix: &enrich.Fix{Lat: from.Lat, Lon: from.Lon}}
		return judge(model.AnswerAlbum(modeSingle, fix), items[h.item].row)
	}))
	a.add(items, asked, modeSingle, judgeAll(asked, func(h hidden) Judged {
		return judge(model.Answer(modeSingle, items[h.item].sight.Top), items[h.item].row)
	}))
}

// hiddenOf are the photos of an album that are not shown.
func hiddenOf(items []item, g []int, shown map[int]bool) []hidden {
	var list []hidden
	for _, i := range g {
		if shown[i] {
			continue
		}
		best := -1
		for _, j := range g {
			if shown[j] && (best < 0 || apart(items[i].row, items[j].row) < apart(items[i].row, items[best].row)) {
				best = j
			}
		}
		list = append(list, hidden{i, best})
	}
	return list
}

// apart is the time between two photos; for ever when one of them has none.
func apart(a, b Row) time.Duration {
	if a.TakenAt.IsZero() || b.TakenAt.IsZero() {
		return 1<<63 - 1
	}
	return max(a.TakenAt.Sub(b.TakenAt), b.TakenAt.Sub(a.TakenAt))
}

func judgeAll(asked []hidden, judge func(hidden) Judged) []Judged {
	judged := make([]Judged, len(asked))
	for k, h := range asked {
		judged[k] = judge(h)
	}
	return judged
}

// add scores one row: all photos, and those near to and far from an anchor in time.
func (a *Anchored) add(items []item, asked []hidden, mode string, judged []Judged) {
	var all, close, far []float64
	for k, h := range asked {
		all = append(all, judged[k].Metres)
		if apart(items[h.item].row, items[h.nearest].row) <= near {
			close = append(close, judged[k].Metres)
		} else {
			far = append(far, judged[k].Metres)
		}
	}
	a.All[mode], a.Near[mode], a.Far[mode] = Score(all), Score(close), Score(far)
}

// withPositions is what the model makes of albums of which it sees some positions.
func withPositions(ctx context.Context, model *enrich.Model, mode string, items []item, albums [][]int, shown map[int]bool) ([]enrich.Reading, error) {
	readings := make([]enrich.Reading, len(items))
	for _, g := range albums {
		members := make([]enrich.Member, len(g))
		for k, i := range g {
			row := items[i].row
			members[k] = enrich.Member{Sight: items[i].sight, TakenAt: row.TakenAt}
			if shown[i] {
				members[k].Anchor = &enrich.Anchor{Lat: row.Lat, Lon: row.Lon, Kind: "manifest"}
			}
		}
		steps, err := model.Album(ctx, mode, members)
		if err != nil {
			return nil, fmt.Errorf("answer album %q in mode %s with anchors: %w", items[g[0]].row.Album, mode, err)
		}
		for k, i := range g {
			readings[i] = steps[k]
		}
	}
	return readings, nil
}

// table prints the rows; nothing without the experiment.
func (a *Anchored) table(b *strings.Builder) {
	if a == nil {
		return
	}
	fmt.Fprintf(b, "\n%d albums, %.0f %% of their photos (%d) with a position; the others:\n", a.Albums, 100*a.Share, a.Shown)
	for _, part := range []struct {
		title string
		rows  map[string]Scores
	}{{"anchor ≤ 1 h", a.Near}, {"anchor > 1 h", a.Far}, {"all", a.All}} {
		n := part.rows[modeInTime].Photos
		if n == 0 {
			continue
		}
		fmt.Fprintf(b, "\n%-20s %6s %6s %6s %6s %6s %8s %8s\n", fmt.Sprintf("%s, n=%d", part.title, n), "1 km", "25", "200", "750", "2500", "median", "mean")
		for _, mode := range anchorRows() {
			if s, ok := part.rows[mode]; ok {
				fmt.Fprintf(b, "%-20s %6.1f %6.1f %6.1f %6.1f %6.1f %8s %8s\n", mode, 100*s.Within1km, 100*s.Within25km,
					100*s.Within200km, 100*s.Within750km, 100*s.Within2500km, km(s.MedianKm), km(s.MeanKm))
			}
		}
	}
	fmt.Fprintf(b, "\n%-20s %9s %8s %8s %7s %7s\n", "with anchors %", "abstained", "≤25 km", "≤200 km", "in p50", "in p90")
	for _, mode := range slices.DeleteFunc(anchorRows(), func(mode string) bool { return a.Calibrated[mode].Photos == 0 }) {
		c := a.Calibrated[mode]
		fmt.Fprintf(b, "%-20s %9.1f %8s %8s %7s %7s\n", mode, 100*c.Abstained,
			share(c.Within25km), share(c.Within200km), share(c.InsideP50), share(c.InsideP90))
	}
}
