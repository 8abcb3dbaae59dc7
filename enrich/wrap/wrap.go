package wrap

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"planetag/enrich/bundle"
	"planetag/enrich/infer"
)

// ErrNetwork marks an ONNX file that cannot be wrapped. The message says why, and what to do.
var ErrNetwork = errors.New("network cannot be wrapped")

// ErrOut marks a folder that cannot become the bundle.
var ErrOut = errors.New("no place for the bundle")

// The orders of colours that a network may want.
const (
	RGB = "rgb"
	BGR = "bgr"
)

// mostBytes is what a protocol buffer may have.
const mostBytes = 1 << 31

// LevelCap is the finest S2 level that a wrapped network answers with, some 2 km.
const LevelCap = 12

// Options say what is wrapped, and how its pictures are made.
type Options struct {
	Model   string // ONNX file
	Classes string // CSV: class_label and hex_id, or class_label, lat and lon
	Out     string // folder to make
	Library string // path of ONNX Runtime; "" = searched for

	Name, Version, Licence, Summary string

	Scores        string     // output with the classes' scores; "" = the only one
	Embedding     string     // value [n, width] to keep for albums; "" = what the last product before the scores reads
	Probabilities bool       // the scores are softmaxed already
	Mean, Std     [3]float64 // of pixels from 0 to 1, in the order of Colour
	Crop          float64    // side of the centre square ÷ shorter side
	Colour        string     // RGB or BGR
	TopK          int        // classes of an answer, at most
}

// Wrapped is what was made.
type Wrapped struct {
	Out     string `json:"out"`
	Classes int    `json:"classes"`
	Cells   int    `json:"cells"`
	Gallery bool   `json:"gallery"` // the classes are points, whose probabilities are added up by cell
	Size    int    `json:"size"`    // side of the picture
	Width   int    `json:"width"`   // of the embedding
	Layer   string `json:"embedding"`
}

// Wrap makes the bundle, whole or not at all. Errors: ErrNetwork, ErrClasses, ErrOut, infer.ErrGraph, infer.ErrLibrary, and ctx's.
func Wrap(ctx context.Context, o Options) (Wrapped, error) {
	if _, err := os.Lstat(o.Out); !errors.Is(err, fs.ErrNotExist) {
		return Wrapped{}, fmt.Errorf("%w: %s is there already; name a new folder", ErrOut, o.Out)
	}
	table, err := readClasses(o.Classes)
	if err != nil {
		return Wrapped{}, err
	}
	part := o.Out + ".part"
	if err := errors.Join(os.RemoveAll(part), os.MkdirAll(filepath.Join(part, "golden"), 0o755)); err != nil {
		return Wrapped{}, fmt.Errorf("%w: %w", ErrOut, err)
	}
	b := &making{Options: o, dir: part, table: table, Wrapped: Wrapped{Out: o.Out, Classes: len(table.rows), Gallery: !table.cells}}
	for _, step := range []func(context.Context) error{b.writeNetwork, b.writePlaces, b.writeCard, b.writeGolden} {
		if err == nil {
			err = ctx.Err()
		}
		if err == nil {
			err = step(ctx)
		}
	}
	if err == nil {
		if err = os.Rename(part, o.Out); err != nil {
			err = fmt.Errorf("%w: %w", ErrOut, err)
		}
	}
	if err != nil {
		return Wrapped{}, errors.Join(err, os.RemoveAll(part))
	}
	return b.Wrapped, nil
}

// making is a bundle that is being made.
type making struct {
	Options
	Wrapped
	dir   string
	table classes
	topK  int
}

func (b *making) path(name string) string { return filepath.Join(b.dir, filepath.FromSlash(name)) }

// writeNetwork writes cnn.onnx.
func (b *making) writeNetwork(context.Context) error {
	n, err := b.readNetwork()
	if err != nil {
		return err
	}
	library, err := infer.FindLibrary(b.Library)
	if err != nil {
		return err
	}
	runtime, err := infer.Open(library)
	if err != nil {
		return err
	}
	defer runtime.Close()
	if err := b.look(runtime, n); err != nil {
		return fmt.Errorf("%s: %w", b.Model, err)
	}
	b.topK = min(b.TopK, n.classes)
	// First with an embedding of unknown length, which the runtime finds.
	for b.Width = 0; ; {
		whole, err := n.assembled(b.Options, b.table.order(), b.topK, b.Width)
		if err == nil {
			err = os.WriteFile(b.path("cnn.onnx"), whole, 0o644)
		}
		if err != nil || b.Width > 0 {
			return err
		}
		if b.Width, err = b.widthOf(runtime, n); err != nil {
			return fmt.Errorf("%s: %w", b.Model, err)
		}
	}
}

func (b *making) readNetwork() (*network, error) {
	info, err := os.Stat(b.Model)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNetwork, err)
	}
	if info.Size() >= mostBytes-(1<<20) {
		return nil, fmt.Errorf("%w: %s has %d bytes, more than one file of this kind may have; train/wrap.py takes it", ErrNetwork, b.Model, info.Size())
	}
	n := &network{}
	if n.model, err = os.ReadFile(b.Model); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNetwork, err)
	}
	if err := n.parse(); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrNetwork, b.Model, err)
	}
	if n.opset < leastOpset {
		return nil, fmt.Errorf("%w: %s has opset %d, want %d or later; onnx.version_converter raises it", ErrNetwork, b.Model, n.opset, leastOpset)
	}
	return n, nil
}

// look compares the network's input and outputs with what can be wrapped, and with the table.
func (b *making) look(runtime *infer.Runtime, n *network) error {
	inputs, outputs, err := runtime.Inspect(b.Model)
	if err != nil {
		return err
	}
	if len(inputs) != 1 || inputs[0].Type != "float32" || len(inputs[0].Shape) != 4 {
		return fmt.Errorf("%w: its inputs are %v, want one float32[any 3 size size] or float32[any size size 3]", ErrNetwork, inputs)
	}
	n.input = inputs[0]
	shape := n.input.Shape
	n.planes = shape[1] == 3
	n.size = int(shape[2])
	if other := map[bool]int64{true: shape[3], false: shape[1]}[n.planes]; other != shape[2] || n.size < 1 || !n.planes && shape[3] != 3 {
		return fmt.Errorf("%w: its input is %v, want float32[any 3 size size] or float32[any size size 3] with a known size", ErrNetwork, n.input)
	}
	if shape[0] > 0 {
		return fmt.Errorf("%w: its input takes exactly %d photos; export the model with an open first dimension", ErrNetwork, shape[0])
	}
	at := slices.IndexFunc(outputs, func(t infer.TensorInfo) bool { return t.Name == b.Scores })
	if b.Scores == "" && len(outputs) == 1 {
		at = 0
	}
	if at < 0 {
		return fmt.Errorf("%w: its outputs are %v; say with --scores which are the classes'", ErrNetwork, outputs)
	}
	n.scores = outputs[at]
	b.Size = n.size
	return b.count(n)
}

// count compares the number of classes of the network with that of the table, and chooses the embedding.
func (b *making) count(n *network) (err error) {
	if shape := n.scores.Shape; n.scores.Type != "float32" || len(shape) != 2 || shape[1] < 1 {
		return fmt.Errorf("%w: its scores are %v, want float32[any classes] with a known number of classes", ErrNetwork, n.scores)
	}
	if n.classes = int(n.scores.Shape[1]); n.classes != len(b.table.rows) {
		return fmt.Errorf("%w: it has %d classes, %s has %d", ErrNetwork, n.classes, b.Options.Classes, len(b.table.rows))
	}
	if n.layer = b.Embedding; n.layer == "" {
		n.layer, err = n.lastLayer()
	} else if _, made := n.made[n.layer]; !made {
		err = fmt.Errorf("%w: no step of it makes a value %q, which --embedding names", ErrNetwork, n.layer)
	}
	b.Layer = n.layer
	return err
}

// widthOf is the length of an embedding, as the runtime infers it.
func (b *making) widthOf(runtime *infer.Runtime, n *network) (int, error) {
	_, outputs, err := runtime.Inspect(b.path("cnn.onnx"))
	if err != nil {
		return 0, err
	}
	layer := outputs[slices.IndexFunc(outputs, func(t infer.TensorInfo) bool { return t.Name == embedding })]
	if len(layer.Shape) != 2 || layer.Shape[1] < 1 || layer.Type != "float32" {
		return 0, fmt.Errorf("%w: value %s is %s%v, want float32 [any width]; choose another with --embedding", ErrNetwork, n.layer, layer.Type, layer.Shape)
	}
	return int(layer.Shape[1]), nil
}

// manifest is bundle.yaml of a network that nobody has measured: it abstains always, and its radii are the earth.
func (b *making) manifest() bundle.Manifest {
	const half, all = 10_007_600, 20_015_200 // metres around any point: half of the earth, and all of it
	unmeasured := bundle.Calibration{Temperature: 1, AbstainBelow: 1, Radius: []bundle.Radius{{Confidence: 0, P50: half, P90: all}}}
	m := bundle.Manifest{
		Name: b.Name, Version: b.Version, Licence: b.Licence, Summary: b.Summary, Head: bundle.HeadClasses,
		Input: bundle.Input{Size: b.Size, Crop: b.Crop, Colour: "rgb", Layout: "nhwc", Type: "uint8", Resize: "centre-crop bicubic antialiased"},
		CNN: bundle.CNN{
			File: "cnn.onnx", Input: pixels, Embedding: embedding, Prob: prob, Cell: class, Width: b.Width, TopK: b.topK, Buckets: []int{1, 2, 4, 8},
		},
		Album:             bundle.Album{Modes: []string{bundle.None, bundle.Average}, Default: bundle.Average},
		Cells:             bundle.Cells{File: "cells.parquet", Count: b.Cells},
		Calibration:       map[string]bundle.Calibration{bundle.Single: unmeasured, bundle.Average: unmeasured},
		PrecisionCapLevel: LevelCap, Golden: goldenName,
	}
	if b.Gallery {
		m.Head, m.Gallery = bundle.HeadGallery, bundle.Gallery{File: "gallery.parquet", Count: b.Wrapped.Classes}
	}
	return m
}
