package wrap

import (
	"bytes"
	"context"
	"errors"
	"image"
	"image/color"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"planetag/enrich"
	"planetag/enrich/infer"
	"planetag/enrich/onnx"
)

// The classes: of a red, a green and a blue picture, and of what is none of them. Their order is not that of S2.
const (
	tokens = "class_label,hex_id,imgs_per_cell\n3,47e67,13\n2,6b13,12\n1,132f7,11\n0,89c25,10\n"
	points = "class_label,lat,lon\n0,40.71,-74\n1,41.9,12.5\n2,-33.87,151.2\n3,48.86,2.35\n"
)

// where the classes are, roughly.
var where = [][2]float64{{40.7, -74.0}, {41.9, 12.5}, {-33.9, 151.2}, {48.9, 2.4}}

// made says what is wrong with a classifier of colours, if anything.
type made struct {
	batch, opset int
	last         bool   // colours come last, as TensorFlow has them
	outside      bool   // weights in a file of their own
	more         bool   // outputs
	product      string // the last step, where it is none
}

// classifier is the mean of each colour, times four rows of weights.
func classifier(m made) []byte {
	weights := []float32{9, 0, 0, 1, 0, 9, 0, 1, 0, 0, 9, 1}
	if m.opset == 0 {
		m.opset = 17
	}
	shape := []int{m.batch, 3, 16, 16}
	g := onnx.Message{}.Text(onnx.GraphName, "colours")
	if m.last {
		shape = []int{m.batch, 16, 16, 3}
		g = g.Bytes(onnx.GraphNode, onnx.Node("ReduceMean", []string{"photo"}, []string{"flat"}, onnx.Ints("axes", 1, 2), onnx.Int("keepdims", 0)))
	} else {
		g = g.Bytes(onnx.GraphNode, onnx.Node("GlobalAveragePool", []string{"photo"}, []string{"pooled"}))
		g = g.Bytes(onnx.GraphNode, onnx.Node("Flatten", []string{"pooled"}, []string{"flat"}))
	}
	product := "MatMul"
	inputs := []string{"flat", "weights"}
	if m.product != "" {
		product, inputs = m.product, []string{"flat"}
	}
	tensor := onnx.Tensor("weights", []int{3, 4}, weights...)
	if m.outside {
		tensor = tensor.Number(onnx.TensorPlace, 1)
	}
	g = g.Bytes(onnx.GraphNode, onnx.Node(product, inputs, []string{"prob"})).Bytes(onnx.GraphTensor, tensor)
	classes := map[bool]int{true: 3, false: 4}[m.product != ""]
	g = g.Bytes(onnx.GraphInput, onnx.Value("photo", onnx.Float, shape...)).Bytes(onnx.GraphOutput, onnx.Value("prob", onnx.Float, m.batch, classes))
	if m.more {
		g = g.Bytes(onnx.GraphOutput, onnx.Value("flat", onnx.Float, m.batch, 3))
	}
	return onnx.Message{}.Number(onnx.ModelIR, 8).Bytes(onnx.ModelGraph, g).
		Bytes(onnx.ModelOpset, onnx.Message{}.Text(onnx.OpsetDomain, "").Number(onnx.OpsetVersion, m.opset))
}

// options are those of a classifier and a table, which are written to a folder of the test.
func options(t *testing.T, model []byte, table string) Options {
	t.Helper()
	dir := t.TempDir()
	for name, data := range map[string][]byte{"model.onnx": model, "classes.csv": []byte(table)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Options{
		Model: filepath.Join(dir, "model.onnx"), Classes: filepath.Join(dir, "classes.csv"), Out: filepath.Join(dir, "out"),
		Name: "colours", Version: "1", Licence: "MIT", Std: [3]float64{1, 1, 1}, Crop: 1, Colour: RGB, TopK: 3,
	}
}

func needRuntime(t *testing.T) {
	t.Helper()
	if _, err := infer.FindLibrary(""); err != nil {
		if os.Getenv("PLANETAG_REQUIRE_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
}

func picture(t *testing.T, c color.Color) []byte {
	t.Helper()
	canvas := image.NewRGBA(image.Rect(0, 0, 64, 48))
	for y := range 48 {
		for x := range 64 {
			canvas.Set(x, y, c)
		}
	}
	var file bytes.Buffer
	if err := png.Encode(&file, canvas); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestAWrappedClassifierAnswers: what was wrapped says of a picture what the classifier says, in every form of classifier and table.
func TestAWrappedClassifierAnswers(t *testing.T) {
	needRuntime(t)
	red, green, blue := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 255, 0, 255}, color.RGBA{0, 0, 255, 255}
	tests := []struct {
		name   string
		model  made
		table  string
		change func(*Options)
		want   [3]int // the class of a red, a green and a blue picture
	}{
		{"cells", made{}, tokens, nil, [3]int{0, 1, 2}},
		{"places", made{}, points, nil, [3]int{0, 1, 2}},
		{"colours come last", made{last: true}, tokens, nil, [3]int{0, 1, 2}},
		{"blue comes first", made{}, tokens, func(o *Options) { o.Colour = BGR }, [3]int{2, 1, 0}},
		{"two outputs", made{more: true}, tokens, func(o *Options) { o.Scores = "prob" }, [3]int{0, 1, 2}},
		{"all is blue to it", made{}, tokens, func(o *Options) { o.Mean = [3]float64{0, 0, -2} }, [3]int{2, 2, 2}},
		{"nearly blind for red", made{}, tokens, func(o *Options) { o.Std = [3]float64{1e6, 1, 1}; o.Mean = [3]float64{0, -0.01, 0} }, [3]int{1, 1, 2}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, classifier(tt.model), tt.table)
			if tt.change != nil {
				tt.change(&o)
			}
			w, err := Wrap(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if w.Classes != 4 || w.Cells != 4 || w.Width != 3 || w.Layer != "flat" || w.Size != 16 {
				t.Errorf("%+v", w)
			}
			m, err := enrich.Load(t.Context(), enrich.Options{Bundle: o.Out})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			for i, c := range []color.Color{red, green, blue} {
				square := make([]byte, m.Info().InputBytes)
				if _, err := m.Decode(t.Context(), picture(t, c), square); err != nil {
					t.Fatal(err)
				}
				sights, err := m.Embed(t.Context(), [][]byte{square})
				if err != nil {
					t.Fatal(err)
				}
				a := m.Answer("single", sights[0].Top)
				if !a.Abstained {
					t.Error("answers, though nobody has measured it")
				}
				if want := where[tt.want[i]]; enrich.DistanceMetres(a.Lat, a.Lon, want[0], want[1]) > 100e3 {
					t.Errorf("picture %d: %v, %v, want class %d", i, a.Lat, a.Lon, tt.want[i])
				}
			}
		})
	}
}

func TestWhatCannotBeWrapped(t *testing.T) {
	needRuntime(t)
	tests := []struct {
		name   string
		model  []byte
		table  string
		change func(*Options)
		want   error
		says   string
	}{
		{"classes of another number", classifier(made{}), "class_label,lat,lon\n0,1,1\n1,2,2\n", nil, ErrNetwork, "it has 4 classes, "},
		{"one photo at a time", classifier(made{batch: 1}), tokens, nil, ErrNetwork, "exactly 1 photos; export the model with an open first dimension"},
		{"old", classifier(made{opset: 12}), tokens, nil, ErrNetwork, "opset 12, want 13 or later; onnx.version_converter raises it"},
		{"weights elsewhere", classifier(made{outside: true}), tokens, nil, ErrNetwork, "train/wrap.py takes it"},
		{"two outputs", classifier(made{more: true}), tokens, nil, ErrNetwork, "say with --scores"},
		{"no product", classifier(made{product: "Tanh"}), "class_label,lat,lon\n0,1,1\n1,2,2\n2,3,3\n", nil, ErrNetwork, "say with --embedding"},
		{"no such value", classifier(made{}), tokens, func(o *Options) { o.Embedding = "last" }, ErrNetwork, `no step of it makes a value "last"`},
		{"no embedding", classifier(made{}), tokens, func(o *Options) { o.Embedding = "pooled" }, ErrNetwork, "value pooled is float32[-1 3 1 1], want float32 [any width]"},
		{"no model", []byte("a text"), tokens, nil, ErrNetwork, "no usable ONNX model"},
		{"folder is there", classifier(made{}), tokens, func(o *Options) { o.Out = filepath.Dir(o.Model) }, ErrOut, "name a new folder"},
		{"overlapping cells", classifier(made{}), "class_label,hex_id\n0,89c25\n1,89c24\n2,6b13\n3,47e67\n", nil, ErrClasses, "must not overlap"},
		{"no token", classifier(made{}), "class_label,hex_id\n0,89C2x\n", nil, ErrClasses, `line 2: cells are not usable: "89c2x" is not an S2 cell token`},
		{"twice", classifier(made{}), "class_label,hex_id\n0,89c25\n0,6b13\n", nil, ErrClasses, "each of 0 to 1 once"},
		{"not on the earth", classifier(made{}), "class_label,lat,lon\n0,95,1\n", nil, ErrClasses, `line 2: "95", "1" is no position on the earth`},
		{"no place", classifier(made{}), "class_label,name\n0,Rome\n", nil, ErrClasses, "want class_label, and hex_id or lat and lon"},
		{"no class", classifier(made{}), "class_label,lat,lon\n", nil, ErrClasses, "has no class"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, tt.model, tt.table)
			if tt.change != nil {
				tt.change(&o)
			}
			_, err := Wrap(t.Context(), o)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.says) {
				t.Errorf("%v, want %v with %q", err, tt.want, tt.says)
			}
			left, _ := filepath.Glob(filepath.Join(filepath.Dir(o.Model), "*out*"))
			if len(left) > 0 {
				t.Errorf("%v was left behind", left)
			}
		})
	}
}

func TestNothingIsLeftOfAnEndedRun(t *testing.T) {
	needRuntime(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o := options(t, classifier(made{}), tokens)
	if _, err := Wrap(ctx, o); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if left, _ := filepath.Glob(o.Out + "*"); len(left) > 0 {
		t.Errorf("%v was left behind", left)
	}
}

// TestTheClassifierOnDisk is what the tests of the command wrap; PLANETAG_UPDATE_GOLDEN=1 writes it anew.
func TestTheClassifierOnDisk(t *testing.T) {
	path := filepath.Join("testdata", "colours.onnx")
	if os.Getenv("PLANETAG_UPDATE_GOLDEN") == "1" {
		if err := os.WriteFile(path, classifier(made{}), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if there, err := os.ReadFile(path); err != nil || !bytes.Equal(there, classifier(made{})) {
		t.Errorf("%s is not what the tests make: %v", path, err)
	}
}
