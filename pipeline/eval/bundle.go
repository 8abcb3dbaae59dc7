package eval

import (
	"context"
	"fmt"
	"slices"

	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// modePicture is what the picture alone says, where bundle.Single, as a worker publishes it, goes by the day, too.
const modePicture = "picture"

// The baselines: what could be answered without a model, and without its head.
const (
	modePrior   = "prior"   // always the cell with most training photos
	modeNearest = "nearest" // the position of the gallery photo with the nearest embedding
)

// bundle loads a bundle and has it answer to the photos. Only the main bundle is held against the gallery.
func (t *task) bundle(ctx context.Context, o enrich.Options, main bool) (*subject, error) {
	division, err := cellsOf(o.Bundle)
	if err != nil {
		return nil, err
	}
	model, err := enrich.Load(ctx, o)
	if err != nil {
		return nil, err
	}
	s, err := t.ask(ctx, &witness{model, division}, main)
	if closing := model.Close(); err == nil && closing != nil {
		err = fmt.Errorf("close model: %w", closing)
	}
	return s, err
}

// cellsOf loads the bundle's division of the earth, in which the true cell of a photo is looked up.
func cellsOf(dir string) (*cells.Cells, error) {
	b, err := bundle.Read(dir)
	if err != nil {
		return nil, err
	}
	return cells.Load(b.Path(b.Manifest.Cells.File))
}

// ask shows the photos to the model: main also looks for them in the gallery first.
func (t *task) ask(ctx context.Context, w *witness, main bool) (*subject, error) {
	s := newSubject(w.model.Info(), w.modes())
	if w.told(t.rows) {
		s.modes = slices.Insert(s.modes, 1, modePicture)
	}
	if main {
		if t.Gallery != "" {
			s.baselines = append(s.baselines, modeNearest)
		}
		if err := known(t.CompareModes, s.order()); err != nil {
			return nil, err
		}
	}
	items, bad, err := embedder{model: w.model, dir: t.Photos, hashes: main && t.Gallery != "", progress: t.Progress}.embed(ctx, t.rows)
	if err != nil {
		return nil, err
	}
	for _, it := range items {
		s.rows = append(s.rows, it.row)
	}
	if main {
		t.result.Unreadable = append(t.result.Unreadable, bad...)
		if err := t.search(ctx, w, items, s); err != nil {
			return nil, err
		}
	}
	if err := w.answer(ctx, items, s); err != nil || !main {
		return s, err
	}
	if err := w.shuffle(ctx, items, s, t.Seed); err != nil {
		return nil, err
	}
	return s, t.anchor(ctx, w, items, s.rows)
}

// newSubject is a bundle that has not answered yet.
func newSubject(info enrich.Info, albumModes []string) *subject {
	s := &subject{
		name: info.Name + "@" + info.Version, sha256: info.SHA256, precision: info.Precision, published: info.DefaultMode,
		modes: append([]string{bundle.Single}, albumModes...), baselines: []string{modePrior}, answers: map[string][]answer{}, shuffled: map[string][]answer{},
		confident: true, calibrated: true,
	}
	if s.published == bundle.None {
		s.published = bundle.Single
	}
	return s
}

// modes are the album modes that the bundle offers; all are scored, whichever is its default.
func (w *witness) modes() []string {
	return slices.DeleteFunc(bundle.AlbumModes(), func(mode string) bool { return !w.model.Offers(mode) })
}

// search compares the photos with those of the gallery: the nearest answer, a twin is an overlap.
func (t *task) search(ctx context.Context, w *witness, items []item, s *subject) error {
	if t.Gallery == "" {
		return nil
	}
	gallery, bad, err := embedder{model: w.model, dir: t.GalleryPhotos, hashes: true, progress: t.Progress}.embed(ctx, t.gallery)
	if err != nil {
		return fmt.Errorf("gallery: %w", err)
	}
	found := matches(items, gallery)
	t.result.Gallery, t.result.GalleryBad = len(gallery), bad
	t.result.Duplicates = append([]Duplicate{}, duplicates(items, gallery, found)...)
	if err := overlap(t.result.Duplicates, len(items)); err != nil && !t.AllowOverlap {
		t.result.name(s)
		return err
	}
	s.answers[modeNearest] = nearestAnswers(items, gallery, found)
	return nil
}
