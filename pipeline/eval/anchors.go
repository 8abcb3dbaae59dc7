package eval

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/pipeline/eval/score"
)

// Anchored is what albums of which some photos have a position do for the others. Every row is of the same photos: those
// that were not shown to the model.
type Anchored struct {
	Share  float64  `json:"share"` // of each album's photos, rounded, at least one and never all; 0 when From says which
	Seed   uint64   `json:"seed"`
	From   string   `json:"from,omitempty"` // manifest of the photos that show their position
	Albums int      `json:"albums"`
	Shown  int      `json:"shown"` // photos whose position the model saw
	Order  []string `json:"order"` // of a table's rows

	All        map[string]score.Scores      `json:"all"`
	Near       map[string]score.Scores      `json:"near"`       // of photos with an anchor within an hour
	Far        map[string]score.Scores      `json:"far"`        // of the others
	Calibrated map[string]score.Calibration `json:"calibrated"` // the published answers
}

// near is how close in time an anchor is called near.
const near = time.Hour

// The rows of Anchored beside each mode with anchors.
const (
	withAnchors = "+anchors"
	modeInTime  = "nearest_in_time" // the position of the nearest photo in time, to the metre
	modeInCap   = "nearest, capped" // the same, no finer than the bundle's precision cap: what may be published
)

// hidden is one photo whose position is not shown, and the photo that answers for it by time.
type hidden struct{ item, nearest int }

// anchoring is the experiment on the photos of one run.
type anchoring struct {
	*witness
	items  []item
	groups [][]int // albums of at least two
	shown  map[int]bool
	asked  []hidden
	rows   map[string][]answer // as long as asked
}

// anchor shows the model some positions of every album and scores the other photos.
func (t *task) anchor(ctx context.Context, w *witness, items []item, rows []Row) error {
	if t.Anchors == 0 && t.AnchorsFrom == "" {
		return nil
	}
	x := &anchoring{witness: w, items: items, rows: map[string][]answer{}}
	if t.AnchorsFrom == "" {
		x.groups = slices.DeleteFunc(albums(rows), func(g []int) bool { return len(g) < 2 })
		x.draw(t.Anchors, t.Seed)
	} else {
		known, _, err := embedder{model: w.model, dir: t.Photos, progress: t.Progress}.embed(ctx, t.anchors)
		if err != nil {
			return fmt.Errorf("anchors: %w", err)
		}
		rows = x.join(known, rows)
	}
	x.baselines()
	order := []string{modeInTime, modeInCap, bundle.Single}
	for _, mode := range w.modes() {
		readings, err := w.albums(ctx, mode, x.items, x.groups, x.shown)
		if err != nil {
			return err
		}
		x.row(mode+withAnchors, func(h hidden) enrich.Answer { return w.model.AnswerAlbum(mode, readings[h.item]) })
		order = append(order, mode+withAnchors)
	}
	units, _ := t.Split.units(rows)
	t.result.Anchored = x.result(order, units)
	t.result.Anchored.Share, t.result.Anchored.Seed, t.result.Anchored.From = t.Anchors, t.Seed, t.AnchorsFrom
	return nil
}

// join puts photos that show their position beside the others, and asks about those of albums that have both.
func (x *anchoring) join(known []item, rows []Row) []Row {
	asked := len(rows)
	x.items, rows = slices.Concat(x.items, known), slices.Clip(rows)
	for _, it := range known {
		rows = append(rows, it.row)
	}
	x.shown = map[int]bool{}
	for _, g := range albums(rows) {
		mine := slices.DeleteFunc(slices.Clone(g), func(i int) bool { return i < asked })
		if len(mine) == 0 || len(mine) == len(g) {
			continue
		}
		x.groups = append(x.groups, g)
		for _, i := range mine {
			x.shown[i] = true
		}
		for _, i := range g {
			if !x.shown[i] {
				x.asked = append(x.asked, hidden{i, x.nearestInTime(i, g)})
			}
		}
	}
	return rows
}

// draw picks the photos of each album whose position is shown, and lists the others.
func (x *anchoring) draw(share float64, seed uint64) {
	x.shown = map[int]bool{}
	random := rand.New(rand.NewPCG(seed, 1))
	for _, g := range x.groups {
		n := min(max(int(share*float64(len(g))+0.5), 1), len(g)-1)
		for _, k := range random.Perm(len(g))[:n] {
			x.shown[g[k]] = true
		}
		for _, i := range g {
			if !x.shown[i] {
				x.asked = append(x.asked, hidden{i, x.nearestInTime(i, g)})
			}
		}
	}
}

// nearestInTime is the shown photo of an album that was taken closest to photo i.
func (x *anchoring) nearestInTime(i int, g []int) int {
	best := -1
	for _, j := range g {
		if x.shown[j] && (best < 0 || apart(x.items[i].row, x.items[j].row) < apart(x.items[i].row, x.items[best].row)) {
			best = j
		}
	}
	return best
}

// apart is the time between two photos; for ever when one of them has none.
func apart(a, b Row) time.Duration {
	if a.TakenAt.IsZero() || b.TakenAt.IsZero() {
		return 1<<63 - 1
	}
	return max(a.TakenAt.Sub(b.TakenAt), b.TakenAt.Sub(a.TakenAt))
}

// baselines are what one gets by looking at one other photo only, or at none.
func (x *anchoring) baselines() {
	x.row(modeInTime, func(h hidden) enrich.Answer {
		from := x.items[h.nearest].row
		return enrich.Answer{Lat: from.Lat, Lon: from.Lon}
	})
	x.row(modeInCap, func(h hidden) enrich.Answer {
		from := x.items[h.nearest].row
		return x.model.AnswerAlbum(bundle.Single, enrich.Reading{Fix: &enrich.Fix{Lat: from.Lat, Lon: from.Lon}})
	})
	x.row(bundle.Single, func(h hidden) enrich.Answer {
		it := x.items[h.item]
		return x.model.AnswerAlone(x.model.Alone(it.sight.Top, it.row.TakenAt))
	})
}

func (x *anchoring) row(name string, of func(hidden) enrich.Answer) {
	answers := make([]answer, len(x.asked))
	for k, h := range x.asked {
		answers[k] = judge(of(h), x.items[h.item].row)
	}
	x.rows[name] = answers
}

// result scores all rows: all photos, and those near to and far from an anchor in time.
func (x *anchoring) result(order []string, unitOf []int) *Anchored {
	a := &Anchored{Albums: len(x.groups), Shown: len(x.shown), Order: order, Calibrated: map[string]score.Calibration{}}
	units := make([]int, len(x.asked))
	var all, close, far []int
	for k, h := range x.asked {
		units[k] = unitOf[h.item]
		all = append(all, k)
		if apart(x.items[h.item].row, x.items[h.nearest].row) <= near {
			close = append(close, k)
		} else {
			far = append(far, k)
		}
	}
	a.All, a.Near, a.Far = scores(order, x.rows, units, all), scores(order, x.rows, units, close), scores(order, x.rows, units, far)
	for _, name := range order[3:] {
		judged := make([]score.Judged, len(x.asked))
		for k, answer := range x.rows[name] {
			judged[k] = answer.Judged
		}
		a.Calibrated[name] = score.Calibrate(judged, units)
	}
	return a
}
