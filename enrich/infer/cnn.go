package infer

import (
	"context"
	"errors"
	"fmt"
	"slices"

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
	Buckets []int // batch sizes to run with, ascending from 1

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
	spec CNNSpec
}

// OpenCNN loads the network, refuses a graph that is not the one specified
// (ErrGraph) and runs every bucket once, so that no photo pays for the first.
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
	black := make([]byte, spec.Size*spec.Size*3)
	for _, bucket := range spec.Buckets {
		if _, err := c.Run(context.Background(), slices.Repeat([][]byte{black}, bucket)); err != nil {
			return nil, errors.Join(fmt.Errorf("%w: first run with %d photos: %w", ErrGraph, bucket, err), c.Close())
		}
	}
	return c, nil
}

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
		bucket := bucketFor(c.spec.Buckets, len(pixels))
		batch := pixels[:min(bucket, len(pixels))]
		pixels = pixels[len(batch):]
		err := c.do(c.room(bucket), func(memory *slab) error {
			got, err := c.runBucket(ctx, memory, bucket, batch)
			outputs = append(outputs, got...)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	return outputs, nil
}

// bucketFor is the batch size to run next with n photos waiting: the smallest
// that holds all of them if at most a quarter of it would be padding, else the
// greatest that they fill. Buckets start at 1, so there always is one.
func bucketFor(buckets []int, n int) int {
	full := buckets[0]
	for _, b := range buckets {
		if b >= n && 4*(b-n) <= b {
			return b
		}
		if b <= n {
			full = b
		}
	}
	return full
}

// Padding is how many rows a call with n photos computes for nothing.
func Padding(buckets []int, n int) int {
	rows := 0
	for left := n; left > 0; {
		bucket := bucketFor(buckets, left)
		rows, left = rows+bucket, left-bucket
	}
	return rows - n
}

func (c *CNN) room(bucket int) int {
	return room(bucket*c.spec.Size*c.spec.Size*3, 1) + room(bucket*c.spec.Width, 4) +
		room(bucket*c.spec.TopK, 4) + room(bucket*c.spec.TopK, 8)
}

func (c *CNN) runBucket(ctx context.Context, memory *slab, bucket int, batch [][]byte) ([]Output, error) {
	n, size, width, k := int64(bucket), int64(c.spec.Size), int64(c.spec.Width), int64(c.spec.TopK)
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

	fill(pixels, batch)
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

// fill writes the batch and blackens the rest, which may still hold the photos
// of an earlier run.
func fill(pixels []byte, batch [][]byte) {
	written := 0
	for _, photo := range batch {
		written += copy(pixels[written:], photo)
	}
	clear(pixels[written:])
}

// Close waits for the runs in progress, unloads the graph and returns its
// memory to the operating system. Later runs fail with ErrClosed.
func (c *CNN) Close() error { return c.close() }

func rowOf[T any](table []T, i, width int) []T { return table[i*width : (i+1)*width] }
