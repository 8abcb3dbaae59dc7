package onnx

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"google.golang.org/protobuf/encoding/protowire"
)

// ErrModel marks bytes that are no ONNX model.
var ErrModel = errors.New("no usable ONNX model")

// The fields that are written or changed, by their numbers in onnx.proto.
const (
	ModelIR, ModelGraph, ModelOpset, ModelProperty                               = 1, 7, 8, 14
	GraphNode, GraphName, GraphTensor, GraphInput, GraphOutput, GraphSparse      = 1, 2, 5, 11, 12, 15
	NodeInput, NodeOutput, NodeOp, nodeAttribute                                 = 1, 2, 4, 5
	ValueName, valueType                                                         = 1, 2
	TensorName, TensorPlace                                                      = 8, 14
	OpsetDomain, OpsetVersion, PropertyKey, PropertyValue, attributeInt, intKind = 1, 2, 1, 2, 3, 2
)

// The types of elements.
const (
	Float, Uint8, Int64 = 1, 2, 7
)

// Message is a protocol buffer being written.
type Message []byte

// Bytes adds a field of bytes, which may be a message.
func (m Message) Bytes(field protowire.Number, v []byte) Message {
	return protowire.AppendBytes(protowire.AppendTag(m, field, protowire.BytesType), v)
}

// Text adds a field of text.
func (m Message) Text(field protowire.Number, v string) Message { return m.Bytes(field, []byte(v)) }

// Number adds a field of a whole number.
func (m Message) Number(field protowire.Number, v int) Message {
	return protowire.AppendVarint(protowire.AppendTag(m, field, protowire.VarintType), uint64(v))
}

// Node is a step of a graph.
func Node(op string, inputs, outputs []string, attributes ...Message) Message {
	var n Message
	for _, in := range inputs {
		n = n.Text(NodeInput, in)
	}
	for _, out := range outputs {
		n = n.Text(NodeOutput, out)
	}
	n = n.Text(NodeOp, op)
	for _, a := range attributes {
		n = n.Bytes(nodeAttribute, a)
	}
	return n
}

// Int is a node's attribute that is a whole number.
func Int(name string, v int) Message {
	return Message{}.Text(1, name).Number(attributeInt, v).Number(20, intKind)
}

// Ints is a node's attribute that is a list of whole numbers.
func Ints(name string, list ...int) Message {
	const field, kind = 8, 7
	m := Message{}.Text(1, name)
	for _, v := range list {
		m = m.Number(field, v)
	}
	return m.Number(20, kind)
}

// Tensor is a constant: of float32 or int64, as data says. No dimensions make a scalar.
func Tensor[T float32 | int64](name string, shape []int, data ...T) Message {
	var t Message
	for _, n := range shape {
		t = t.Number(1, n)
	}
	var raw []byte
	kind := Float
	for _, x := range data {
		switch v := any(x).(type) {
		case int64:
			kind, raw = Int64, binary.LittleEndian.AppendUint64(raw, uint64(v))
		case float32:
			raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(v))
		}
	}
	return t.Number(2, kind).Text(TensorName, name).Bytes(9, raw)
}

// Value is a graph's input or output; a length of 0 is open.
func Value(name string, kind int, shape ...int) Message {
	var dims Message
	for _, n := range shape {
		d := Message{}.Text(2, "n")
		if n > 0 {
			d = Message{}.Number(1, n)
		}
		dims = dims.Bytes(1, d)
	}
	return Message{}.Text(ValueName, name).Bytes(valueType, Message{}.Bytes(1, Message{}.Number(1, kind).Bytes(2, dims)))
}

// Untold is an output whose lengths the runtime shall find.
func Untold(name string, kind int) Message {
	return Message{}.Text(ValueName, name).Bytes(valueType, Message{}.Bytes(1, Message{}.Number(1, kind)))
}

// Field is one field of a message, as it stands in Whole.
type Field struct {
	Number protowire.Number
	Whole  []byte
	Bytes  []byte // of a field of bytes; else nil
	Int    int    // of a field of a whole number
}

// Each calls do for every field of a message. Errors: ErrModel, and those of do.
func Each(m []byte, do func(Field) error) error {
	for len(m) > 0 {
		number, kind, head := protowire.ConsumeTag(m)
		if head < 0 {
			return fmt.Errorf("%w: %w", ErrModel, protowire.ParseError(head))
		}
		body := protowire.ConsumeFieldValue(number, kind, m[head:])
		if body < 0 {
			return fmt.Errorf("%w: %w", ErrModel, protowire.ParseError(body))
		}
		f := Field{Number: number, Whole: m[:head+body]}
		switch kind {
		case protowire.BytesType:
			v, _ := protowire.ConsumeBytes(m[head:])
			f.Bytes = v[:len(v):len(v)]
		case protowire.VarintType:
			v, _ := protowire.ConsumeVarint(m[head:])
			f.Int = int(v)
		}
		if err := do(f); err != nil {
			return err
		}
		m = m[head+body:]
	}
	return nil
}

// Edits change the bytes of the fields with these numbers.
type Edits map[protowire.Number]func([]byte) ([]byte, error)

// Edit writes a message again, with some of its fields of bytes changed. Errors: ErrModel, and those of the edits.
func Edit(m []byte, edits Edits) ([]byte, error) {
	var out Message
	err := Each(m, func(f Field) error {
		edit, wanted := edits[f.Number]
		if !wanted || f.Bytes == nil {
			out = append(out, f.Whole...)
			return nil
		}
		v, err := edit(f.Bytes)
		out = out.Bytes(f.Number, v)
		return err
	})
	return out, err
}
