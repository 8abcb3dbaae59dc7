package infer

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// ErrLibrary says that there is no ONNX Runtime library to run a model with,
// or that it cannot be used. The message says how to get one.
var ErrLibrary = errors.New("no usable ONNX Runtime library")

// LibraryVariable is the environment variable with the library's path.
const LibraryVariable = "PLANETAG_ORT_LIB"

// libraryPattern matches the library under every name its packages give it:
// libonnxruntime.so, libonnxruntime.so.1, libonnxruntime.so.1.30.0.
const libraryPattern = "libonnxruntime.so*"

const libraryRemedy = "run `make setup`, or give its path with --ort-lib or " + LibraryVariable

// FindLibrary is the path of the ONNX Runtime library: the flag, else the
// environment variable PLANETAG_ORT_LIB, else the first found beside the
// executable, in its lib folder, in .deps/onnxruntime of the repository it was
// built in, and in the system's library folders. A path given by flag or
// environment that is not there is an error, not a reason to look elsewhere:
// whoever names a library wants that one.
func FindLibrary(flag string) (string, error) {
	named := []struct{ source, path string }{
		{"--ort-lib", flag}, {LibraryVariable, os.Getenv(LibraryVariable)},
	}
	for _, n := range named {
		if n.path == "" {
			continue
		}
		if info, err := os.Stat(n.path); err != nil || info.IsDir() {
			return "", fmt.Errorf("%w: %s names %s, which is not a file: %s", ErrLibrary, n.source, n.path, libraryRemedy)
		}
		return filepath.Abs(n.path)
	}
	folders := libraryFolders()
	for _, folder := range folders {
		if path := newestIn(folder); path != "" {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: found none in %s: %s", ErrLibrary, strings.Join(folders, ", "), libraryRemedy)
}

func libraryFolders() []string {
	var folders []string
	if exe, err := os.Executable(); err == nil {
		if real, err := filepath.EvalSymlinks(exe); err == nil {
			exe = real
		}
		dir := filepath.Dir(exe)
		folders = append(folders, dir, filepath.Join(dir, "lib"), filepath.Join(dir, "..", ".deps", "onnxruntime"))
	}
	folders = append(folders, "/usr/local/lib", "/usr/lib")
	multiarch, _ := filepath.Glob("/usr/lib/*-linux-gnu*") // the pattern is well-formed
	return append(folders, multiarch...)
}

// newestIn is the library of a folder with the greatest version, "" if none.
func newestIn(folder string) string {
	found, _ := filepath.Glob(filepath.Join(escapeGlob(folder), libraryPattern)) // the pattern is well-formed
	found = slices.DeleteFunc(found, func(path string) bool {
		info, err := os.Stat(path)
		return err != nil || !info.Mode().IsRegular()
	})
	if len(found) == 0 {
		return ""
	}
	return slices.MaxFunc(found, compareVersions)
}

// compareVersions orders names by length within equal heads, so that 1.30.0
// comes after 1.9.2.
func compareVersions(a, b string) int {
	as, bs := strings.Split(filepath.Base(a), "."), strings.Split(filepath.Base(b), ".")
	return slices.CompareFunc(as, bs, func(x, y string) int {
		if len(x) != len(y) {
			return len(x) - len(y)
		}
		return strings.Compare(x, y)
	})
}

func escapeGlob(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
