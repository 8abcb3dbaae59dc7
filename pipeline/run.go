package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"
)

// ErrShutdown says that the worker did not stop within shutdown.deadline. Nothing is lost by it: what was not committed
// is worked on by the next owner.
var ErrShutdown = errors.New("worker did not stop in time")

// Run is the whole worker: it loads the bundle, joins the groups of its stages and works until ctx ends, then drains
// within shutdown.deadline. It returns nil after a clean stop, and otherwise the reason that ended it.
//
// With ErrStuck or ErrShutdown it leaves goroutines behind that may be in C code: the caller must end the process.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	return RunReloading(ctx, cfg, log, nil)
}

// RunReloading is Run that puts into force what comes in of the keys in Reloadable, bundle included, without leaving its
// groups: see reload.go.
func RunReloading(ctx context.Context, cfg Config, log *slog.Logger, in <-chan Reload) error {
	w := newWorker(cfg, log)
	w.incoming = in
	return w.supervised(ctx, w.build)
}

// supervised is a life of the worker under the eyes of the watchdog and of the shutdown deadline.
func (w *worker) supervised(ctx context.Context, build func(context.Context) error) error {
	stopped := make(chan error, 1)
	go func() { stopped <- w.life(ctx, build) }() // awaited below; left behind only when the process is about to end
	hopeless := make(chan error, 1)
	watching, stopWatching := context.WithCancel(context.WithoutCancel(ctx))
	var watch sync.WaitGroup
	watch.Go(func() {
		if err := w.watchdog.Run(watching); err != nil {
			hopeless <- err
		}
	})
	defer watch.Wait()
	defer stopWatching()
	select {
	case err := <-stopped:
		return err
	case err := <-hopeless:
		return err
	case <-ctx.Done():
	}
	deadline := time.Duration(w.cfg.Shutdown.Deadline)
	w.log.Info("stopping", "deadline", deadline)
	select {
	case err := <-stopped:
		return err
	case err := <-hopeless:
		return err
	case <-time.After(deadline):
		return fmt.Errorf("%w: %v passed; in progress: %s", ErrShutdown, deadline, w.watchdog.Busy())
	}
}

// life builds the worker, works until ctx ends, and takes it apart when nothing uses it any more. The probes answer from
// the beginning. The stages stop first; the batcher and the HTTP server, which they need, live on until then.
func (w *worker) life(ctx context.Context, build func(context.Context) error) error {
	defer w.close()
	aside, stopAside := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopAside(nil)
	helpers, aside := errgroup.WithContext(aside)
	helpers.Go(func() error { return serveHTTP(aside, w.cfg.HTTP, w.reg, w.health, w.log) })
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(aside, stop)() // a helper that fails ends everything

	err := build(ctx)
	if err == nil {
		w.begin(aside)
		helpers.Go(func() error { return w.reloads(aside, w.incoming) })
		err = w.work(ctx)
	}
	w.health.SetReady(false, "stopping")
	stopAside(nil)
	return errors.Join(clean(err), clean(helpers.Wait()))
}

// build makes the parts, cheapest mistakes first: nothing is loaded for a configuration that cannot work.
func (w *worker) build(ctx context.Context) error {
	ctx, ended := w.watchdog.Stage(ctx, "start")
	defer ended()
	ctx, p := w.watchdog.Enter(ctx, workLoad)
	defer p.leave()
	w.health.SetReady(false, "connecting to kafka")
	if err := w.connect(ctx); err != nil {
		return stuckOr(ctx, err)
	}
	w.health.SetReady(false, "loading the bundle")
	return stuckOr(ctx, w.load(ctx))
}

// work runs the stages until ctx ends or one of them fails.
func (w *worker) work(ctx context.Context) error {
	stages, ctx := errgroup.WithContext(ctx)
	for _, stage := range w.cfg.Joins() {
		stages.Go(func() error {
			return w.watched(ctx, stage, func(ctx context.Context) error { return w.runStage(ctx, stage) })
		})
	}
	w.health.SetReady(true, "working")
	return stages.Wait()
}

// clean drops the errors that only say that somebody asked for an end.
func clean(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
