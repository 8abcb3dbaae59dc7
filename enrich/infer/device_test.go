package infer

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	ort "github.com/yalue/onnxruntime_go"
	"pgregory.net/rapid"
)

func specOn(d Device) CNNSpec {
	spec := tinySpec()
	spec.Device = d
	return spec
}

func TestTheCPUsLibraryHasNoGPU(t *testing.T) {
	r := openRuntime(t)
	if r.provides(ProviderCUDA) {
		t.Skip("this library has CUDA")
	}
	for _, provider := range []string{ProviderCUDA, ProviderTensorRT} {
		_, err := r.OpenCNN(specOn(Device{Provider: provider, ID: 1}))
		if !errors.Is(err, ErrDevice) || !strings.Contains(err.Error(), provider+" 1") || !strings.Contains(err.Error(), "accelerator.provider") {
			t.Errorf("%s: %v", provider, err)
		}
	}
	for _, provider := range []string{"", ProviderAuto, ProviderCPU} {
		c := openCNN(t, specOn(Device{Provider: provider}))
		if got := c.Placement(); got != (Placement{Provider: ProviderCPU}) || got.OnGPU() {
			t.Errorf("%q: %v", provider, got)
		}
	}
}

// TestAGPULibraryThatCannotBeUsed is as good as none where nobody insists, and says why; the network answers.
func TestAGPULibraryThatCannotBeUsed(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "libonnxruntime.so")
	copyFile(t, library(t), path)
	touch(t, filepath.Join(dir, "libonnxruntime_providers_cuda.so"))
	touch(t, filepath.Join(dir, "libonnxruntime_providers_shared.so"))
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, r)
	if _, err := r.OpenCNN(specOn(Device{Provider: ProviderCUDA})); !errors.Is(err, ErrDevice) {
		t.Errorf("asked for: %v", err)
	}
	c, err := r.OpenCNN(specOn(Device{Provider: ProviderAuto}))
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, c)
	if got := c.Placement(); got.OnGPU() || !strings.HasPrefix(got.Note, "cuda 0: ") {
		t.Errorf("found: %v", got)
	}
	if _, err := c.Run(context.Background(), [][]byte{painted(32, 255, 0, 0)}); err != nil {
		t.Error(err)
	}
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	source, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	target, err := os.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(target, source)
	if err := errors.Join(err, target.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestPlaces: as a whole before in parts, in parts before the CPU, and the CPU only where nobody insists.
func TestPlaces(t *testing.T) {
	dir := t.TempDir()
	touch(t, filepath.Join(dir, "libonnxruntime_providers_cuda.so"))
	r := &Runtime{library: filepath.Join(dir, "libonnxruntime.so")}
	broken, parts := errors.New("no driver"), errors.New("… but "+noFallback+" by the user")
	for _, tt := range []struct {
		name     string
		provider string
		answers  []error
		want     Placement
		err      error
	}{
		{"all of it", ProviderCUDA, []error{nil}, Placement{Provider: ProviderCUDA, ID: 2}, nil},
		{"all of it, found", ProviderAuto, []error{nil}, Placement{Provider: ProviderCUDA, ID: 2}, nil},
		{"in parts", ProviderTensorRT, []error{parts, nil}, Placement{ProviderTensorRT, 2, "parts of the graph run on the CPU"}, nil},
		{"neither", ProviderCUDA, []error{parts, broken}, Placement{}, ErrDevice},
		{"no driver", ProviderCUDA, []error{broken}, Placement{}, ErrDevice},
		{"no driver, but a CPU", ProviderAuto, []error{broken, nil}, Placement{ProviderCPU, 0, "cuda 2: no driver"}, nil},
		{"a bad graph", ProviderAuto, []error{broken, ErrGraph}, Placement{ProviderCPU, 0, "cuda 2: no driver"}, ErrGraph},
	} {
		t.Run(tt.name, func(t *testing.T) {
			calls := 0
			got, err := r.place(Device{Provider: tt.provider, ID: 2}, func(Device, bool) error {
				calls++
				return tt.answers[calls-1]
			})
			if got != tt.want || !errors.Is(err, tt.err) || calls != len(tt.answers) {
				t.Errorf("%v, %v after %d calls", got, err, calls)
			}
		})
	}
}

func TestDeviceOptions(t *testing.T) {
	d := Device{Provider: ProviderTensorRT, ID: 3, Memory: 1 << 30, Cache: "/engines", Options: map[string]string{"trt_fp16_enable": "1", "device_id": "4"}}
	rt := d.tensorRT("pixels", 224, []int{1, 4, 16})
	for key, want := range map[string]string{
		"trt_profile_min_shapes": "pixels:1x224x224x3", "trt_profile_max_shapes": "pixels:16x224x224x3", "trt_engine_cache_path": "/engines",
		"trt_fp16_enable": "1", "device_id": "4", "trt_max_workspace_size": "1073741824",
	} {
		if rt[key] != want {
			t.Errorf("TensorRT: %s is %q, want %q", key, rt[key], want)
		}
	}
	// CUDA does TensorRT's rest, and does not know its options.
	if cuda := d.cuda(); cuda["device_id"] != "3" || cuda["gpu_mem_limit"] != "1073741824" || cuda["trt_fp16_enable"] != "" {
		t.Errorf("CUDA below TensorRT: %v", cuda)
	}
	d = Device{Provider: ProviderCUDA, Options: map[string]string{"cudnn_conv_algo_search": "EXHAUSTIVE"}}
	if cuda := d.cuda(); cuda["cudnn_conv_algo_search"] != "EXHAUSTIVE" || cuda["gpu_mem_limit"] != "" {
		t.Errorf("CUDA: %v", cuda)
	}
}

// TestSmallerBatchesWhereMemoryIsShort: a device with room for two photos answers all of them, as it would have alone.
func TestSmallerBatchesWhereMemoryIsShort(t *testing.T) {
	c := openCNN(t, tinySpec())
	var photos [][]byte
	for i := range 21 {
		photos = append(photos, painted(32, byte(i*12), byte(250-i*9), byte(i*i)))
	}
	want, err := c.Run(context.Background(), photos)
	if err != nil {
		t.Fatal(err)
	}
	c.gpu = true
	real, room, calls := c.call, int64(2), 0
	c.call = func(inputs, outputs []ort.Value, options *ort.RunOptions) error {
		calls++
		if inputs[0].GetShape()[0] > room {
			return errors.New("CUDA failure 2: out of memory ; GPU=0")
		}
		return real(inputs, outputs, options)
	}
	got, err := c.Run(context.Background(), photos)
	if err != nil || len(got) != len(want) || c.Ceiling() != 2 {
		t.Fatalf("%d answers, ceiling %d, %v", len(got), c.Ceiling(), err)
	}
	for i := range got {
		if err := same(got[i], want[i]); err != nil {
			t.Errorf("photo %d: %v", i, err)
		}
	}
	if calls != 2+11 { // 8 and 4 once each
		t.Errorf("%d calls", calls)
	}
	room = 0
	if _, err := c.Run(context.Background(), photos[:1]); !errors.Is(err, ErrMemory) {
		t.Errorf("no room at all: %v", err)
	}
	room = 8
	for range 3 * patience {
		if _, err := c.Run(context.Background(), photos[:8]); err != nil {
			t.Fatal(err)
		}
	}
	if c.Ceiling() != 0 {
		t.Errorf("ceiling %d after a long calm", c.Ceiling())
	}
}

// TestALargeNetworkIsNotTriedInLargeBatchesOnACPU: the search for the cheapest batch must not take minutes; a GPU must have seen every size.
func TestALargeNetworkIsNotTriedInLargeBatchesOnACPU(t *testing.T) {
	c := openCNN(t, tinySpec())
	for _, tt := range []struct {
		gpu  bool
		want []int64
	}{{false, []int64{1, 2}}, {true, []int64{1, 2, 4, 8}}} {
		synctest.Test(t, func(t *testing.T) {
			var tried []int64
			c.gpu = tt.gpu
			c.call = func(inputs, _ []ort.Value, _ *ort.RunOptions) error {
				tried = append(tried, inputs[0].GetShape()[0])
				time.Sleep(500 * time.Millisecond * time.Duration(inputs[0].GetShape()[0]))
				return nil
			}
			if _, err := c.cheapest(); err != nil || !slices.Equal(slices.Compact(tried), tt.want) {
				t.Errorf("on a GPU %v: sizes %v, want %v; %v", tt.gpu, slices.Compact(tried), tt.want, err)
			}
		})
	}
}

func TestCeiling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := ceiling{buckets: []int{1, 2, 4, 8, 16}}
		for range rapid.IntRange(1, 50).Draw(t, "steps") {
			allowed := c.allowed()
			top := allowed[len(allowed)-1]
			bucket := rapid.SampledFrom(allowed).Draw(t, "bucket")
			if rapid.Bool().Draw(t, "fits") {
				for range patience {
					c.fitted(bucket)
				}
				if grown := c.allowed(); bucket == top && len(grown) != min(len(allowed)+1, 5) || bucket < top && len(grown) != len(allowed) {
					t.Fatalf("%v, then %v after calls with %d", allowed, grown, bucket)
				}
				continue
			}
			again := c.lower(bucket)
			if left := c.allowed(); len(left) == 0 || again != (bucket > 1) || again && left[len(left)-1] >= bucket {
				t.Fatalf("%v left after %d did not fit", left, bucket)
			}
		}
	})
}
