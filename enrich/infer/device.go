package infer

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	ort "github.com/yalue/onnxruntime_go"
)

// ErrDevice says that the network cannot run where it was asked to. The message
// says why, and how it could.
var ErrDevice = errors.New("accelerator cannot be used")

// The providers a network can run on, in ONNX Runtime's sense of the word.
const (
	ProviderAuto     = "auto" // CUDA where the library and the machine have it, else the CPU
	ProviderCPU      = "cpu"
	ProviderCUDA     = "cuda"
	ProviderTensorRT = "tensorrt" // CUDA takes the operators it does not know
)

// Device says where the network is to run.
type Device struct {
	Provider string            // "" = ProviderCPU
	ID       int               // which GPU
	Memory   int64             // bytes of the GPU that the network may take; 0 = what it needs
	Cache    string            // directory in which TensorRT keeps its engines; "" = it builds them at each start
	Options  map[string]string // more options of the provider, under ONNX Runtime's names; they win
}

// Placement is where a network came to run.
type Placement struct {
	Provider string // ProviderCPU, ProviderCUDA or ProviderTensorRT
	ID       int
	// Note says what is not as one might expect: why it is the CPU although a GPU
	// was looked for, or that parts of the graph stay on the CPU.
	Note string
}

// OnGPU says whether the network's arithmetic is a GPU's.
func (p Placement) OnGPU() bool { return p.Provider != ProviderCPU }

func (p Placement) String() string {
	s := p.Provider
	if p.OnGPU() {
		s += " " + strconv.Itoa(p.ID)
	}
	if p.Note != "" {
		s += " (" + p.Note + ")"
	}
	return s
}

const deviceRemedy = "a GPU needs its driver and what `make setup-gpu` or deploy/Dockerfile.cuda installs; or set accelerator.provider to cpu"

// noFallback is the word of ONNX Runtime for a graph that does not fit on the
// provider as a whole.
const noFallback = "fallback to CPU EP has been explicitly disabled"

// place opens something on the device: as a whole, else with what the provider
// does not know on the CPU, else, if nobody insists on the provider, on the CPU.
func (r *Runtime) place(d Device, open func(Device, bool) error) (Placement, error) {
	d.Provider = cmp.Or(d.Provider, ProviderCPU)
	wanted := d.Provider
	if wanted == ProviderAuto {
		d.Provider = ProviderCUDA
		if !r.provides(ProviderCUDA) { // the CPU's library: nobody expects a GPU
			d.Provider = ProviderCPU
		}
	}
	if d.Provider == ProviderCPU {
		return Placement{Provider: ProviderCPU}, open(Device{Provider: ProviderCPU}, false)
	}
	where := Placement{Provider: d.Provider, ID: d.ID}
	err := withOwnSignals(func() error {
		err := open(d, true)
		if err != nil && strings.Contains(err.Error(), noFallback) {
			where.Note = "parts of the graph run on the CPU"
			err = open(d, false)
		}
		return err
	})
	switch {
	case err == nil:
		return where, nil
	case wanted != ProviderAuto || errors.Is(err, ErrClosed):
		return Placement{}, fmt.Errorf("%w: %s %d: %w; %s", ErrDevice, d.Provider, d.ID, err, deviceRemedy)
	}
	where = Placement{Provider: ProviderCPU, Note: fmt.Sprintf("%s %d: %v", d.Provider, d.ID, err)}
	return where, open(Device{Provider: ProviderCPU}, false)
}

// provides says whether the provider's library lies where ONNX Runtime looks for
// it: beside its own.
func (r *Runtime) provides(provider string) bool {
	library := r.library
	if real, err := filepath.EvalSymlinks(library); err == nil {
		library = real
	}
	_, err := os.Stat(filepath.Join(filepath.Dir(library), "libonnxruntime_providers_"+provider+".so"))
	return err == nil
}

// attach has a session use the device. Input and side are those of the network's
// photos, which TensorRT wants to know beforehand.
func (d Device) attach(options *ort.SessionOptions, whole bool, input string, side int, buckets []int) error {
	if d.Provider == ProviderCPU {
		return nil
	}
	if whole {
		if err := options.AddSessionConfigEntry("session.disable_cpu_ep_fallback", "1"); err != nil {
			return fmt.Errorf("set session options: %w", err)
		}
	}
	if d.Provider == ProviderTensorRT {
		if err := d.attachTensorRT(options, input, side, buckets); err != nil {
			return err
		}
	}
	return d.attachCUDA(options)
}

func (d Device) attachCUDA(options *ort.SessionOptions) error {
	cuda, err := ort.NewCUDAProviderOptions()
	if err != nil {
		return fmt.Errorf("make CUDA's options: %w", err)
	}
	defer cuda.Destroy()
	if err := cuda.Update(d.cuda()); err != nil {
		return fmt.Errorf("set CUDA's options: %w", plain(err))
	}
	if err := options.AppendExecutionProviderCUDA(cuda); err != nil {
		return fmt.Errorf("use CUDA: %w", plain(err))
	}
	return nil
}

func (d Device) attachTensorRT(options *ort.SessionOptions, input string, side int, buckets []int) error {
	rt, err := ort.NewTensorRTProviderOptions()
	if err != nil {
		return fmt.Errorf("make TensorRT's options: %w", err)
	}
	defer rt.Destroy()
	if err := rt.Update(d.tensorRT(input, side, buckets)); err != nil {
		return fmt.Errorf("set TensorRT's options: %w", plain(err))
	}
	if err := options.AppendExecutionProviderTensorRT(rt); err != nil {
		return fmt.Errorf("use TensorRT: %w", plain(err))
	}
	return nil
}

// plain is an error of ONNX Runtime without the place in its source.
func plain(err error) error {
	if _, words, ok := strings.Cut(err.Error(), "[ONNXRuntimeError] : "); ok {
		return errors.New(words)
	}
	return err
}

// cuda are the options for many calls of few shapes. The default search of cuDNN
// tries every algorithm for each new shape, hundreds of milliseconds each; the
// default arena doubles, and would take what two sessions need to share.
func (d Device) cuda() map[string]string {
	o := map[string]string{
		"device_id":                    strconv.Itoa(d.ID),
		"cudnn_conv_algo_search":       "HEURISTIC",
		"cudnn_conv_use_max_workspace": "1",
		"arena_extend_strategy":        "kSameAsRequested",
	}
	if d.Memory > 0 {
		o["gpu_mem_limit"] = strconv.FormatInt(d.Memory, 10)
	}
	if d.Provider == ProviderCUDA {
		maps.Copy(o, d.Options)
	}
	return o
}

// tensorRT are the options with one engine for all batch sizes.
func (d Device) tensorRT(input string, side int, buckets []int) map[string]string {
	shape := func(n int) string { return fmt.Sprintf("%s:%dx%dx%dx3", input, n, side, side) }
	o := map[string]string{
		"device_id":              strconv.Itoa(d.ID),
		"trt_profile_min_shapes": shape(slices.Min(buckets)),
		"trt_profile_opt_shapes": shape(slices.Max(buckets)),
		"trt_profile_max_shapes": shape(slices.Max(buckets)),
	}
	if d.Memory > 0 {
		o["trt_max_workspace_size"] = strconv.FormatInt(d.Memory, 10)
	}
	if d.Cache != "" {
		o["trt_engine_cache_enable"], o["trt_engine_cache_path"] = "1", d.Cache
		o["trt_timing_cache_enable"], o["trt_timing_cache_path"] = "1", d.Cache
	}
	maps.Copy(o, d.Options)
	return o
}
