package infer

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

func TestInspect(t *testing.T) {
	inputs, outputs, err := openRuntime(t).Inspect(tinySpec().Path)
	if err != nil {
		t.Fatal(err)
	}
	if want := []TensorInfo{{"pixels", "uint8", []int64{-1, 32, 32, 3}}}; !reflect.DeepEqual(inputs, want) {
		t.Errorf("inputs %v, want %v", inputs, want)
	}
	want := []TensorInfo{{"embedding", "float32", []int64{-1, 8}}, {"prob", "float32", []int64{-1, 3}}, {"cell", "int64", []int64{-1, 3}}}
	if !reflect.DeepEqual(outputs, want) {
		t.Errorf("outputs %v, want %v", outputs, want)
	}
}

func TestOpenCNNRefuses(t *testing.T) {
	r := openRuntime(t)
	broken := filepath.Join(t.TempDir(), "broken.onnx")
	if err := os.WriteFile(broken, []byte("graph"), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name   string
		change func(*CNNSpec)
		want   string
	}{
		{"a file that is not there", func(s *CNNSpec) { s.Path = "nowhere.onnx" }, "nowhere.onnx"},
		{"a file that is no graph", func(s *CNNSpec) { s.Path = broken }, "broken.onnx"},
		{"another name of the input", func(s *CNNSpec) { s.Input = "image" }, `no input "image", the graph has [pixels uint8[any 32 32 3]]`},
		{"another size", func(s *CNNSpec) { s.Size = 224 }, "input is pixels uint8[any 32 32 3], want pixels uint8[any 224 224 3]"},
		{"another name of an output", func(s *CNNSpec) { s.Prob = "scores" }, `no output "scores"`},
		{"another width", func(s *CNNSpec) { s.Width = 1280 }, "output is embedding float32[any 8], want embedding float32[any 1280]"},
		{"another number of cells", func(s *CNNSpec) { s.TopK = 5 }, "output is prob float32[any 3], want prob float32[any 5]"},
		{"another type", func(s *CNNSpec) { s.Prob, s.Cell = s.Cell, s.Prob }, "output is prob float32[any 3], want prob int64[any 3]"},
		{"another number of classes", func(s *CNNSpec) { s.Classes = 5 }, "the graph was made for 4 cells, the bundle has 5"},
		{"the album model in its place", func(s *CNNSpec) { s.Path = tinyAlbumSpec().Path }, `no input "pixels", the graph has [embeddings float32[any any 8]]`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := tinySpec()
			tt.change(&spec)
			c, err := r.OpenCNN(spec)
			if err == nil {
				_ = c.Close()
			}
			if !errors.Is(err, ErrGraph) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant ErrGraph with %s", err, tt.want)
			}
		})
	}
}

func TestOpenAlbumRefuses(t *testing.T) {
	r := openRuntime(t)
	tests := []struct {
		name   string
		change func(*AlbumSpec)
		want   string
	}{
		{"another width", func(s *AlbumSpec) { s.Width = 9 }, "input is embeddings float32[any any 8], want embeddings float32[any any 9]"},
		{"another output", func(s *AlbumSpec) { s.Cell = "class" }, `no output "class"`},
		{"another number of cells", func(s *AlbumSpec) { s.TopK = 4 }, "want prob float32[any any 4]"},
		{"another number of classes", func(s *AlbumSpec) { s.Classes = 3 }, "the graph was made for 4 cells, the bundle has 3"},
		{"gaps for a graph that takes none", func(s *AlbumSpec) { s.Gaps = "gaps" }, "1 inputs [embeddings float32[any any 8]], want 2"},
		{"a graph that takes gaps without them", func(s *AlbumSpec) { s.Path = "../testdata/gaps.onnx" }, "has 2 inputs"},
		{"the network in its place", func(s *AlbumSpec) { s.Path = tinySpec().Path }, `no input "embeddings"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			spec := tinyAlbumSpec()
			tt.change(&spec)
			a, err := r.OpenAlbum(spec)
			if err == nil {
				_ = a.Close()
			}
			if !errors.Is(err, ErrGraph) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v\nwant ErrGraph with %s", err, tt.want)
			}
		})
	}
}

func TestWantTakesWhatAnExporterLeftOpen(t *testing.T) {
	w := want{"output", TensorInfo{"prob", "float32", []int64{open, 3}}}
	for _, tt := range []struct {
		name  string
		shape []int64
		ok    bool
	}{
		{"as wanted", []int64{-1, 3}, true},
		{"a size left open", []int64{-1, -1}, true},
		{"a fixed batch", []int64{1, 3}, false},
		{"another size", []int64{-1, 4}, false},
		{"another rank", []int64{-1, 1, 3}, false},
	} {
		err := w.in([]TensorInfo{{"prob", "float32", tt.shape}})
		if (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
