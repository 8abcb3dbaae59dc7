package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"time"

	ort "github.com/yalue/onnxruntime_go"
	"golang.org/x/sys/unix"
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
	piece int     // photos that are computed at once, see cheapest
	cost  float64 // nanoseconds of processor time of a photo in such a piece
}

// OpenCNN loads the network, refuses a graph that is not the one specified
// (ErrGraph) and runs every batch size a few times, to find the cheapest and so
// that no photo pays for the first.
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
	s, err := r.openSession(spec.Path, []string{spec.Input}, []string{spec.Embedding, spec.Prob, spec.Cell}, spec.Classes)
	if err != nil {
		return nil, err
	}
	c := &CNN{session: s, spec: spec}
	if c.piece, err = c.cheapest(); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: first run: %w", ErrGraph, err), c.Close())
	}
	return c, nil
}

// Piece is how many photos are computed at once: the number that is cheapest here.
func (c *CNN) Piece() int { return c.piece }

// Cost is the processor time of a photo, in nanoseconds, as measured when the
// network was opened, alone on its core.
func (c *CNN) Cost() float64 { return c.cost }

// Run is the network's output for each photo, in order. Photos are row-major
// RGB of Size×Size pixels; their memory is not touched after Run returned. When
// ctx ends the computation stops within one operator and the error is ctx's.
func (c *CNN) Run(ctx context.Context, pixels [][]byte) ([]Output, error) {
	want := c.spec.Size * c.spec.Size * 3
	for i, p := range pixels {
		if len(p) != want {
			return nil, fmt.Errorf("run %s: photo %d has %d bytes, want %d", c.path, i, len(p), want)
		}
	}
	outputs := make([]Output, 0, len(pixels))
	for len(pixels) > 0 {
		batch := pixels[:min(c.piece, len(pixels))]
		pixels = pixels[len(batch):]
		err := c.do(c.room(len(batch)), func(memory *slab) error {
			got, err := c.runPiece(ctx, memory, batch)
			outputs = append(outputs, got...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return outputs, nil
}

// cheapest is the size of a piece: of the sizes that the bundle names the one that
// costs the least processor time a photo here. Small pieces stay in the cache, a
// wide head is read once for a whole piece; which of the two weighs more differs
// with graph and processor. A greater size wins a tie within the noise.
func (c *CNN) cheapest() (int, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const repeats, noise = 3, 1.02
	best, least := 1, math.Inf(1)
	for _, size := range c.spec.Buckets {
		photos := slices.Repeat([][]byte{make([]byte, c.spec.Size*c.spec.Size*3)}, size)
		c.piece = size
		took := math.Inf(1)
		for range repeats {
			began := threadTime()
			if _, err := c.Run(context.Background(), photos); err != nil {
				return 0, err
			}
			took = min(took, float64(threadTime()-began)/float64(size))
		}
		if took <= least*noise {
			best, least = size, min(took, least)
		}
	}
	c.cost = least
	return best, nil
}

// threadTime is what the calling thread has had of the processor.
func threadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return time.Duration(time.Now().UnixNano()) // a system without such a clock: the wall's
	}
	return time.Duration(t.Nano())
}

func (c *CNN) room(n int) int {
	return room(n*c.spec.Size*c.spec.Size*3, 1) + room(n*c.spec.Width, 4) + room(n*c.spec.TopK, 4) + room(n*c.spec.TopK, 8)
}

func (c *CNN) runPiece(ctx context.Context, memory *slab, batch [][]byte) ([]Output, error) {
	n, size, width, k := int64(len(batch)), int64(c.spec.Size), int64(c.spec.Width), int64(c.spec.TopK)
	input, pixels, err := tensor[uint8](memory, n, size, size, 3)
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

	written := 0
	for _, photo := range batch {
		written += copy(pixels[written:], photo)
	}
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

// Close waits for the runs in progress, unloads the graph and returns its
// memory to the operating system. Later runs fail with ErrClosed.
func (c *CNN) Close() error { return c.close() }

func rowOf[T any](table []T, i, width int) []T { return table[i*width : (i+1)*width] }
