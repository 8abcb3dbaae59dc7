package enrich

import (
	"context"
	"errors"
	"fmt"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
	"planetag/enrich/decode"
	"planetag/enrich/infer"
)

// Model is a loaded bundle.
type Model struct {
	info     Info
	geometry decode.Geometry
	decoder  decoder
	runtime  *infer.Runtime
	cnn      *infer.CNN
	albums   map[string]*infer.Album // by mode; two modes may share one
	cells    *cells.Cells
	gallery  *gallery // nil where the network answers with cells
	placer   *placer
	earth    *earth
	diary    *diary // nil where the bundle knows no days
}

// decoder is a decode.Decoder, or a decode.Pool where photos are isolated.
type decoder interface {
	Photo(ctx context.Context, data []byte, g decode.Geometry, dst []byte) (decode.Photo, error)
	Close() error
}

// Info describes a loaded model.
type Info struct {
	Name, Version string
	SHA256        string // of bundle.yaml, which pins every file of the bundle
	Licence       string

	Library, LibraryVersion string          // path and version of ONNX Runtime
	Placement               infer.Placement // where the network runs

	InputBytes     int // of one photo's pixels
	EmbeddingWidth int
	TopK           int // of the network; a gallery's rows make fewer cells
	Cells          int // number of classes
	PrecisionCap   int // finest S2 level of an answer

	Precision string // of the network in use: Float or Int8

	Modes       []string // album modes the bundle has
	DefaultMode string
}

// Info describes the model.
func (m *Model) Info() Info { return m.info }

// Decode turns the bytes of a photo into the pixels Embed takes, and reads its
// EXIF: dst must have Info.InputBytes bytes. Errors are ctx's and those of
// package decode.
func (m *Model) Decode(ctx context.Context, data, dst []byte) (decode.Photo, error) {
	return m.decoder.Photo(ctx, data, m.geometry, dst)
}

// View is Decode of another part of the photo, for training: a square whose side
// is the share crop of that of the worker's, at the given corner. A model that
// decodes in processes knows one geometry; to ask it is a mistake of the program,
// and panics.
func (m *Model) View(data []byte, crop float64, at decode.Corner, dst []byte) error {
	d, ok := m.decoder.(*decode.Decoder)
	if !ok {
		panic("internal error: a view was asked of a model that decodes in processes")
	}
	_, err := d.View(data, decode.Geometry{Size: m.geometry.Size, Crop: m.geometry.Crop * crop}, at, dst)
	return err
}

// Embed is what the network sees in each photo, in order. It runs on the
// caller's thread and returns only when nothing reads the pixels any more.
// Errors: the context's; ErrOutput, if a photo leads to numbers that are no
// probabilities; infer.ErrClosed; infer.ErrMemory, if the accelerator is full.
func (m *Model) Embed(ctx context.Context, pixels [][]byte) ([]Sight, error) {
	outputs, err := m.cnn.Run(ctx, pixels)
	if err != nil {
		return nil, fmt.Errorf("embed photos: %w", err)
	}
	sights := make([]Sight, len(outputs))
	for i, out := range outputs {
		top, err := m.top(out)
		if err == nil {
			err = checkEmbedding(out.Embedding)
		}
		if err != nil {
			return nil, fmt.Errorf("embed photo %d of %d: %w", i+1, len(outputs), err)
		}
		sights[i] = Sight{Embedding: out.Embedding, Top: top}
	}
	return sights, nil
}

// BatchCeiling is the most photos of one call that the accelerator has had room
// for of late; 0 where it has had room for every batch.
func (m *Model) BatchCeiling() int { return m.cnn.Ceiling() }

// Answer is the answer to the most probable classes of one photo. Mode says
// where they come from, because each kind has a calibration of its own:
// "single" (or "none") for Sight.Top, else the mode given to Album. It is a pure
// function of its arguments. Classes that are no probabilities over the
// bundle's cells, or a mode the bundle has no calibration for, give an answer
// that is Abstained and otherwise empty.
func (m *Model) Answer(mode string, top []Candidate) Answer {
	return m.placer.answer(mode, top)
}

// AnswerAlone is the answer to what Alone made of one photo. Told of its day and not told it has a calibration each.
func (m *Model) AnswerAlone(r Reading) Answer {
	if r.FromDiary {
		return m.placer.answer(bundle.Dated, r.Top)
	}
	return m.placer.answer(bundle.Single, r.Top)
}

// AnswerAlbum is the answer to what Album made of one photo, in the mode that it
// was called with. A place that follows from the anchors has its radii from how
// people travel (bundle.Travel), not from the mode's calibration; it is Abstained
// where it is not at least as likely as not. Like every other, it is no finer
// than the precision cap.
func (m *Model) AnswerAlbum(mode string, r Reading) Answer {
	if r.Fix == nil {
		return m.placer.answer(mode, r.Top)
	}
	return m.placer.fixed(mode, r)
}

// Prior is the location of the class with most training photos: the best guess
// without looking at the photo, and the baseline of every evaluation.
func (m *Model) Prior() (lat, lon float64) {
	cell := m.cells.At(m.cells.Busiest())
	return cell.Lat, cell.Lon
}

// DistanceMetres is the great-circle distance of two points given in degrees.
func DistanceMetres(aLat, aLon, bLat, bLon float64) float64 {
	return cells.DistanceMetres(aLat, aLon, bLat, bLon)
}

// Close waits for calls in progress and gives back what the model occupied.
func (m *Model) Close() error {
	var errs []error
	if m.decoder != nil {
		errs = append(errs, m.decoder.Close())
	}
	for _, album := range m.albums {
		errs = append(errs, album.Close())
	}
	if m.cnn != nil {
		errs = append(errs, m.cnn.Close())
	}
	if m.runtime != nil {
		errs = append(errs, m.runtime.Close())
	}
	return errors.Join(errs...)
}
