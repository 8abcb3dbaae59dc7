package infer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"
)

// CNNSpec says what the graph of the network must look like.
type CNNSpec struct {
	Path    string
	Input   string // uint8 [N,Size,Size,3], N open
	Size    int
	Prob    string // float32 [N,TopK]
	Cell    string // int64 [N,TopK]
	TopK    int
	Buckets []int // batch sizes to choose from, ascending from 1

	Embedding string // float32 [N,Width]
	Width     int

	Classes int // rows of the cells file, or of the gallery; 0 = not compared

	Device Device // where it runs
}

// Output is what a graph says of one photo.
type Output struct {
	Embedding []float32 // nil from the album model
	Prob      []float32 // TopK probabilities, greatest first
	Cell      []int64   // the row of the cells file, or of the gallery, of each
}

// CNN is the network that sees one photo. It may be used by any number of
// goroutines; each call runs on its caller's thread.
type CNN struct {
	*session
	spec  CNNSpec
	sizes ceiling
	where Placement
	gpu   bool
	piece int     // photos that are computed at once on a CPU, see cheapest
	cost  float64 // nanoseconds of a photo in such a piece
}

// OpenCNN loads the network, refuses a graph that is not the one specified
// (ErrGraph) or cannot run on the device asked for (ErrDevice), and runs every
// batch size a few times, to find the cheapest and so that no photo pays for the
// first.
func (r *Runtime) OpenCNN(spec CNNSpec) (*CNN, error) {
	size, width, k := int64(spec.Size), int64(spec.Width), int64(spec.TopK)
	err := r.checkGraph(spec.Path, []want{
		{"input", TensorInfo{spec.Input, "uint8", []int64{open, size, size, 3}}},
		{"output", TensorInfo{spec.Embedding, "float32", []int64{open, width}}},
		{"output", TensorInfo{spec.Prob, "float32", []int64{open, k}}},
		{"output", TensorInfo{spec.Cell, "int64", []int64{open, k}}},
	})
	if err != nil {
		return nil, err
	}
	var c *CNN
	where, err := r.place(spec.Device, func(d Device, whole bool) (err error) {
		c, err = r.openCNN(spec, d, whole)
		return err
	})
	if err != nil {
		return nil, err
	}
	c.where = where
	return c, nil
}

// openCNN opens the network on one device.
func (r *Runtime) openCNN(spec CNNSpec, d Device, whole bool) (*CNN, error) {
	outputs := []string{spec.Embedding, spec.Prob, spec.Cell}
	s, err := r.openSession(spec.Path, []string{spec.Input}, outputs, spec.Classes, func(options *ort.SessionOptions) error {
		return d.attach(options, whole, spec.Input, spec.Size, spec.Buckets)
	})
	if err != nil {
		return nil, err
	}
	c := &CNN{session: s, spec: spec, sizes: ceiling{buckets: spec.Buckets}, gpu: d.Provider != ProviderCPU}
	if c.piece, err = c.cheapest(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: first run: %w", ErrGraph, err), c.Close())
	}
	return c, nil
}

// Placement is where the network runs.
func (c *CNN) Placement() Placement { return c.where }

// Ceiling is the most photos of one call that the device has had room for of
// late; 0 where it has had room for the largest batch.
func (c *CNN) Ceiling() int { return c.sizes.limit() }

// Piece is how many photos are computed at once on a CPU: the number that is
// cheapest here.
func (c *CNN) Piece() int { return c.piece }

// Cost is what a photo takes, in nanoseconds, as measured when the network was
// opened: of a core's time, or of a GPU's.
func (c *CNN) Cost() float64 { return c.cost }

// Run is the network's output for each photo, in order. Photos are row-major
// RGB of Size×Size pixels; their memory is not touched after Run returned. When
// ctx ends the computation stops within one operator and the error is ctx's. A
// batch that the device has no room for is run again in smaller ones; ErrMemory
// says that not even one photo found any.
func (c *CNN) Run(ctx context.Context, pixels [][]byte) ([]Output, error) {
	want := c.spec.Size * c.spec.Size * 3
	for i, p := range pixels {
		if len(p) != want {
			return nil, fmt.Errorf("run %s: photo %d has %d bytes, want %d", c.path, i, len(p), want)
		}
	}
	outputs := make([]Output, 0, len(pixels))
	for len(pixels) > 0 {
		photos, rows := c.next(len(pixels))
		err := c.do(c.room(rows), func(memory *slab) error {
			got, err := c.runPiece(ctx, memory, pixels[:photos], rows)
			outputs = append(outputs, got...)
			return err
		})
		switch {
		case outOfMemory(err) && c.sizes.lower(rows):
			continue // the same photos, fewer at a time
		case outOfMemory(err):
			return nil, fmt.Errorf("%w: %w", ErrMemory, err)
		case err != nil:
			return nil, err
		}
		c.sizes.fitted(rows)
		pixels = pixels[photos:]
	}
	return outputs, nil
}

func (c *CNN) room(n int) int {
	return room(n*c.spec.Size*c.spec.Size*3, 1) + room(n*c.spec.Width, 4) + room(n*c.spec.TopK, 4) + room(n*c.spec.TopK, 8)
}

func (c *CNN) runPiece(ctx context.Context, memory *slab, batch [][]byte, rows int) ([]Output, error) {
	n, width, k := int64(rows), int64(c.spec.Width), int64(c.spec.TopK)
	var pinned runtime.Pinner
	defer pinned.Unpin()
	input, err := c.input(memory, &pinned, batch, rows)
	if err != nil {
		return nil, err
	}
	defer input.Destroy()
	embedding, embeddings, err := tensor[float32](memory, n, width)
	if err != nil {
		return nil, err
	}
	defer embedding.Destroy()
	prob, probs, err := tensor[float32](memory, n, k)
	if err != nil {
		return nil, err
	}
	defer prob.Destroy()
	cell, cells, err := tensor[int64](memory, n, k)
	if err != nil {
		return nil, err
	}
	defer cell.Destroy()

	if err := c.run(ctx, []ort.Value{input}, []ort.Value{embedding, prob, cell}); err != nil {
		return nil, err
	}
	outputs := make([]Output, len(batch))
	for i := range outputs {
		outputs[i] = Output{
			Embedding: slices.Clone(rowOf(embeddings, i, c.spec.Width)),
			Prob:      slices.Clone(rowOf(probs, i, c.spec.TopK)),
			Cell:      slices.Clone(rowOf(cells, i, c.spec.TopK)),
		}
	}
	return outputs, nil
}

// input is the tensor of a batch. A photo alone is read where it lies, several
// are laid side by side.
func (c *CNN) input(memory *slab, pinned *runtime.Pinner, batch [][]byte, rows int) (*ort.Tensor[uint8], error) {
	shape := []int64{int64(rows), int64(c.spec.Size), int64(c.spec.Size), 3}
	if rows == 1 {
		pinned.Pin(unsafe.SliceData(batch[0])) // a slot is not Go's, and need not be; a caller's own buffer may be
		return view(batch[0], shape...)
	}
	input, pixels, err := tensor[uint8](memory, shape...)
	if err != nil {
		return nil, err
	}
	written := 0
	for _, photo := range batch {
		written += copy(pixels[written:], photo)
	}
	clear(pixels[written:]) // of a GPU's batch, where photos of an earlier one may be
	return input, nil
}

// Close waits for the runs in progress, unloads the graph and returns its
// memory to the operating system. Later runs fail with ErrClosed.
func (c *CNN) Close() error { return c.close() }

func rowOf[T any](table []T, i, width int) []T { return table[i*width : (i+1)*width] }
