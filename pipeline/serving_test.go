package pipeline

import (
	"context"
	"errors"
	"testing"
	"time"

	"go.uber.org/goleak"

	"planetag/consumer"
	"planetag/enrich/infer"
)

// TestABundleIsClosedByItsLastUser: whoever holds a bundle can use it, however often it was replaced meanwhile.
func TestABundleIsClosedByItsLastUser(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Bundle.Path, cfg.Bundle.Library, cfg.Decode.Isolation = "../enrich/testdata/tiny", testLibrary(t), "none"
	ignore := goleak.IgnoreCurrent()
	defer goleak.VerifyNone(t, ignore)
	w := newWorker(cfg, quiet())
	load := func(path string) *serving {
		t.Helper()
		next := cfg
		next.Bundle.Path = path
		s, err := w.newServing(t.Context(), next)
		if err != nil {
			t.Fatal(err)
		}
		s.begin(t.Context())
		return s
	}
	usable := func(s *serving) bool {
		t.Helper()
		slot, err := s.slots.Get(t.Context())
		if err != nil {
			return false
		}
		defer s.slots.Put(slot)
		_, err = s.batcher.Embed(t.Context(), slot)
		if err != nil && !errors.Is(err, ErrBatcherStopped) && !errors.Is(err, infer.ErrClosed) {
			t.Error(err)
		}
		return err == nil
	}
	w.serving = load(cfg.Bundle.Path)
	first := w.hold()
	w.swap(load(otherBundle(t, false)))
	if first == w.serving || first.replaced.Err() == nil || !usable(first) || !usable(w.serving) {
		t.Error("a bundle that somebody holds is closed by a swap")
	}
	if former := w.holdFormer(first.model.Info().SHA256); former != first {
		t.Error("the former bundle is not kept for its albums")
	} else {
		w.release(former)
	}
	w.dropFormer()
	if !usable(first) || w.holdFormer(first.model.Info().SHA256) != nil {
		t.Error("a bundle that somebody holds is closed when it is no more the former one")
	}
	w.release(first)
	if first.users != 0 {
		t.Errorf("%d users", first.users)
	}
	if _, err := first.model.Embed(t.Context(), [][]byte{make([]byte, first.model.Info().InputBytes)}); !errors.Is(err, infer.ErrClosed) {
		t.Errorf("without users it is not closed: %v", err)
	}
	w.close()
}

// TestASwapBeginsThePartitionAnew: work that holds a bundle ends with what makes the consumer begin the partition again; errors of its own are not hidden.
func TestASwapBeginsThePartitionAnew(t *testing.T) {
	cfg := DefaultConfig()
	cfg.Bundle.Path, cfg.Bundle.Library, cfg.Decode.Isolation = "../enrich/testdata/tiny", testLibrary(t), "none"
	for _, row := range []struct {
		story string
		ends  error
		want  error
	}{
		{"cancelled", context.Canceled, consumer.ErrRestart},
		{"done", nil, consumer.ErrRestart},
		{"fenced at the same time", consumer.ErrFenced, consumer.ErrFenced},
	} {
		w := newWorker(cfg, quiet())
		var err error
		if w.serving, err = w.newServing(t.Context(), cfg); err != nil {
			t.Fatal(err)
		}
		next, err := w.newServing(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		err = w.serve(t.Context(), func(ctx context.Context, _ *serving) error {
			w.swap(next)
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute):
				t.Error("the work is not ended")
			}
			return row.ends
		})
		if !errors.Is(err, row.want) {
			t.Errorf("%s: %v", row.story, err)
		}
		w.close()
	}
}
