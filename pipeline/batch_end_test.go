package pipeline

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestBatcherLetsGoOfPixelsOnlyWhenTheModelHas is the promise that the slots are built on: whoever gets back from Embed may
// reuse the pixels at once.
func TestBatcherLetsGoOfPixelsOnlyWhenTheModelHas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		because := errors.New("the partition was taken away")
		b, stop := running(t, &fakeCNN{takes: time.Second}, BatchConfig{MaxSize: 1, Runners: 1})
		ctx, cancel := context.WithCancelCause(t.Context())
		started := time.Now()
		var callers sync.WaitGroup
		callers.Go(func() {
			pixels := []byte{7}
			sight, err := b.Embed(ctx, pixels)
			pixels[0] = 0 // the fake looks, and so does the race detector
			if took := time.Since(started); took != time.Second || err != nil || sight.Embedding[0] != 7 {
				t.Errorf("the photo that the model had came back after %s with %v", took, err)
			}
		})
		synctest.Wait()
		callers.Go(func() {
			pixels := []byte{8}
			_, err := b.Embed(ctx, pixels)
			pixels[0] = 0
			if took := time.Since(started); took != 100*time.Millisecond || !errors.Is(err, because) {
				t.Errorf("the photo that waited came back after %s with %v", took, err)
			}
		})
		time.Sleep(100 * time.Millisecond)
		cancel(because)
		callers.Wait()
		stop()
	})
}

func TestBatcherEndsOnlyAfterTheModel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		model := &fakeCNN{takes: time.Second}
		b, stop := running(t, model, BatchConfig{MaxSize: 1, Runners: 1})
		var callers sync.WaitGroup
		for i := range 3 {
			callers.Go(func() {
				_, err := b.Embed(t.Context(), []byte{byte(i)})
				if i == 0 && err != nil || i > 0 && !errors.Is(err, ErrBatcherStopped) {
					t.Errorf("photo %d: %v", i, err)
				}
			})
			synctest.Wait()
		}
		started := time.Now()
		stop()
		if took := time.Since(started); took != time.Second || model.running != 0 {
			t.Errorf("ended after %s with %d calls of the model running", took, model.running)
		}
		callers.Wait()
		if _, err := b.Embed(t.Context(), []byte{1}); !errors.Is(err, ErrBatcherStopped) {
			t.Errorf("a photo after the end: %v", err)
		}
	})
}
