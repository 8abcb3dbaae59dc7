package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/sync/errgroup"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/decode"
)

// ErrShutdown says that the worker did not stop within shutdown.deadline. Nothing is lost by it: what was not committed
// is worked on by the next owner.
var ErrShutdown = errors.New("worker did not stop in time")

// Run is the whole worker: it loads the bundle, joins the groups of its stages and works until ctx ends, then drains
// within shutdown.deadline. It returns nil after a clean stop, and otherwise the reason that ended it.
func Run(ctx context.Context, cfg Config, log *slog.Logger) error {
	w, err := newWorker(ctx, cfg, log)
	if err != nil {
		return err
	}
	defer w.close()
	stopped := make(chan error, 1)
	go func() { stopped <- w.run(ctx) }() // awaited below; left behind only when the process is about to end
	select {
	case err := <-stopped:
		return err
	case <-ctx.Done():
	}
	log.Info("stopping", "deadline", time.Duration(cfg.Shutdown.Deadline))
	select {
	case err := <-stopped:
		return err
	case <-time.After(time.Duration(cfg.Shutdown.Deadline)):
		w.abandon()
		return fmt.Errorf("%w: %v passed", ErrShutdown, time.Duration(cfg.Shutdown.Deadline))
	}
}

// worker holds what the stages share.
type worker struct {
	cfg     Config
	log     *slog.Logger
	client  *consumer.Client
	model   *enrich.Model
	store   *Store
	slots   *decode.Slots
	budget  *Budget
	batcher *Batcher
	reg     *prometheus.Registry
	metrics *Metrics
	health  *Health
}

// newWorker builds the parts, cheapest mistakes first: nothing is loaded for a configuration that cannot work.
func newWorker(ctx context.Context, cfg Config, log *slog.Logger) (*worker, error) {
	reg := prometheus.NewRegistry()
	w := &worker{
		cfg: cfg, log: log, reg: reg, metrics: NewMetrics(reg),
		budget: NewBudget(int64(cfg.Memory.Budget)), health: NewHealth(time.Duration(cfg.HTTP.StallAfter)),
	}
	if err := w.connect(ctx); err != nil {
		w.close()
		return nil, err
	}
	if err := w.load(ctx); err != nil {
		w.close()
		return nil, err
	}
	w.metrics.Budget(w.budget)
	return w, nil
}

func (w *worker) connect(ctx context.Context) error {
	conf, err := w.cfg.ClientConfig(w.log, observers{w.metrics, w.health})
	if err != nil {
		return err
	}
	if w.client, err = consumer.NewClient(conf); err != nil {
		return err
	}
	if err := w.client.Ping(ctx); err != nil {
		return fmt.Errorf("reach kafka: %w", err)
	}
	if err := w.client.EnsureTopics(ctx, w.cfg.topics(), w.cfg.Topics.Create); err != nil {
		return fmt.Errorf("prepare topics: %w", err)
	}
	if !slices.Contains(w.cfg.Stages, "photos") {
		return nil
	}
	if w.store, err = NewStore(w.cfg.S3, w.cfg.Photos.MaxObjectBytes); err != nil {
		return err
	}
	return nil
}

func (w *worker) load(ctx context.Context) error {
	options, err := modelOptions(w.cfg)
	if err != nil {
		return err
	}
	if w.model, err = enrich.Load(ctx, options); err != nil {
		return err
	}
	info := w.model.Info()
	if mode := albumMode(w.cfg, info); !slices.Contains(info.Modes, mode) {
		return fmt.Errorf("albums.mode: bundle %s has no mode %q, it has %v", info.Name, mode, info.Modes)
	}
	// A slot is held from before the decode until after the CNN: two per runner's batch keep decoders and runners busy.
	slots := 2*w.cfg.Batch.MaxSize*w.runners() + 2*runtime.GOMAXPROCS(0)
	if w.slots, err = decode.NewSlots(slots, info.InputBytes); err != nil {
		return err
	}
	w.batcher = NewBatcher(w.model, w.cfg.Batch, w.metrics)
	w.metrics.Model(info)
	w.log.Info("bundle loaded", "bundle", info.Name+"@"+info.Version, "sha256", info.SHA256, "onnxruntime", info.LibraryVersion)
	return nil
}

func (w *worker) runners() int {
	if w.cfg.Batch.Runners > 0 {
		return w.cfg.Batch.Runners
	}
	return runtime.GOMAXPROCS(0)
}

// run works until ctx ends. The stages stop first; the batcher and the HTTP server, which they need, live on until then.
func (w *worker) run(ctx context.Context) error {
	aside, stopAside := context.WithCancelCause(context.WithoutCancel(ctx))
	defer stopAside(nil)
	helpers, aside := errgroup.WithContext(aside)
	helpers.Go(func() error { return w.batcher.Run(aside) })
	helpers.Go(func() error { return serveHTTP(aside, w.cfg.HTTP, w.reg, w.health) })

	stages, ctx := errgroup.WithContext(ctx)
	for _, stage := range w.cfg.Stages {
		stages.Go(func() error { return w.runStage(ctx, stage) })
	}
	stages.Go(func() error { // a helper that fails ends the stages
		select {
		case <-aside.Done():
			return context.Cause(aside)
		case <-ctx.Done():
			return nil
		}
	})
	w.health.SetReady(true, "working")
	err := stages.Wait()
	w.health.SetReady(false, "stopping")
	stopAside(nil)
	return errors.Join(clean(err), clean(helpers.Wait()))
}

// clean drops the errors that only say that somebody asked for an end.
func clean(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

func (w *worker) runStage(ctx context.Context, stage string) error {
	group := consumer.GroupConfig{Group: w.cfg.Kafka.Group + "." + stage, Stage: stage}
	var handle consumer.Handler
	switch stage {
	case "photos":
		s := &photoStage{
			cfg: w.cfg, model: w.model, store: w.store, batcher: w.batcher, slots: w.slots,
			budget: w.budget, metrics: w.metrics, health: w.health, log: w.log.With("stage", stage),
		}
		group.Topic = w.cfg.Topics.Input
		handle = func(ctx context.Context, a *consumer.Assignment) error { return s.handle(ctx, a) }
	case "albums":
		if albumMode(w.cfg, w.model.Info()) == "none" {
			w.log.Info("album mode is none: photos keep their photo-level answer")
			<-ctx.Done()
			return nil
		}
		s := &albumStage{
			cfg: w.cfg, model: w.model, budget: w.budget, metrics: w.metrics, health: w.health, log: w.log.With("stage", stage),
		}
		group.Topic = w.cfg.Topics.Embeddings
		handle = func(ctx context.Context, a *consumer.Assignment) error { return s.handle(ctx, a) }
	default:
		return fmt.Errorf("stages: no stage is called %q", stage)
	}
	if err := w.client.RunGroup(ctx, group, handle); err != nil {
		return fmt.Errorf("stage %s: %w", stage, err)
	}
	return nil
}

// close frees everything that was built; the stages have ended by then.
func (w *worker) close() {
	if w.model != nil {
		if err := w.model.Close(); err != nil {
			w.log.Error("close the model", "err", err)
		}
	}
	if w.slots != nil {
		w.slots.Close()
	}
	if w.client != nil {
		w.client.Close()
	}
}

// abandon makes close leave alone what C code may still be using: the process is about to end.
func (w *worker) abandon() {
	w.model, w.slots = nil, nil
}

// albumMode is the album mode in force: the configured one, else the bundle's default.
func albumMode(c Config, info enrich.Info) string {
	if c.Albums.Mode != "" {
		return c.Albums.Mode
	}
	return info.DefaultMode
}
