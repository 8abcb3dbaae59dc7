package infer

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestCloseWaitsForRuns(t *testing.T) {
	c := openCNN(t, ownSpec("slow.onnx"))
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	ran, closed := make(chan error, 1), make(chan error, 1)
	wg.Go(func() {
		_, err := c.Run(ctx, [][]byte{painted(2, 255, 255, 255)})
		ran <- err
	})
	for c.running.TryLock() { // until the run holds the session
		c.running.Unlock()
		time.Sleep(time.Millisecond)
	}
	wg.Go(func() { closed <- c.Close() })
	select {
	case err := <-closed:
		t.Fatalf("closed under a run: %v", err)
	case err := <-ran:
		t.Fatalf("the run did not last: %v", err)
	case <-time.After(100 * time.Millisecond):
	}
	cancel()
	wg.Wait()
	if err := <-ran; !errors.Is(err, context.Canceled) {
		t.Errorf("the run: %v", err)
	}
	if err := <-closed; err != nil {
		t.Errorf("close: %v", err)
	}
}

func TestClosedModelsRefuse(t *testing.T) {
	c, a := openCNN(t, tinySpec()), openAlbum(t)
	for range 2 { // twice is harmless
		if err := errors.Join(c.Close(), a.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Run(context.Background(), [][]byte{painted(32, 0, 0, 0)}); !errors.Is(err, ErrClosed) {
		t.Errorf("network: %v", err)
	}
	if _, err := a.Run(context.Background(), [][]float32{make([]float32, 8)}, []float32{0}); !errors.Is(err, ErrClosed) {
		t.Errorf("album model: %v", err)
	}
}

func TestModelsOutliveTheirRuntime(t *testing.T) {
	r, err := Open(library(t))
	if err != nil {
		t.Fatal(err)
	}
	c, err := r.OpenCNN(tinySpec())
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Run(context.Background(), [][]byte{painted(32, 0, 0, 0)}); err != nil {
		t.Errorf("after the runtime was closed: %v", err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if environment.users != 0 {
		t.Errorf("%d users are left", environment.users)
	}
	if _, err := r.OpenCNN(tinySpec()); !errors.Is(err, ErrClosed) {
		t.Errorf("a model of a closed runtime: %v", err)
	}
}

// TestReloadingDoesNotGrow loads, runs and closes a model of some 24 MB again
// and again.
func TestReloadingDoesNotGrow(t *testing.T) {
	path := library(t)
	cycle := func() {
		r, err := Open(path)
		if err != nil {
			t.Fatal(err)
		}
		c, err := r.OpenCNN(ownSpec("heavy.onnx"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Run(context.Background(), [][]byte{painted(2, 9, 9, 9), painted(2, 1, 2, 3)}); err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(c.Close(), r.Close()); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		cycle()
	}
	before := resident(t)
	for range 10 {
		cycle()
	}
	const most = 16 << 20
	grown := resident(t) - before
	t.Logf("from %d MiB by %d KiB over 10 cycles", before>>20, grown>>10)
	if grown > most {
		t.Errorf("10 reloads grew the process by %d MiB", grown>>20)
	}
}

// resident is the process's memory in bytes, from /proc.
func resident(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Skipf("memory is measured with /proc: %v", err)
	}
	pages, err := strconv.Atoi(strings.Fields(string(text))[1])
	if err != nil {
		t.Fatal(err)
	}
	return pages * os.Getpagesize()
}
