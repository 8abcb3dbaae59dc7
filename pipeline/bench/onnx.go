package bench

import (
	"encoding/binary"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"

	"planetag/enrich/bundle"
)

// The few fields of ONNX that are written or changed here, by their numbers in onnx.proto.
const (
	modelGraph, modelOpset, modelIR                         = 7, 8, 1
	graphNode, graphName, graphTensor, graphInput, graphOut = 1, 2, 5, 11, 12
	nodeInput, nodeOutput, nodeOp                           = 1, 2, 4
	float, uint8s, int64s                                   = 1, 2, 7
)

// message is a protocol buffer being written.
type message []byte

func (m message) bytes(field protowire.Number, v []byte) message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), v)
}

func (m message) text(field protowire.Number, v string) message { return m.bytes(field, []byte(v)) }

func (m message) number(field protowire.Number, v int) message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(v))
}

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
	g := message{}.text(graphName, "null")
	g = g.bytes(graphNode, node("Shape", []string{c.Input}, "shape"))
	g = g.bytes(graphNode, node("Gather", []string{"shape", "first"}, "photos"))
	g = g.bytes(graphTensor, tensor("first", []int{1}, int64s, []int64{0}))
	g = g.bytes(graphTensor, tensor("one", []int{1}, int64s, []int64{1}))
	g = g.bytes(graphNode, node("Concat", []string{"photos", "one"}, "as many", axis(0)))
	for _, out := range []struct {
		name string
		kind int
		data any
		n    int
	}{{c.Embedding, float, ones, c.Width}, {c.Prob, float, probabilities, c.TopK}, {c.Cell, int64s, rows, c.TopK}} {
		g = g.bytes(graphTensor, tensor(out.name+" of one", []int{1, out.n}, out.kind, out.data))
		g = g.bytes(graphNode, node("Expand", []string{out.name + " of one", "as many"}, out.name))
		g = g.bytes(graphOut, value(out.name, out.kind, 0, out.n))
	}
	g = g.bytes(graphInput, value(c.Input, uint8s, 0, size, size, 3))
	m := message{}.number(modelIR, 8).bytes(modelGraph, g)
	return m.bytes(modelOpset, message{}.text(1, "").number(2, 17))
}

func node(op string, inputs []string, output string, attributes ...message) message {
	var n message
	for _, in := range inputs {
		n = n.text(nodeInput, in)
	}
	n = n.text(nodeOutput, output).text(nodeOp, op)
	for _, a := range attributes {
		n = n.bytes(5, a)
	}
	return n
}

// axis is the attribute of that name.
func axis(n int) message { return message{}.text(1, "axis").number(3, n).number(20, 2) }

func tensor(name string, shape []int, kind int, data any) message {
	var t message
	for _, n := range shape {
		t = t.number(1, n)
	}
	var raw []byte
	switch v := data.(type) {
	case []int64:
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint64(raw, uint64(x))
		}
	case []float32:
		for _, x := range v {
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(x))
		}
	}
	return t.number(2, kind).text(8, name).bytes(9, raw)
}

// value is a graph's input or output; a length of 0 is open.
func value(name string, kind int, shape ...int) message {
	var dims message
	for _, n := range shape {
		d := message{}.text(2, "n")
		if n > 0 {
			d = message{}.number(1, n)
		}
		dims = dims.bytes(1, d)
	}
	return message{}.text(1, name).bytes(2, message{}.bytes(1, message{}.number(1, kind).bytes(2, dims)))
}

// renamed is a model whose input has another name.
func renamed(model []byte, from, to string) ([]byte, error) {
	name := func(v []byte) ([]byte, error) {
		if string(v) == from {
			return []byte(to), nil
		}
		return v, nil
	}
	input := func(v []byte) ([]byte, error) { return edit(v, map[protowire.Number]editor{1: name}) }
	graph := func(v []byte) ([]byte, error) {
		return edit(v, map[protowire.Number]editor{graphNode: input, graphInput: input})
	}
	return edit(model, map[protowire.Number]editor{modelGraph: graph})
}

type editor func([]byte) ([]byte, error)

// edit writes a message again, with some of its fields of bytes changed.
func edit(m []byte, change map[protowire.Number]editor) ([]byte, error) {
	var out message
	for len(m) > 0 {
		field, kind, head := protowire.ConsumeTag(m)
		if head < 0 {
			return nil, fmt.Errorf("%w: read model: %w", ErrBench, protowire.ParseError(head))
		}
		body := protowire.ConsumeFieldValue(field, kind, m[head:])
		if body < 0 {
			return nil, fmt.Errorf("%w: read model: %w", ErrBench, protowire.ParseError(body))
		}
		f, wanted := change[field]
		if kind != protowire.BytesType || !wanted {
			out, m = append(out, m[:head+body]...), m[head+body:]
			continue
		}
		v, _ := protowire.ConsumeBytes(m[head:])
		v, err := f(v)
		if err != nil {
			return nil, err
		}
		out, m = out.bytes(field, v), m[head+body:]
	}
	return out, nil
}
