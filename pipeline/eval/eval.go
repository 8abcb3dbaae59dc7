package eval

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/cells/gazetteer"
)

// ErrModes says that a mode was asked for that nobody answers in.
var ErrModes = errors.New("no such mode")

// Options says what is measured. Either a bundle answers (Model, Manifest, Photos), or somebody's answers are read
// (Predictions).
type Options struct {
	Model                  enrich.Options
	Manifest, Photos       string // CSV (see ReadManifest) and the folder its files are in
	Predictions            string // CSV (see ReadPredictions) in place of both
	Gallery, GalleryPhotos string // CSV and folder of the training photos, for the nearest row and against overlap; empty = without
	AllowOverlap           bool   // score photos that the gallery holds too
	Split                  Split
	// Compare is a second bundle, or with Predictions a second file of them; empty = none.
	Compare string
	// CompareModes are compared with each other, the first with each of the rest; empty = none.
	CompareModes []string
	Anchors      float64              // share of each album's photos that show their position to the others; 0 = without
	AnchorsFrom  string               // manifest of photos, in the same folder, that show their position to those of their album; empty = Anchors says
	Seed         uint64               // which ones, and the shuffled order of albums
	Gazetteer    *gazetteer.Gazetteer // for the tables by continent and country; nil = without them
	Now          time.Time            // photos taken later have a wrong clock; zero = do not look
	Progress     func(done, total int)
}

// Run measures and returns the figures. Photos that cannot be read or may not be scored are in the result. Errors are
// ErrManifest, ErrPhotos, ErrPredictions, ErrSplit, ErrModes, those of enrich.Load, and ctx's. With ErrOverlap comes a
// result that holds the duplicates and no figures.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	t, err := newTask(o)
	if err != nil {
		return Result{}, err
	}
	first, err := t.first(ctx)
	if errors.Is(err, ErrOverlap) {
		return t.result, err
	}
	if err != nil {
		return Result{}, err
	}
	t.describe(first)
	if err := t.compareModes(first); err != nil {
		return Result{}, err
	}
	if o.Compare == "" {
		return t.result, nil
	}
	second, err := t.second(ctx)
	if err != nil {
		return Result{}, fmt.Errorf("compare with %s: %w", o.Compare, err)
	}
	return t.result, t.compare(first, second)
}

// task is one run: what is tested, and what was found so far.
type task struct {
	Options
	rows        []Row // that are tested: those apart from the gallery
	gallery     []Row
	anchors     []Row // photos that show their position
	predictions Predictions
	other       Predictions // to compare with
	result      Result
}

// newTask reads the lists and takes out what may not be tested.
func newTask(o Options) (*task, error) {
	t := &task{Options: o}
	if err := t.read(); err != nil {
		return nil, err
	}
	all := t.rows
	t.result = Result{
		Photos: len(all), Placeless: t.result.Placeless, Unreadable: []Unreadable{},
		Split: Parted{By: o.Split.String(), Gallery: len(t.gallery), LeftOut: []LeftOut{}},
	}
	if err := o.Split.check(o.Manifest+o.Predictions, all); err != nil {
		return nil, err
	}
	if len(t.gallery) > 0 {
		if err := o.Split.check(o.Gallery, t.gallery); err != nil {
			return nil, err
		}
		var out []LeftOut
		if t.rows, out = o.Split.apart(all, t.gallery); len(t.rows) == 0 {
			return nil, fmt.Errorf("%w by %s: all %d photos share a unit with the gallery, the first (line %d) with %s; none is left to score",
				ErrSplit, o.Split, len(all), out[0].Line, out[0].Gallery)
		}
		t.result.Split.LeftOut = append(t.result.Split.LeftOut, out...)
	}
	_, t.result.Split.Units = o.Split.units(t.rows)
	if o.Predictions == "" { // of which time changes nothing
		t.result.Notes = clocks(t.rows, o.Now)
	}
	return t, nil
}

func (t *task) read() (err error) {
	if t.Predictions != "" {
		if t.predictions, err = ReadPredictionsFile(t.Predictions); err != nil {
			return err
		}
		for _, p := range t.predictions.Rows {
			t.rows = append(t.rows, p.Row)
		}
	} else if t.rows, t.result.Placeless, err = ReadManifestFile(t.Manifest); err != nil {
		return err
	}
	if t.Gallery != "" {
		if t.gallery, _, err = ReadManifestFile(t.Gallery); err != nil {
			return err
		}
	}
	if err := t.readAnchors(); err != nil {
		return err
	}
	return t.readOther()
}

// readAnchors reads which photos show their position, and refuses those that are asked about, too.
func (t *task) readAnchors() (err error) {
	if t.AnchorsFrom == "" {
		return nil
	}
	if t.anchors, _, err = ReadManifestFile(t.AnchorsFrom); err != nil {
		return err
	}
	for _, row := range t.rows {
		if i := slices.IndexFunc(t.anchors, func(a Row) bool { return a.ID == row.ID }); i >= 0 {
			return fmt.Errorf("%w: %s shows the position of %s, line %d, which %s asks for", ErrManifest, t.AnchorsFrom, row.ID, t.anchors[i].Line, t.Manifest)
		}
	}
	return nil
}

// readOther reads what can be read of the other side of the comparison now: its mistakes should not be found after minutes.
func (t *task) readOther() (err error) {
	switch {
	case t.Compare == "":
	case t.Predictions != "":
		t.other, err = ReadPredictionsFile(t.Compare)
	default:
		_, err = bundle.Read(t.Compare)
	}
	if err != nil {
		return fmt.Errorf("compare with %s: %w", t.Compare, err)
	}
	return nil
}

func (t *task) first(ctx context.Context) (*subject, error) {
	if t.Predictions != "" {
		return predicted(t.predictions, t.rows), nil
	}
	return t.bundle(ctx, t.Model, true)
}

func (t *task) second(ctx context.Context) (*subject, error) {
	if t.Predictions != "" {
		return predicted(t.other, t.rows), nil
	}
	model := t.Model
	model.Bundle = t.Compare
	return t.bundle(ctx, model, false)
}

// clocks counts the times that cannot be right or are not there.
func clocks(rows []Row, now time.Time) []string {
	var notes []string
	var future, absent []Row
	for _, row := range rows {
		switch {
		case !now.IsZero() && row.TakenAt.After(now):
			future = append(future, row)
		case row.TakenAt.IsZero() && row.Album != "":
			absent = append(absent, row)
		}
	}
	if len(future) > 0 {
		notes = append(notes, fmt.Sprintf("taken_at of %d photos lies in the future, the first is %s on line %d: %s; albums keep the order of these times",
			len(future), future[0].ID, future[0].Line, future[0].TakenAt.Format(time.RFC3339)))
	}
	if len(absent) > 0 {
		notes = append(notes, fmt.Sprintf("%d photos of albums have no taken_at, the first is %s on line %d; they come last in their album, by id",
			len(absent), absent[0].ID, absent[0].Line))
	}
	return notes
}

// known refuses modes that are not among those answered in.
func known(asked, answered []string) error {
	for _, mode := range asked {
		if !slices.Contains(answered, mode) {
			return fmt.Errorf("%w: %q, there are %s", ErrModes, mode, strings.Join(answered, ", "))
		}
	}
	return nil
}
