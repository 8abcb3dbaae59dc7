package infer

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	ort "github.com/yalue/onnxruntime_go"
)

// ErrGraph says that a graph cannot be loaded or is not the one asked for. The
// message names the file and, for a difference, both sides.
var ErrGraph = errors.New("graph is not usable")

// TensorInfo describes one input or output of a graph.
type TensorInfo struct {
	Name  string
	Type  string  // uint8, int64, float32, …
	Shape []int64 // -1 where the graph takes any size
}

func (t TensorInfo) String() string {
	dims := make([]string, len(t.Shape))
	for i, d := range t.Shape {
		if dims[i] = fmt.Sprint(d); d < 0 {
			dims[i] = "any"
		}
	}
	return fmt.Sprintf("%s %s[%s]", t.Name, t.Type, strings.Join(dims, " "))
}

// Inspect lists the inputs and outputs of the graph in a file, in the graph's
// order. Every refusal is ErrGraph.
func (r *Runtime) Inspect(path string) (inputs, outputs []TensorInfo, err error) {
	r.opening.Lock()
	defer r.opening.Unlock()
	// A session that is thrown away at once is not worth optimising.
	options, err := sessionOptions(ort.GraphOptimizationLevelDisableAll)
	if err != nil {
		return nil, nil, err
	}
	defer options.Destroy()
	in, out, err := ort.GetInputOutputInfoWithOptions(path, options)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %s: %w", ErrGraph, path, err)
	}
	return infosOf(in), infosOf(out), nil
}

func infosOf(list []ort.InputOutputInfo) []TensorInfo {
	infos := make([]TensorInfo, len(list))
	for i, t := range list {
		infos[i] = TensorInfo{Name: t.Name, Type: "not a tensor"}
		if t.OrtValueType == ort.ONNXTypeTensor {
			infos[i].Type = typeName(t.DataType)
			infos[i].Shape = t.Dimensions.Clone()
		}
	}
	return infos
}

// typeName turns ONNX_TENSOR_ELEMENT_DATA_TYPE_FLOAT into Go's float32.
func typeName(t ort.TensorElementDataType) string {
	name := strings.ToLower(strings.TrimPrefix(t.String(), "ONNX_TENSOR_ELEMENT_DATA_TYPE_"))
	switch name {
	case "float":
		return "float32"
	case "double":
		return "float64"
	}
	return name
}

// open marks a dimension the graph must leave open.
const open = -1

// want is what a tensor of a graph must look like. A dimension that is open
// must be open; any other must have that size, or be left open by an exporter
// that could not prove it (the warm-up run then settles it).
type want struct {
	kind string // "input" or "output"
	TensorInfo
}

// checkGraph compares a graph with what its runner is going to feed and read.
func (r *Runtime) checkGraph(path string, wants []want) error {
	inputs, outputs, err := r.Inspect(path)
	if err != nil {
		return err
	}
	var errs []error
	fed := 0
	for _, w := range wants {
		have := outputs
		if w.kind == "input" {
			have = inputs
			fed++
		}
		if err := w.in(have); err != nil {
			errs = append(errs, err)
		}
	}
	if len(inputs) != fed {
		return fmt.Errorf("%w: %s has %d inputs %v, want %d", ErrGraph, path, len(inputs), inputs, fed)
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrGraph, path, err)
	}
	return nil
}

func (w want) in(have []TensorInfo) error {
	i := slices.IndexFunc(have, func(t TensorInfo) bool { return t.Name == w.Name })
	if i < 0 {
		return fmt.Errorf("no %s %q, the graph has %v", w.kind, w.Name, have)
	}
	same := func(got, want int64) bool { return got == want || want != open && got < 0 }
	if got := have[i]; got.Type != w.Type || !slices.EqualFunc(got.Shape, w.Shape, same) {
		return fmt.Errorf("%s is %v, want %v", w.kind, got, w.TensorInfo)
	}
	return nil
}

// classesProperty is the metadata property in which a graph says how many
// classes it was trained for. TopK hides that number from its shapes.
const classesProperty = "geo.cells"

// checkClasses compares the graph's own word with the number of cells, if it
// gives one and anybody wants to know.
func (s *session) checkClasses(classes int) error {
	metadata, err := s.graph.GetModelMetadata()
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrGraph, s.path, err)
	}
	defer metadata.Destroy()
	says, ok, err := metadata.LookupCustomMetadataMap(classesProperty)
	if err != nil {
		return fmt.Errorf("%w: %s: %w", ErrGraph, s.path, err)
	}
	if ok && classes != 0 && says != strconv.Itoa(classes) {
		return fmt.Errorf("%w: %s: the graph was made for %s cells, the bundle has %d", ErrGraph, s.path, says, classes)
	}
	return nil
}
