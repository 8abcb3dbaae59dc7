package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/decode"
)

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

	decoder  decoder
	turns    chan struct{} // photos being decoded
	passer   passer
	objects  fetcher
	watchdog *Watchdog
}

// newWorker is a worker of which nothing is built yet.
func newWorker(cfg Config, log *slog.Logger) *worker {
	reg := prometheus.NewRegistry()
	w := &worker{
		cfg: cfg, log: log, reg: reg, metrics: NewMetrics(reg),
		budget: NewBudget(int64(cfg.Memory.Budget)), health: NewHealth(time.Duration(cfg.HTTP.StallAfter)),
	}
	w.watchdog = NewWatchdog(cfg.Watchdog, time.Duration(cfg.Shutdown.Deadline), w.metrics, log)
	w.health.watchdog = w.watchdog
	w.metrics.Budget(w.budget)
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return w
}

func (w *worker) connect(ctx context.Context) error {
	conf, err := w.cfg.ClientConfig(w.log, Observers{w.metrics, w.health})
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
	w.objects = w.store.observed(w.metrics, w.log)
	return w.greet(ctx)
}

// greet asks for the bucket, so that wrong settings end the start; a store that is away now is waited for.
func (w *worker) greet(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	err := w.store.Ping(ctx, w.cfg.S3.Bucket)
	if err == nil || Judge(err) == Stop {
		return err
	}
	w.log.Warn("store does not answer yet", "err", err)
	return nil
}

func (w *worker) load(ctx context.Context) error {
	options, err := modelOptions(w.cfg)
	if err != nil {
		return err
	}
	options.Isolate = w.cfg.Decode.isolate(&children{metrics: w.metrics, log: w.log})
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
	w.batcher = NewBatcher(watchedModel{w.model, w.watchdog}, w.cfg.Batch, w.metrics)
	w.decoder, w.passer = w.model, w.model
	w.turns = make(chan struct{}, w.cfg.Decode.parallel())
	w.metrics.Model(info)
	boundHeap(w.budget.Total())
	w.log.Info("bundle loaded", "bundle", info.Name+"@"+info.Version, "sha256", info.SHA256, "onnxruntime", info.LibraryVersion)
	return nil
}

func (w *worker) runners() int {
	if w.cfg.Batch.Runners > 0 {
		return w.cfg.Batch.Runners
	}
	return runtime.GOMAXPROCS(0)
}

func (w *worker) runStage(ctx context.Context, stage string) error {
	group := consumer.GroupConfig{
		Group: w.cfg.Kafka.Group + "." + stage, Stage: stage,
		Member: func(is bool) { w.health.Member(stage, is) },
	}
	var handle consumer.Handler
	switch stage {
	case "photos":
		group.Topic, handle = w.cfg.Topics.Input, w.photos()
	case "albums":
		if albumMode(w.cfg, w.model.Info()) == "none" {
			w.log.Info("album mode is none: photos keep their photo-level answer")
			<-ctx.Done()
			return nil
		}
		group.Topic, handle = w.cfg.Topics.Embeddings, w.albums()
	default:
		return fmt.Errorf("stages: no stage is called %q", stage)
	}
	w.health.Member(stage, false)
	defer w.health.Gone(stage)
	if err := w.client.RunGroup(ctx, group, handle); err != nil {
		return fmt.Errorf("stage %s: %w", stage, err)
	}
	return nil
}

func (w *worker) photos() consumer.Handler {
	s := &photoStage{
		cfg: w.cfg, model: w.model, store: watchedStore{w.objects, w.watchdog}, batcher: w.batcher, slots: w.slots,
		budget: w.budget, metrics: w.metrics, health: w.health, log: w.log.With("stage", "photos"),
		decoder: w.decoder, turns: w.turns, watchdog: w.watchdog,
	}
	return func(ctx context.Context, a *consumer.Assignment) error {
		return w.hand(ctx, "photos", a, func(ctx context.Context, a albumAssignment) error { return s.handle(ctx, a) })
	}
}

func (w *worker) albums() consumer.Handler {
	s := &albumStage{
		cfg: w.cfg, model: w.model, budget: w.budget, metrics: w.metrics, health: w.health, log: w.log.With("stage", "albums"),
		passer: w.passer, watchdog: w.watchdog,
	}
	return func(ctx context.Context, a *consumer.Assignment) error {
		w.health.Replays("albums", a.Topic(), a.Partition())
		return w.hand(ctx, "albums", a, s.handle)
	}
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

// albumMode is the album mode in force: the configured one, else the bundle's default.
func albumMode(c Config, info enrich.Info) string {
	if c.Albums.Mode != "" {
		return c.Albums.Mode
	}
	return info.DefaultMode
}
