package infer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	ort "github.com/yalue/onnxruntime_go"
)

// AlbumSpec says what the graph of the album model must look like.
type AlbumSpec struct {
	Path  string
	Input string // float32 [N,T,Width], N and T open
	Width int
	Gaps  string // float32 [N,T]; "" = the graph has no such input
	Prob  string // float32 [N,T,TopK]
	Cell  string // int64 [N,T,TopK]
	TopK  int

	Classes int // rows of the cells file; 0 = not compared
}

// Album is the model that reads the embeddings of one album in capture order.
// It may be used by any number of goroutines.
type Album struct {
	*session
	spec AlbumSpec
}

// OpenAlbum loads the album model, refuses a graph that is not the one
// specified (ErrGraph) and runs albums of one and two photos once.
func (r *Runtime) OpenAlbum(spec AlbumSpec) (*Album, error) {
	width, k := int64(spec.Width), int64(spec.TopK)
	inputs := []string{spec.Input}
	wants := []want{
		{"input", TensorInfo{spec.Input, "float32", []int64{open, open, width}}},
		{"output", TensorInfo{spec.Prob, "float32", []int64{open, open, k}}},
		{"output", TensorInfo{spec.Cell, "int64", []int64{open, open, k}}},
	}
	if spec.Gaps != "" {
		inputs = append(inputs, spec.Gaps)
		wants = append(wants, want{"input", TensorInfo{spec.Gaps, "float32", []int64{open, open}}})
	}
	if err := r.checkGraph(spec.Path, wants); err != nil {
		return nil, err
	}
	s, err := r.openSession(spec.Path, inputs, []string{spec.Prob, spec.Cell}, spec.Classes, nil)
	if err != nil {
		return nil, err
	}
	a := &Album{session: s, spec: spec}
	blank := make([]float32, spec.Width)
	for _, photos := range []int{1, 2} {
		if _, err := a.Run(context.Background(), slices.Repeat([][]float32{blank}, photos), make([]float32, photos)); err != nil {
			return nil, errors.Join(fmt.Errorf("%w: first run with %d photos: %w", ErrGraph, photos, err), a.Close())
		}
	}
	return a, nil
}

// Run is the model's output at each photo of the sequence. Gaps, one a photo, are
// ln(1+s) of the s seconds since the photo before: 0 for the first photo, -1
// where one of the two times is not known. A graph without that input does not
// read them. When ctx ends the computation stops within one operator and the
// error is ctx's.
func (a *Album) Run(ctx context.Context, sequence [][]float32, gaps []float32) ([]Output, error) {
	if len(sequence) == 0 {
		return nil, nil
	}
	if len(gaps) != len(sequence) {
		return nil, fmt.Errorf("run %s: %d gaps for %d embeddings", a.path, len(gaps), len(sequence))
	}
	for i, e := range sequence {
		if len(e) != a.spec.Width {
			return nil, fmt.Errorf("run %s: embedding %d is %d wide, want %d", a.path, i, len(e), a.spec.Width)
		}
	}
	var outputs []Output
	n, k := len(sequence), a.spec.TopK
	bytes := room(n*a.spec.Width, 4) + room(n, 4) + room(n*k, 4) + room(n*k, 8)
	err := a.do(bytes, func(memory *slab) (err error) {
		outputs, err = a.runSequence(ctx, memory, sequence, gaps)
		return err
	})
	return outputs, err
}

func (a *Album) runSequence(ctx context.Context, memory *slab, sequence [][]float32, gaps []float32) ([]Output, error) {
	steps, width, k := int64(len(sequence)), int64(a.spec.Width), int64(a.spec.TopK)
	input, embeddings, err := tensor[float32](memory, 1, steps, width)
	if err != nil {
		return nil, err
	}
	defer input.Destroy()
	gap, since, err := tensor[float32](memory, 1, steps)
	if err != nil {
		return nil, err
	}
	defer gap.Destroy()
	prob, probs, err := tensor[float32](memory, 1, steps, k)
	if err != nil {
		return nil, err
	}
	defer prob.Destroy()
	cell, cells, err := tensor[int64](memory, 1, steps, k)
	if err != nil {
		return nil, err
	}
	defer cell.Destroy()

	for i, e := range sequence {
		copy(rowOf(embeddings, i, a.spec.Width), e)
	}
	copy(since, gaps)
	inputs := []ort.Value{input, gap}
	if a.spec.Gaps == "" {
		inputs = inputs[:1]
	}
	if err := a.run(ctx, inputs, []ort.Value{prob, cell}); err != nil {
		return nil, err
	}
	return a.outputs(probs, cells, len(sequence)), nil
}

// outputs copies what the graph wrote out of the slab.
func (a *Album) outputs(probs []float32, cells []int64, photos int) []Output {
	outputs := make([]Output, photos)
	for i := range outputs {
		outputs[i] = Output{
			Prob: slices.Clone(rowOf(probs, i, a.spec.TopK)),
			Cell: slices.Clone(rowOf(cells, i, a.spec.TopK)),
		}
	}
	return outputs
}

// Close waits for the runs in progress, unloads the graph and returns its
// memory to the operating system. Later runs fail with ErrClosed.
func (a *Album) Close() error { return a.close() }
