package infer

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// library is the path of ONNX Runtime. A test that needs it is skipped where
// there is none, unless everything is required.
func library(t testing.TB) string {
	t.Helper()
	path, err := FindLibrary("")
	if err == nil {
		return path
	}
	if os.Getenv("PLANETAG_REQUIRE_ALL") == "1" {
		t.Fatal(err)
	}
	t.Skip(err)
	return ""
}

// open is a Runtime for the length of a test.
func openRuntime(t testing.TB) *Runtime {
	t.Helper()
	r, err := Open(library(t))
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, r)
	return r
}

func closeAtEnd(t testing.TB, c interface{ Close() error }) {
	t.Helper()
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
}

const tiny = "../testdata/tiny"

// tinySpec is the network of the tiny bundle: it tells colours apart.
func tinySpec() CNNSpec {
	return CNNSpec{
		Path: filepath.Join(tiny, "cnn.onnx"), Input: "pixels", Embedding: "embedding", Prob: "prob", Cell: "cell",
		Size: 32, Width: 8, TopK: 3, Buckets: []int{1, 2, 4, 8},
	}
}

func tinyAlbumSpec() AlbumSpec {
	return AlbumSpec{
		Path: filepath.Join(tiny, "album.onnx"), Input: "embeddings", Prob: "prob", Cell: "cell", Width: 8, TopK: 3,
	}
}

// ownSpec is a graph made by testdata/make_graphs.py.
func ownSpec(name string) CNNSpec {
	return CNNSpec{
		Path: filepath.Join("testdata", name), Input: "pixels", Embedding: "embedding", Prob: "prob", Cell: "cell",
		Size: 2, Width: 4, TopK: 2, Buckets: []int{1, 4},
	}
}

func openCNN(t testing.TB, spec CNNSpec) *CNN {
	t.Helper()
	c, err := openRuntime(t).OpenCNN(spec)
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, c)
	return c
}

func openAlbum(t testing.TB) *Album {
	t.Helper()
	a, err := openRuntime(t).OpenAlbum(tinyAlbumSpec())
	if err != nil {
		t.Fatal(err)
	}
	closeAtEnd(t, a)
	return a
}

// painted is a photo of one colour.
func painted(size int, colour ...byte) []byte { return slices.Repeat(colour, size*size) }
