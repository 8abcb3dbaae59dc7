package infer

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// session is one loaded graph that knows how to run, to be cancelled and to be
// closed while others still run it.
type session struct {
	path  string
	graph *ort.DynamicAdvancedSession
	slabs pool
	// running is read-held by each run and write-held by Close.
	running sync.RWMutex
	closed  bool
	// call is graph.RunWithOptions; tests put something in between.
	call func(inputs, outputs []ort.Value, options *ort.RunOptions) error
}

func sessionOptions(level ort.GraphOptimizationLevel) (*ort.SessionOptions, error) {
	if !ort.IsInitialized() {
		return nil, fmt.Errorf("open graph: ONNX Runtime is %w", ErrClosed)
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("make session options: %w", err)
	}
	err = errors.Join(
		options.SetIntraOpNumThreads(1),
		options.SetInterOpNumThreads(1),
		// A thread that spins while a slow stream trickles costs four times
		// the computation.
		options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0"),
		options.AddSessionConfigEntry("session.inter_op.allow_spinning", "0"),
		options.SetGraphOptimizationLevel(level),
		options.SetLogSeverityLevel(ort.LoggingLevelFatal), // see Open
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("set session options: %w", err), options.Destroy())
	}
	return options, nil
}

// openSession loads a graph that answers with one of so many classes; attach says
// on what it runs, nil = on the CPU.
func (r *Runtime) openSession(path string, inputs, outputs []string, classes int, attach func(*ort.SessionOptions) error) (*session, error) {
	r.opening.Lock()
	defer r.opening.Unlock()
	options, err := sessionOptions(ort.GraphOptimizationLevelEnableAll)
	if err != nil {
		return nil, err
	}
	defer options.Destroy()
	if attach != nil {
		if err := attach(options); err != nil {
			return nil, err
		}
	}
	// By path, not by bytes: only then are weights in files beside it found.
	graph, err := ort.NewDynamicAdvancedSession(path, inputs, outputs, options)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrGraph, path, err)
	}
	s := &session{path: path, graph: graph, call: graph.RunWithOptions}
	stay()
	if err := s.checkClasses(classes); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// do lends f a slab of n bytes while the session is kept open.
func (s *session) do(n int, f func(*slab) error) error {
	s.running.RLock()
	defer s.running.RUnlock()
	if s.closed {
		return fmt.Errorf("run %s: %w", s.path, ErrClosed)
	}
	memory, err := s.slabs.get(n)
	if err != nil {
		return err
	}
	defer s.slabs.put(memory)
	return f(memory)
}

// run is one call of the graph. It comes back when the C code has, even if the
// context ended long before; its error is then the context's.
func (s *session) run(ctx context.Context, inputs, outputs []ort.Value) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("run %s: %w", s.path, err)
	}
	options, err := ort.NewRunOptions()
	if err != nil {
		return fmt.Errorf("run %s: %w", s.path, err)
	}
	defer options.Destroy()
	terminated := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(terminated)
		_ = options.Terminate() // cannot fail: it sets a flag
	})
	err = s.call(inputs, outputs, options)
	runtime.KeepAlive(inputs)
	runtime.KeepAlive(outputs)
	if !stop() {
		<-terminated // it still holds options
		if err != nil {
			return fmt.Errorf("run %s: %w", s.path, ctx.Err())
		}
	}
	if err != nil {
		return fmt.Errorf("run %s: %w", s.path, err)
	}
	return nil
}

// close waits for the runs in progress and gives the memory back.
func (s *session) close() error {
	s.running.Lock()
	defer s.running.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	err := errors.Join(s.graph.Destroy(), s.slabs.close(), leave())
	giveBack()
	if err != nil {
		return fmt.Errorf("close %s: %w", s.path, err)
	}
	return nil
}

// tensor is a view of slab memory with a shape; destroying it leaves the
// memory alone.
func tensor[T ort.TensorData](s *slab, shape ...int64) (*ort.Tensor[T], []T, error) {
	data := take[T](s, int(ort.Shape(shape).FlattenedSize()))
	t, err := view(data, shape...)
	return t, data, err
}

// view is the tensor over memory that stays where it is until the tensor is
// destroyed.
func view[T ort.TensorData](data []T, shape ...int64) (*ort.Tensor[T], error) {
	t, err := ort.NewTensor(shape, data)
	if err != nil {
		return nil, fmt.Errorf("make tensor: %w", err)
	}
	return t, nil
}
