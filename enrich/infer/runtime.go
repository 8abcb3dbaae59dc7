package infer

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"
)

// ErrClosed says that a runtime, or a model of it, was used after Close.
var ErrClosed = errors.New("already closed")

// requiredAPI is the ORT_API_VERSION onnxruntime_go was compiled with. Any
// library from 1.29 on knows it.
const requiredAPI = "1.29"

// environment is the process's one ONNX Runtime: the library is global to the
// process, and so is the state of onnxruntime_go, which does not guard it. Its
// users, runtimes and loaded graphs, are counted: several models of one process
// need not know of each other, and the last to leave unloads the library.
var environment struct {
	sync.Mutex
	library string
	users   int
}

// Runtime is a hold on the process's ONNX Runtime. Models are opened from it
// and keep the library loaded themselves, so the order of closing is free.
type Runtime struct {
	library, version string
	// opening makes sessions one after another: building one spreads over all
	// cores anyway, and on a GPU two at a time race inside the provider.
	opening sync.Mutex
	close   func() error
}

// Open loads the library. A second Open with the same path shares it; with
// another path it is ErrLibrary, because a process has room for one.
func Open(library string) (*Runtime, error) {
	path, err := filepath.Abs(library)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrLibrary, err)
	}
	environment.Lock()
	defer environment.Unlock()
	if environment.users > 0 && environment.library != path {
		return nil, fmt.Errorf("%w: this process already runs %s and cannot load %s as well", ErrLibrary, environment.library, path)
	}
	if environment.users == 0 {
		ort.SetSharedLibraryPath(path)
		// Every error it would print it also returns, among them each cancelled
		// run; one log line for one event is enough, and it is the caller's.
		if err := ort.InitializeEnvironment(ort.WithLogLevelFatal()); err != nil {
			return nil, fmt.Errorf("%w: %s", ErrLibrary, explain(path, err))
		}
		environment.library = path
	}
	environment.users++
	return &Runtime{library: path, version: ort.GetVersion(), close: sync.OnceValue(leave)}, nil
}

// stay adds a hold to one that is already there.
func stay() {
	environment.Lock()
	defer environment.Unlock()
	environment.users++
}

// leave gives up one hold and unloads the library with the last.
func leave() error {
	environment.Lock()
	defer environment.Unlock()
	if environment.users--; environment.users > 0 {
		return nil
	}
	defer giveBack()
	if err := ort.DestroyEnvironment(); err != nil {
		return fmt.Errorf("unload ONNX Runtime: %w", err)
	}
	return nil
}

// explain translates what onnxruntime_go says when a library does not load.
func explain(path string, err error) string {
	if strings.Contains(err.Error(), "ORT API base") {
		return fmt.Sprintf("%s is older than %s, the oldest version this program can use: %s", path, requiredAPI, libraryRemedy)
	}
	return fmt.Sprintf("load %s: %v: %s", path, err, libraryRemedy)
}

// Library is the absolute path of the loaded library.
func (r *Runtime) Library() string { return r.library }

// Version is the library's own version, such as 1.30.0.
func (r *Runtime) Version() string { return r.version }

// Close gives up the hold; when no model is open either, the library is
// unloaded. Closing twice is harmless.
func (r *Runtime) Close() error { return r.close() }
