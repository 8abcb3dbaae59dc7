package enrich

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
	"planetag/enrich/decode"
	"planetag/enrich/infer"
)

// Options say what to load and how.
type Options struct {
	Library string // path of ONNX Runtime; "" = infer.FindLibrary
	Bundle  string // directory
	// PrecisionCap is the finest S2 level of an answer; 0 = the bundle's, which
	// it can only make coarser.
	PrecisionCap int
	// Precision says which of a bundle's networks is used; "" is Auto.
	Precision string
	Limits    decode.Limits // zero = decode.DefaultLimits
	// Device is where the network runs; the album models, which are small, run on
	// the CPU.
	Device infer.Device
	// Isolate has photos decoded in processes of their own, the golden ones
	// included, so that a model that loads has a decoder that works. nil = in
	// this process.
	Isolate *decode.PoolOptions
	// SkipGolden loads without reproducing the golden photos, for tools that
	// load the same bundle again and again.
	SkipGolden bool
}

// Load loads a bundle: manifest, checksum of every file, cells, both graphs
// with a first run of every batch size, golden photos. The error names the
// bundle, the step and the reason; it wraps bundle.ErrBundle, cells.ErrCells,
// cells.ErrGallery, cells.ErrDiary, infer.ErrLibrary, infer.ErrDevice, infer.ErrGraph, ErrGolden or the context's
// error.
func Load(ctx context.Context, o Options) (*Model, error) {
	l := newLoading(o)
	for _, step := range l.steps() {
		if _, err := l.run(ctx, step); err != nil {
			err = fmt.Errorf("load bundle %s: %s: %w", o.Bundle, step.name, err)
			return nil, errors.Join(err, l.model.Close())
		}
	}
	return l.model, nil
}

// loading is a model on its way from a directory to answers.
type loading struct {
	options Options
	bundle  *bundle.Bundle
	model   *Model
}

// step is one thing that must be right before the next is tried. Its string
// says, in a few words, what was found.
type step struct {
	name string
	run  func(context.Context) (string, error)
}

func newLoading(o Options) *loading { return &loading{options: o, model: &Model{}} }

func (l *loading) steps() []step {
	steps := []step{
		{"manifest", l.readManifest},
		{"files", l.checkFiles},
		{"cells", l.loadCells},
		{"decoder", l.startDecoder},
		{"library", l.openLibrary},
		{"cnn", l.openCNN},
		{"album", l.openAlbum},
	}
	if !l.options.SkipGolden {
		steps = append(steps, step{"golden", l.reproduceGolden})
	}
	return append(steps, step{"precision", l.choosePrecision})
}

func (l *loading) run(ctx context.Context, s step) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	return s.run(ctx)
}

func (l *loading) readManifest(context.Context) (string, error) {
	b, err := bundle.Read(l.options.Bundle)
	if err != nil {
		return "", err
	}
	m := b.Manifest
	precisionCap := l.options.PrecisionCap
	if precisionCap == 0 {
		precisionCap = m.PrecisionCapLevel
	}
	if precisionCap < 1 || precisionCap > m.PrecisionCapLevel {
		return "", fmt.Errorf("precision cap %d asked for, want 1 to %d, the finest level the bundle allows",
			precisionCap, m.PrecisionCapLevel)
	}
	l.bundle = b
	l.model.geometry = decode.Geometry{Size: m.Input.Size, Crop: m.Input.Crop}
	l.model.info = Info{
		Name: m.Name, Version: m.Version, SHA256: b.SHA256, Licence: m.Licence,
		InputBytes:     m.Input.Size * m.Input.Size * 3,
		EmbeddingWidth: m.CNN.Width,
		TopK:           m.CNN.TopK,
		Cells:          m.Cells.Count,
		PrecisionCap:   precisionCap,
		Modes:          slices.Clone(m.Album.Modes),
		DefaultMode:    m.Album.Default,
	}
	return fmt.Sprintf("%s@%s, %s", m.Name, m.Version, m.Licence), nil
}

func (l *loading) checkFiles(ctx context.Context) (string, error) {
	if err := l.bundle.CheckFiles(ctx); err != nil {
		return "", err
	}
	bytes := int64(0)
	for _, f := range l.bundle.Manifest.Files {
		bytes += f.Bytes
	}
	return fmt.Sprintf("%d files, %.1f MB, every checksum right", len(l.bundle.Manifest.Files), float64(bytes)/1e6), nil
}

func (l *loading) loadCells(context.Context) (string, error) {
	m := l.bundle.Manifest
	path := l.bundle.Path(m.Cells.File)
	table, err := cells.Load(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if table.Len() != m.Cells.Count {
		return "", fmt.Errorf("%w: %s has %d rows, %s says %d", cells.ErrCells, path, table.Len(), bundle.ManifestName, m.Cells.Count)
	}
	l.model.cells = table
	l.model.placer = newPlacer(table, m.Calibration, l.model.info.PrecisionCap)
	l.model.earth = newEarth(table, m.Album.Travel())
	gallery, err := l.loadGallery()
	if err != nil {
		return "", err
	}
	diary, err := l.loadDiary()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d cells, at most level %d is answered%s%s", table.Len(), l.model.info.PrecisionCap, gallery, diary), nil
}

func (l *loading) startDecoder(context.Context) (string, error) {
	limits := l.options.Limits
	if limits == (decode.Limits{}) {
		limits = decode.DefaultLimits()
	}
	if err := l.model.geometry.Validate(); err != nil {
		return "", err
	}
	if l.options.Isolate != nil {
		pool, err := decode.NewPool(limits, l.model.geometry, *l.options.Isolate)
		if err != nil {
			return "", err
		}
		l.model.decoder = pool
	} else {
		decoder, err := decode.New(limits)
		if err != nil {
			return "", err
		}
		l.model.decoder = decoder
	}
	return fmt.Sprintf("libvips, %d×%d pixels", l.model.geometry.Size, l.model.geometry.Size), nil
}

func (l *loading) openLibrary(context.Context) (string, error) {
	path, err := infer.FindLibrary(l.options.Library)
	if err != nil {
		return "", err
	}
	if l.model.runtime, err = infer.Open(path); err != nil {
		return "", err
	}
	l.model.info.Library, l.model.info.LibraryVersion = l.model.runtime.Library(), l.model.runtime.Version()
	return fmt.Sprintf("ONNX Runtime %s, %s", l.model.info.LibraryVersion, l.model.info.Library), nil
}

func (l *loading) openCNN(context.Context) (string, error) {
	c := l.bundle.Manifest.CNN
	cnn, err := l.openNetwork(c.File)
	if err != nil {
		return "", err
	}
	l.model.cnn, l.model.info.Placement = cnn, cnn.Placement()
	found := fmt.Sprintf("embedding of %d, %d most probable cells, on %v", c.Width, c.TopK, cnn.Placement())
	if cnn.Placement().OnGPU() {
		return fmt.Sprintf("%s, in batches of %v", found, c.Buckets), nil
	}
	return fmt.Sprintf("%s, where %d photos at once are the cheapest", found, cnn.Piece()), nil
}

// openNetwork opens one of the bundle's networks that see a photo.
func (l *loading) openNetwork(file string) (*infer.CNN, error) {
	c := l.bundle.Manifest.CNN
	return l.model.runtime.OpenCNN(infer.CNNSpec{
		Path: l.bundle.Path(file), Size: l.bundle.Manifest.Input.Size, Buckets: c.Buckets,
		Input: c.Input, Embedding: c.Embedding, Prob: c.Prob, Cell: c.Cell, Width: c.Width, TopK: c.TopK,
		Classes: l.bundle.Manifest.Choices(), Device: l.options.Device,
	})
}

func (l *loading) openAlbum(context.Context) (string, error) {
	a := l.bundle.Manifest.Album
	l.model.albums = map[string]*infer.Album{}
	opened := map[string]*infer.Album{}
	for _, mode := range a.Modes {
		file := a.Graph(mode)
		if file == "" {
			continue
		}
		if opened[file] == nil {
			album, err := l.model.runtime.OpenAlbum(infer.AlbumSpec{
				Path: l.bundle.Path(file), Input: a.Input, Gaps: a.Gaps, Prob: a.Prob, Cell: a.Cell, Width: a.Width, TopK: a.TopK,
				Classes: l.bundle.Manifest.Cells.Count,
			})
			if err != nil {
				return "", err
			}
			opened[file] = album
		}
		l.model.albums[mode] = opened[file]
	}
	if len(opened) == 0 {
		return fmt.Sprintf("modes %v, default %s, no album model", a.Modes, a.Default), nil
	}
	return fmt.Sprintf("modes %v, default %s", a.Modes, a.Default), nil
}
