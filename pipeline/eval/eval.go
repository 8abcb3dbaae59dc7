package eval

import (
	"context"
	"fmt"

	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// Options says what is measured.
type Options struct {
	Model                  enrich.Options
	Manifest, Photos       string // CSV (see ReadManifest) and the folder its files are in
	Gallery, GalleryPhotos string // the same for the nearest-neighbour baseline; empty = without it
	Progress               func(done, total int)
	Anchors                float64 // share of each album's photos that show their position to the others; 0 = without
	Seed                   uint64  // which ones, and the shuffled order
}

// The rows of a result beside the album modes of enrich.
const (
	modeSingle  = bundle.Single
	modePrior   = "prior"
	modeNearest = "nearest_neighbour"
)

// albumModes are the answers that look at the whole album; all that the bundle has are scored, whichever is its default.
func albumModes() []string {
	return []string{bundle.Average, bundle.LSTM, bundle.LSTMRepeat, bundle.BLSTM, bundle.HMM}
}

// Result is what the command prints. Maps are keyed by mode.
type Result struct {
	Bundle      string                 `json:"bundle"` // name@version
	SHA256      string                 `json:"sha256"`
	DefaultMode string                 `json:"default_mode"`
	Photos      int                    `json:"photos"` // rows of the manifest
	Scored      int                    `json:"scored"` // photos that could be read
	Albums      int                    `json:"albums"` // albums with at least two scored photos
	AlbumPhotos int                    `json:"album_photos"`
	Gallery     int                    `json:"gallery,omitempty"` // gallery photos that could be read
	Modes       map[string]Scores      `json:"modes"`             // every scored photo
	InAlbums    map[string]Scores      `json:"in_albums"`         // only photos with album mates: where the album can help
	Calibrated  map[string]Calibration `json:"calibrated"`        // the published answer: abstaining, radii
	Anchored    *Anchored              `json:"anchored,omitempty"`
	Unreadable  []Unreadable           `json:"unreadable"`
	GalleryBad  []Unreadable           `json:"gallery_unreadable,omitempty"`
}

// Run loads the bundle, scores every photo of the manifest in every mode, and returns the figures. Photos that cannot be
// read are in the result; errors are ErrManifest, ErrPhotos, those of enrich.Load, and ctx's.
func Run(ctx context.Context, o Options) (Result, error) {
	if o.Progress == nil {
		o.Progress = func(int, int) {}
	}
	rows, err := ReadManifestFile(o.Manifest)
	if err != nil {
		return Result{}, err
	}
	var galleryRows []Row
	if o.Gallery != "" {
		if galleryRows, err = ReadManifestFile(o.Gallery); err != nil {
			return Result{}, err
		}
	}
	division, err := cellsOf(o.Model.Bundle)
	if err != nil {
		return Result{}, err
	}
	model, err := enrich.Load(ctx, o.Model)
	if err != nil {
		return Result{}, err
	}
	result, err := measure(ctx, model, division, o, rows, galleryRows)
	if closing := model.Close(); err == nil && closing != nil {
		err = fmt.Errorf("close model: %w", closing)
	}
	return result, err
}

// cellsOf loads the bundle's division of the earth, in which the true cell of a photo is looked up.
func cellsOf(dir string) (*cells.Cells, error) {
	b, err := bundle.Read(dir)
	if err != nil {
		return nil, err
	}
	return cells.Load(b.Path(b.Manifest.Cells.File))
}

func measure(ctx context.Context, model *enrich.Model, division *cells.Cells, o Options, rows, galleryRows []Row) (Result, error) {
	info := model.Info()
	result := Result{
		Bundle: info.Name + "@" + info.Version, SHA256: info.SHA256, DefaultMode: info.DefaultMode,
		Photos: len(rows), Modes: map[string]Scores{}, InAlbums: map[string]Scores{}, Calibrated: map[string]Calibration{},
	}
	items, bad, err := embedder{model, o.Photos, o.Progress}.embed(ctx, rows)
	if err != nil {
		return Result{}, err
	}
	result.Scored, result.Unreadable = len(items), append([]Unreadable{}, bad...)
	groups := albums(items)
	mates := result.countAlbums(groups, len(items))
	if err := scoreAnswers(ctx, model, division, items, groups, mates, &result); err != nil {
		return Result{}, err
	}
	if err := scoreSequences(ctx, model, items, groups, o, &result); err != nil {
		return Result{}, err
	}
	result.score(modePrior, priorErrors(model, items), mates)
	if len(galleryRows) == 0 {
		return result, nil
	}
	gallery, bad, err := embedder{model, o.GalleryPhotos, o.Progress}.embed(ctx, galleryRows)
	if err != nil {
		return Result{}, fmt.Errorf("gallery: %w", err)
	}
	result.Gallery, result.GalleryBad = len(gallery), bad
	result.score(modeNearest, nearestErrors(items, gallery), mates)
	return result, nil
}

// countAlbums marks the photos that have album mates.
func (r *Result) countAlbums(groups [][]int, photos int) (mates []bool) {
	mates = make([]bool, photos)
	for _, g := range groups {
		if len(g) < 2 {
			continue
		}
		r.Albums++
		r.AlbumPhotos += len(g)
		for _, i := range g {
			mates[i] = true
		}
	}
	return mates
}

// score adds one row: over all photos, and over those with album mates.
func (r *Result) score(mode string, metres []float64, mates []bool) {
	r.Modes[mode] = Score(metres)
	var shared []float64
	for i, m := range metres {
		if mates[i] {
			shared = append(shared, m)
		}
	}
	r.InAlbums[mode] = Score(shared)
}
