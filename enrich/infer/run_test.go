package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"testing"
	"time"
	"unsafe"

	ort "github.com/yalue/onnxruntime_go"
)

// TestCNNSeesColours is the whole way through the graph: red is class 0, green
// 1, white 2, blue 3, and grey is anything.
func TestCNNSeesColours(t *testing.T) {
	c := openCNN(t, tinySpec())
	photos := [][]byte{painted(32, 255, 0, 0), painted(32, 0, 255, 0), painted(32, 255, 255, 255), painted(32, 0, 0, 255), painted(32, 90, 90, 90)}
	got, err := c.Run(context.Background(), photos)
	if err != nil || len(got) != len(photos) {
		t.Fatalf("%d outputs, %v", len(got), err)
	}
	for i, out := range got[:4] {
		if int(out.Cell[0]) != i || out.Prob[0] < 0.9 {
			t.Errorf("photo %d: class %d with %.2f", i, out.Cell[0], out.Prob[0])
		}
	}
	if grey := got[4]; grey.Prob[0] > 0.26 || len(grey.Embedding) != 8 || len(grey.Prob) != 3 || len(grey.Cell) != 3 {
		t.Errorf("grey: %+v", grey)
	}
}

func TestBatchSizeDoesNotMatter(t *testing.T) {
	c := openCNN(t, tinySpec())
	var photos [][]byte
	var alone []Output
	for i := range 21 {
		photos = append(photos, painted(32, byte(i*12), byte(250-i*9), byte(i*i)))
		out, err := c.Run(context.Background(), photos[i:])
		if err != nil {
			t.Fatal(err)
		}
		alone = append(alone, out...)
	}
	if !slices.Contains(tinySpec().Buckets, c.Piece()) {
		t.Errorf("%d photos at once, want one of %v", c.Piece(), tinySpec().Buckets)
	}
	for n := range photos {
		c.piece = 1 + n%6 // however a batch is cut up
		got, err := c.Run(context.Background(), photos[:n+1])
		if err != nil || len(got) != n+1 {
			t.Fatalf("%d photos: %d outputs, %v", n+1, len(got), err)
		}
		for i := range got {
			if err := same(got[i], alone[i]); err != nil {
				t.Fatalf("photo %d in a batch of %d: %v", i, n+1, err)
			}
		}
	}
}

// same compares two outputs of one photo. Kernels add up in another order in
// another batch.
func same(a, b Output) error {
	near := func(x, y float32) bool { return math.Abs(float64(x-y)) < 1e-3 }
	if !slices.EqualFunc(a.Embedding, b.Embedding, near) || !slices.EqualFunc(a.Prob, b.Prob, near) || a.Cell[0] != b.Cell[0] {
		return fmt.Errorf("%+v and %+v", a, b)
	}
	return nil
}

func TestRunRefusesOtherSizes(t *testing.T) {
	c, a := openCNN(t, tinySpec()), openAlbum(t)
	if _, err := c.Run(context.Background(), [][]byte{painted(32, 0, 0, 0), painted(31, 0, 0, 0)}); err == nil {
		t.Error("a photo of another size was taken")
	}
	if _, err := a.Run(context.Background(), [][]float32{make([]float32, 8), make([]float32, 9)}, []float32{0, -1}); err == nil {
		t.Error("an embedding of another width was taken")
	}
	if out, err := c.Run(context.Background(), nil); err != nil || len(out) != 0 {
		t.Errorf("no photos: %v, %v", out, err)
	}
	if out, err := a.Run(context.Background(), nil, nil); err != nil || len(out) != 0 {
		t.Errorf("an empty album: %v, %v", out, err)
	}
}

func TestManyCallersGetWhatOneGets(t *testing.T) {
	c, a := openCNN(t, tinySpec()), openAlbum(t)
	batches, seen, read := make([][][]byte, 11), make([][]Output, 11), make([][]Output, 11)
	for n := range batches {
		for i := range n + 1 {
			batches[n] = append(batches[n], painted(32, byte(i*23+n), byte(255-i*5), byte(i*n)))
		}
		var err error
		if seen[n], err = c.Run(context.Background(), batches[n]); err != nil {
			t.Fatal(err)
		}
		if read[n], err = a.Run(context.Background(), embeddings(seen[n]), make([]float32, len(seen[n]))); err != nil {
			t.Fatal(err)
		}
	}
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for i := range 40 {
				n := (i*7 + worker) % len(batches)
				if got, err := c.Run(context.Background(), batches[n]); err != nil || !reflect.DeepEqual(got, seen[n]) {
					t.Errorf("%d photos: %+v, %v\nwant %+v", n+1, got, err, seen[n])
				}
				if got, err := a.Run(context.Background(), embeddings(seen[n]), make([]float32, len(seen[n]))); err != nil || !reflect.DeepEqual(got, read[n]) {
					t.Errorf("album of %d: %+v, %v\nwant %+v", n+1, got, err, read[n])
				}
			}
		})
	}
	wg.Wait()
}

func embeddings(outputs []Output) [][]float32 {
	var list [][]float32
	for _, o := range outputs {
		list = append(list, o.Embedding)
	}
	return list
}

// TestAlbumRemembers shows grey photos after red ones.
func TestAlbumRemembers(t *testing.T) {
	c, a := openCNN(t, tinySpec()), openAlbum(t)
	seen, err := c.Run(context.Background(), [][]byte{painted(32, 90, 90, 90), painted(32, 230, 20, 20), painted(32, 90, 90, 90)})
	if err != nil {
		t.Fatal(err)
	}
	got, err := a.Run(context.Background(), embeddings(seen), make([]float32, len(seen)))
	if err != nil {
		t.Fatal(err)
	}
	if got[0].Prob[0] > 0.26 || got[2].Prob[0] < 0.8 || got[2].Cell[0] != 0 || got[2].Embedding != nil {
		t.Errorf("before %+v, after %+v", got[0], got[2])
	}
}

func TestCancelledRunEnds(t *testing.T) {
	c := openCNN(t, ownSpec("slow.onnx"))
	black, white := painted(2, 0, 0, 0), painted(2, 255, 255, 255)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	// Left alone it would take seconds and succeed.
	if _, err := c.Run(ctx, [][]byte{white}); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("got %v", err)
	}
	if _, err := c.Run(ctx, [][]byte{black}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("with a context that has ended: %v", err)
	}
	if out, err := c.Run(context.Background(), [][]byte{black}); err != nil || len(out) != 1 {
		t.Errorf("the next run: %v, %v", out, err)
	}
}

func TestCancellingOneRunLeavesTheOthers(t *testing.T) {
	c := openCNN(t, ownSpec("slow.onnx"))
	dim := painted(2, 3, 3, 3) // some hundredths of a second
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		if _, err := c.Run(ctx, [][]byte{painted(2, 255, 255, 255)}); !errors.Is(err, context.Canceled) {
			t.Errorf("the cancelled one: %v", err)
		}
	})
	for i := range 4 {
		if i == 1 {
			cancel()
		}
		if _, err := c.Run(context.Background(), [][]byte{dim}); err != nil {
			t.Errorf("another: %v", err)
		}
	}
	wg.Wait()
	cancel()
}

// TestAPhotoAloneIsReadWhereItLies: nothing is copied between the decoder's slot and the graph.
func TestAPhotoAloneIsReadWhereItLies(t *testing.T) {
	c := openCNN(t, tinySpec())
	var read []*byte
	graph := c.call
	c.call = func(inputs, outputs []ort.Value, options *ort.RunOptions) error {
		read = append(read, unsafe.SliceData(inputs[0].(*ort.Tensor[uint8]).GetData()))
		return graph(inputs, outputs, options)
	}
	photos := [][]byte{painted(32, 255, 0, 0), painted(32, 0, 255, 0), painted(32, 0, 0, 255)}
	c.piece = 1
	if _, err := c.Run(t.Context(), photos); err != nil {
		t.Fatal(err)
	}
	for i, at := range read {
		if at != unsafe.SliceData(photos[i]) {
			t.Errorf("photo %d was read from elsewhere", i)
		}
	}
	c.piece = 3
	if _, err := c.Run(t.Context(), photos); err != nil || len(read) != 4 {
		t.Fatalf("%d runs, want one a photo and one of three: %v", len(read), err)
	}
}
