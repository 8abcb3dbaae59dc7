package wrap

import (
	"fmt"
	"slices"

	"planetag/enrich/infer"
	"planetag/enrich/onnx"
)

// The names of the bundle's input and outputs; the prefix keeps them apart from those of the classifier.
const (
	prefix    = "planetag/"
	pixels    = prefix + "pixels"
	embedding = prefix + "embedding"
	prob      = prefix + "prob"
	class     = prefix + "class"
)

const leastOpset = 13 // from which Softmax is over one axis

// network is a classifier, as bytes and as what must be known of it.
type network struct {
	model   []byte
	opset   int
	made    map[string]step // value → what makes it
	input   infer.TensorInfo
	scores  infer.TensorInfo
	layer   string // the value that is the embedding
	size    int    // side of the picture
	planes  bool   // [n, 3, size, size], not [n, size, size, 3]
	classes int
}

// step is a node.
type step struct {
	op     string
	inputs []string
}

// parse reads what the file says of itself, without its weights.
func (n *network) parse() error {
	n.made = map[string]step{}
	return onnx.Each(n.model, func(f onnx.Field) error {
		switch f.Number {
		case onnx.ModelGraph:
			return n.parseGraph(f.Bytes)
		case onnx.ModelOpset:
			domain, version := "", 0
			err := onnx.Each(f.Bytes, func(f onnx.Field) error {
				switch f.Number {
				case onnx.OpsetDomain:
					domain = string(f.Bytes)
				case onnx.OpsetVersion:
					version = f.Int
				}
				return nil
			})
			if domain == "" || domain == "ai.onnx" {
				n.opset = version
			}
			return err
		}
		return nil
	})
}

func (n *network) parseGraph(graph []byte) error {
	return onnx.Each(graph, func(f onnx.Field) error {
		switch f.Number {
		case onnx.GraphNode:
			return n.parseNode(f.Bytes)
		case onnx.GraphTensor:
			return onnx.Each(f.Bytes, func(f onnx.Field) error {
				if f.Number == onnx.TensorPlace && f.Int != 0 {
					return fmt.Errorf("%w: its weights lie in files beside it; train/wrap.py takes it", ErrNetwork)
				}
				return nil
			})
		}
		return nil
	})
}

func (n *network) parseNode(node []byte) error {
	var s step
	var outputs []string
	err := onnx.Each(node, func(f onnx.Field) error {
		switch f.Number {
		case onnx.NodeInput:
			s.inputs = append(s.inputs, string(f.Bytes))
		case onnx.NodeOutput:
			outputs = append(outputs, string(f.Bytes))
		case onnx.NodeOp:
			s.op = string(f.Bytes)
		}
		return nil
	})
	for _, out := range outputs {
		n.made[out] = s
	}
	return err
}

// lastLayer is what the last product before the scores reads: the last layer before the classes.
func (n *network) lastLayer() (string, error) {
	at, known := n.made[n.scores.Name]
	for ; known && len(at.inputs) > 0; at, known = n.made[at.inputs[0]] {
		if at.op == "Gemm" || at.op == "MatMul" {
			return at.inputs[0], nil
		}
	}
	return "", fmt.Errorf("%w: no product before the scores; say with --embedding which value is the last layer before the classes", ErrNetwork)
}

// assembled is the whole graph: pixels to the k most probable classes, numbered by their place in order. width 0 leaves the
// embedding's length to be found.
func (n *network) assembled(o Options, order []int, k, width int) ([]byte, error) {
	var graph onnx.Message
	for _, node := range n.before(o) {
		graph = graph.Bytes(onnx.GraphNode, node)
	}
	err := onnx.Each(n.model, func(f onnx.Field) error {
		if f.Number != onnx.ModelGraph {
			return nil
		}
		return onnx.Each(f.Bytes, func(f onnx.Field) error {
			if f.Number != onnx.GraphOutput && !(f.Number == onnx.GraphInput && named(f.Bytes) == n.input.Name) {
				graph = append(graph, f.Whole...)
			}
			return nil
		})
	})
	if err != nil {
		return nil, err
	}
	for _, node := range n.behind(o) {
		graph = graph.Bytes(onnx.GraphNode, node)
	}
	for _, t := range n.constants(o, order, k) {
		graph = graph.Bytes(onnx.GraphTensor, t)
	}
	layer := onnx.Value(embedding, onnx.Float, 0, width)
	if width == 0 {
		layer = onnx.Untold(embedding, onnx.Float)
	}
	graph = graph.Bytes(onnx.GraphInput, onnx.Value(pixels, onnx.Uint8, 0, n.size, n.size, 3)).Bytes(onnx.GraphOutput, layer).
		Bytes(onnx.GraphOutput, onnx.Value(prob, onnx.Float, 0, k)).Bytes(onnx.GraphOutput, onnx.Value(class, onnx.Int64, 0, k))
	out, err := onnx.Edit(n.model, onnx.Edits{onnx.ModelGraph: func([]byte) ([]byte, error) { return graph, nil }})
	property := func(key, value string) []byte {
		return onnx.Message{}.Text(onnx.PropertyKey, key).Text(onnx.PropertyValue, value)
	}
	whole := onnx.Message(out).Bytes(onnx.ModelProperty, property("geo.role", "cnn")).Bytes(onnx.ModelProperty, property("geo.schema", "1")).
		Bytes(onnx.ModelProperty, property("geo.cells", fmt.Sprint(len(order))))
	return whole, err
}

// named is the name of a graph's input or output.
func named(value []byte) string {
	name := ""
	_ = onnx.Each(value, func(f onnx.Field) error { // the graph was read before
		if f.Number == onnx.ValueName {
			name = string(f.Bytes)
		}
		return nil
	})
	return name
}

// before makes the classifier's input of pixels.
func (n *network) before(o Options) []onnx.Message {
	at := pixels
	var nodes []onnx.Message
	add := func(op, out string, inputs []string, attributes ...onnx.Message) {
		nodes = append(nodes, onnx.Node(op, inputs, []string{out}, attributes...))
		at = out
	}
	if o.Colour == BGR {
		add("Gather", prefix+"bgr", []string{at, prefix + "turned"}, onnx.Int("axis", 3))
	}
	if n.planes {
		add("Transpose", prefix+"planes", []string{at}, onnx.Ints("perm", 0, 3, 1, 2))
	}
	add("Cast", prefix+"bytes", []string{at}, onnx.Int("to", onnx.Float))
	add("Sub", prefix+"centred", []string{at, prefix + "mean"})
	add("Div", n.input.Name, []string{at, prefix + "std"})
	return nodes
}

// behind makes the bundle's outputs of the classifier's.
func (n *network) behind(o Options) []onnx.Message {
	scores := n.scores.Name
	var nodes []onnx.Message
	if o.Probabilities {
		nodes = append(nodes, onnx.Node("Log", []string{scores}, []string{prefix + "scores"}))
		scores = prefix + "scores"
	}
	return append(nodes,
		onnx.Node("Gather", []string{scores, prefix + "order"}, []string{prefix + "sorted"}, onnx.Int("axis", 1)),
		onnx.Node("Softmax", []string{prefix + "sorted"}, []string{prefix + "softmax"}, onnx.Int("axis", -1)),
		onnx.Node("TopK", []string{prefix + "softmax", prefix + "k"}, []string{prob, class}, onnx.Int("axis", -1)),
		onnx.Node("Identity", []string{n.layer}, []string{embedding}),
	)
}

// constants are what before and behind read.
func (n *network) constants(o Options, order []int, k int) []onnx.Message {
	shape := []int{3}
	if n.planes {
		shape = []int{3, 1, 1}
	}
	scaled := func(name string, v [3]float64) onnx.Message {
		const most = 255 // of a pixel; mean and deviation are of pixels from 0 to 1
		return onnx.Tensor(prefix+name, shape, float32(most*v[0]), float32(most*v[1]), float32(most*v[2]))
	}
	rows := make([]int64, len(order))
	for i, label := range order {
		rows[i] = int64(label)
	}
	list := []onnx.Message{
		scaled("mean", o.Mean), scaled("std", o.Std), onnx.Tensor(prefix+"order", []int{len(rows)}, rows...), onnx.Tensor(prefix+"k", []int{1}, int64(k)),
	}
	if o.Colour == BGR {
		list = append(list, onnx.Tensor[int64](prefix+"turned", []int{3}, 2, 1, 0))
	}
	return slices.Clip(list)
}
