package pipeline

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/decode"
)

// errSwapped ends the work on a partition because another bundle is in use. It is begun anew at the committed offset, by
// the same member of the same generation.
var errSwapped = fmt.Errorf("%w: another bundle is in use", consumer.ErrRestart)

// serving is a bundle in use, with the settings and the parts that belong to it. A partition is worked on with one from
// its beginning to its end, so every answer is of one bundle. Whoever works with it is a user; when the last is gone it is
// closed, and so never while C code runs for one of them.
type serving struct {
	cfg     Config
	model   *enrich.Model
	slots   *decode.Slots
	batcher *Batcher
	decoder decoder
	passer  passer
	turns   chan struct{} // photos being decoded

	replaced context.Context // ends when another one takes its place
	replace  context.CancelFunc
	stop     func() // the batcher, and waits for it
	users    int    // guarded by the worker's mutex; the worker itself is the first
}

// newServing loads the bundle of a configuration; the golden photos are reproduced and every batch size is run once.
func (w *worker) newServing(ctx context.Context, cfg Config) (*serving, error) {
	options, err := modelOptions(cfg)
	if err != nil {
		return nil, err
	}
	options.Isolate = cfg.Decode.isolate(&children{metrics: w.metrics, log: w.log})
	s := &serving{cfg: cfg, users: 1, stop: func() {}, turns: make(chan struct{}, cfg.Decode.parallel())}
	s.replaced, s.replace = context.WithCancel(context.WithoutCancel(ctx))
	if s.model, err = enrich.Load(ctx, options); err != nil {
		return nil, err
	}
	info := s.model.Info()
	if mode := albumMode(cfg, info); !slices.Contains(info.Modes, mode) {
		return nil, errors.Join(fmt.Errorf("%w: albums.mode: bundle %s has no mode %q, it has %v", ErrConfig, info.Name, mode, info.Modes), s.close())
	}
	// A slot is held from before the decode until after the CNN: two per runner's batch keep decoders and runners busy.
	batch := cfg.Batch
	batch.Runners = batch.runners(info.Placement.OnGPU())
	slots := 2*batch.MaxSize*batch.Runners + 2*runtime.GOMAXPROCS(0)
	if s.slots, err = decode.NewSlots(slots, info.InputBytes); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.batcher = NewBatcher(watchedModel{s.model, w.watchdog}, batch, w.metrics)
	s.decoder, s.passer = s.model, s.model
	return s, nil
}

// runners is how many calls of the network are in flight. A GPU works on one while the photos of the next are copied to it; a
// CPU has nothing to overlap, and each call has one core.
func (b BatchConfig) runners(onGPU bool) int {
	switch {
	case b.Runners > 0:
		return b.Runners
	case onGPU:
		return 2
	}
	return runtime.GOMAXPROCS(0)
}

// begin lets the batcher work until close.
func (s *serving) begin(ctx context.Context) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var work sync.WaitGroup
	work.Go(func() { _ = s.batcher.Run(ctx) }) // it has no errors
	s.stop = func() {
		cancel()
		work.Wait()
	}
}

// close frees everything; nobody works with it any more.
func (s *serving) close() error {
	s.replace()
	s.stop()
	err := s.model.Close()
	if s.slots != nil {
		s.slots.Close()
	}
	return err
}

// hold is the bundle in use, which is not closed before it is released.
func (w *worker) hold() *serving {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.users++
	return w.serving
}

// holdFormer is the bundle that was in use before, if it is the one with that checksum and still loaded; else nil.
func (w *worker) holdFormer(sha256 string) *serving {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.former == nil || w.former.model.Info().SHA256 != sha256 {
		return nil
	}
	w.former.users++
	return w.former
}

func (w *worker) release(s *serving) {
	if s == nil {
		return
	}
	w.mu.Lock()
	s.users--
	last := s.users == 0
	w.mu.Unlock()
	if !last {
		return
	}
	info := s.model.Info()
	if err := s.close(); err != nil {
		w.log.Error("close the model", "err", err)
	}
	w.log.Debug("bundle closed", "bundle", info.Name+"@"+info.Version, "sha256", info.SHA256)
}

// serve has a partition worked on with the bundle in use, until that is another one.
func (w *worker) serve(ctx context.Context, work func(context.Context, *serving) error) error {
	s := w.hold()
	defer w.release(s)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(s.replaced, func() { cancel(errSwapped) })()
	err := work(ctx, s)
	if errors.Is(context.Cause(ctx), errSwapped) && (err == nil || errors.Is(err, context.Canceled)) {
		return errSwapped
	}
	return err
}

// swap puts another bundle in the place of the one in use: the partitions are begun anew with it. The old one stays,
// without photos, for albums that were opened with it, unless the two are the same but for their settings.
func (w *worker) swap(s *serving) {
	w.mu.Lock()
	old, older := w.serving, w.former
	w.serving, w.former = s, old
	w.mu.Unlock()
	old.replace()
	w.release(older)
	if old.model.Info().SHA256 == s.model.Info().SHA256 {
		w.dropFormer()
	}
}

// dropFormer lets go of the bundle that was in use before.
func (w *worker) dropFormer() {
	w.mu.Lock()
	former := w.former
	w.former = nil
	w.mu.Unlock()
	w.release(former)
}

// lingering is how long a former bundle is kept: as long as an album that was opened with it may be answered.
func (s *serving) lingering() time.Duration {
	return time.Duration(s.cfg.Albums.MaxAge + s.cfg.Albums.Linger)
}
