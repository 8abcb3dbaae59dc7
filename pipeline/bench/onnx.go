package bench

import (
	"fmt"

	"planetag/enrich/bundle"
	"planetag/enrich/onnx"
)

// nullNetwork has the inputs and outputs of a network and answers every photo with ones, the first cells, and one
// probability for all of them.
func nullNetwork(size int, c bundle.CNN, probability float32) []byte {
	ones, probabilities, rows := make([]float32, c.Width), make([]float32, c.TopK), make([]int64, c.TopK)
	for i := range ones {
		ones[i] = 1
	}
	for i := range rows {
		probabilities[i], rows[i] = probability, int64(i)
	}
	g := onnx.Message{}.Text(onnx.GraphName, "null")
	g = g.Bytes(onnx.GraphNode, onnx.Node("Shape", []string{c.Input}, []string{"shape"}))
	g = g.Bytes(onnx.GraphNode, onnx.Node("Gather", []string{"shape", "first"}, []string{"photos"}))
	g = g.Bytes(onnx.GraphTensor, onnx.Tensor[int64]("first", []int{1}, 0))
	g = g.Bytes(onnx.GraphTensor, onnx.Tensor[int64]("one", []int{1}, 1))
	g = g.Bytes(onnx.GraphNode, onnx.Node("Concat", []string{"photos", "one"}, []string{"as many"}, onnx.Int("axis", 0)))
	for _, out := range []struct {
		name string
		kind int
		data onnx.Message
		n    int
	}{
		{c.Embedding, onnx.Float, onnx.Tensor(c.Embedding+" of one", []int{1, c.Width}, ones...), c.Width},
		{c.Prob, onnx.Float, onnx.Tensor(c.Prob+" of one", []int{1, c.TopK}, probabilities...), c.TopK},
		{c.Cell, onnx.Int64, onnx.Tensor(c.Cell+" of one", []int{1, c.TopK}, rows...), c.TopK},
	} {
		g = g.Bytes(onnx.GraphTensor, out.data)
		g = g.Bytes(onnx.GraphNode, onnx.Node("Expand", []string{out.name + " of one", "as many"}, []string{out.name}))
		g = g.Bytes(onnx.GraphOutput, onnx.Value(out.name, out.kind, 0, out.n))
	}
	g = g.Bytes(onnx.GraphInput, onnx.Value(c.Input, onnx.Uint8, 0, size, size, 3))
	m := onnx.Message{}.Number(onnx.ModelIR, 8).Bytes(onnx.ModelGraph, g)
	return m.Bytes(onnx.ModelOpset, onnx.Message{}.Text(1, "").Number(2, 17))
}

// renamed is a model whose input has another name.
func renamed(model []byte, from, to string) ([]byte, error) {
	name := func(v []byte) ([]byte, error) {
		if string(v) == from {
			return []byte(to), nil
		}
		return v, nil
	}
	input := func(v []byte) ([]byte, error) { return onnx.Edit(v, onnx.Edits{1: name}) }
	graph := func(v []byte) ([]byte, error) {
		return onnx.Edit(v, onnx.Edits{onnx.GraphNode: input, onnx.GraphInput: input})
	}
	out, err := onnx.Edit(model, onnx.Edits{onnx.ModelGraph: graph})
	if err != nil {
		return nil, fmt.Errorf("%w: read model: %w", ErrBench, err)
	}
	return out, nil
}
