package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"planetag/consumer"
	"planetag/enrich"
)

// worker holds what the stages share.
type worker struct {
	cfg     Config
	log     *slog.Logger
	client  *consumer.Client
	store   *Store
	budget  *Budget
	reg     *prometheus.Registry
	metrics *Metrics
	health  *Health
	inputs  *InputReader
	output  *OutputWriter

	objects  fetcher
	watchdog *Watchdog
	live     *precedence   // of live photos over those of the backfill topic
	held     *atomic.Int64 // bytes of the albums of all partitions

	incoming <-chan Reload

	mu       sync.Mutex
	*serving          // in use; see hold
	former   *serving // in use before, or nil
}

// newWorker is a worker of which nothing is built yet.
func newWorker(cfg Config, log *slog.Logger) *worker {
	reg := prometheus.NewRegistry()
	w := &worker{
		cfg: cfg, log: log, reg: reg, metrics: NewMetrics(reg),
		held:   new(atomic.Int64),
		budget: NewBudget(int64(cfg.Memory.Budget)), health: NewHealth(time.Duration(cfg.HTTP.StallAfter)),
	}
	w.watchdog = NewWatchdog(cfg.Watchdog, time.Duration(cfg.Shutdown.Deadline), w.metrics, log)
	w.health.watchdog = w.watchdog
	w.live = newPrecedence(cfg.Photos.LiveWeight)
	w.metrics.Budget(w.budget)
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return w
}

func (w *worker) connect(ctx context.Context) (err error) {
	if w.inputs, err = NewInputReader(w.cfg); err != nil {
		return err
	}
	if w.output, err = NewOutputWriter(ctx, w.cfg); err != nil {
		return err
	}
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
	if err := w.permitted(ctx); err != nil {
		return err
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

// permitted asks for the rights that the groups need, so that no stage works before another one finds that it may not.
func (w *worker) permitted(ctx context.Context) error {
	var missing []error
	for _, stage := range w.cfg.Joins() {
		group := w.cfg.Kafka.Group + "." + stage
		missing = append(missing, w.client.PermittedGroup(ctx, group))
		if w.cfg.Kafka.Delivery == "exactly_once" {
			missing = append(missing, w.client.PermittedTransactions(ctx, group))
		}
	}
	if err := errors.Join(missing...); err != nil {
		return fmt.Errorf("join groups: %w", err)
	}
	return nil
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
	s, err := w.newServing(ctx, w.cfg)
	if err != nil {
		return err
	}
	w.serving = s
	w.metrics.BatchCeiling(w.batchCeiling)
	if over := boundHeap(w.budget.Total()); over > 0 {
		w.log.Warn("memory.budget is more than this container has room for; make it smaller, or the container larger", "by", Bytes(over))
	}
	w.log.Info("bundle loaded", w.tell(s.model.Info())...)
	return nil
}

// tell publishes which bundle is in use, and returns it for the log.
func (w *worker) tell(info enrich.Info) []any {
	w.metrics.Model(info)
	if info.Placement.Note != "" {
		w.log.Warn("the accelerator is not used as it could be", "placement", info.Placement.String())
	}
	return []any{
		"bundle", info.Name + "@" + info.Version, "sha256", info.SHA256, "precision", info.Precision,
		"onnxruntime", info.LibraryVersion, "provider", info.Placement.Provider,
	}
}

// batchCeiling is that of the bundle in use.
func (w *worker) batchCeiling() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.serving.model.BatchCeiling()
}

func (w *worker) runStage(ctx context.Context, stage string) error {
	group := consumer.GroupConfig{
		Group: w.cfg.Kafka.Group + "." + stage, Stage: stage,
		Member: func(is bool) { w.health.Member(stage, is) },
	}
	var handle consumer.Handler
	switch stage {
	case "photos":
		group.Topic, handle = w.cfg.Topics.Input, w.photos(stage, w.live.live)
	case stageBackfill:
		group.Topic, handle = w.cfg.Topics.Backfill, w.photos(stage, w.live.backfill)
	case "albums":
		s := w.hold()
		mode := albumMode(s.cfg, s.model.Info()) // no reload goes to or from none
		w.release(s)
		if mode == "none" {
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

// photos is the stage "photos" for one of its two topics. Both share everything: model, store, budget and slots. What lies
// on the backfill topic are references of planetag's own, whatever the input's records are.
func (w *worker) photos(stage string, admit admission) consumer.Handler {
	log, inputs := w.log.With("stage", stage), *w.inputs
	if stage == stageBackfill {
		inputs = InputReader{bucket: w.cfg.S3.Bucket}
	}
	return func(ctx context.Context, a *consumer.Assignment) error {
		return w.serve(ctx, func(ctx context.Context, b *serving) error {
			s := &photoStage{
				cfg: b.cfg, inputs: inputs, output: *w.output, model: b.model, store: watchedStore{w.objects, w.watchdog}, batcher: b.batcher, slots: b.slots,
				budget: w.budget, metrics: w.metrics, health: w.health, log: log, stage: stage, admit: admit,
				decoder: b.decoder, turns: b.turns, watchdog: w.watchdog,
			}
			return w.hand(ctx, stage, a, func(ctx context.Context, a albumAssignment) error { return s.handle(ctx, a) })
		})
	}
}

func (w *worker) albums() consumer.Handler {
	log := w.log.With("stage", "albums")
	return func(ctx context.Context, a *consumer.Assignment) error {
		return w.serve(ctx, func(ctx context.Context, b *serving) error {
			s := &albumStage{
				cfg: b.cfg, output: *w.output, model: b.model, budget: w.budget, metrics: w.metrics, health: w.health, log: log,
				passer: b.passer, watchdog: w.watchdog, held: w.held, worker: w,
			}
			w.health.Replays("albums", a.Topic(), a.Partition())
			return w.hand(ctx, "albums", a, s.handle)
		})
	}
}

// close frees everything that was built; the stages have ended by then.
func (w *worker) close() {
	w.dropFormer()
	if w.serving != nil {
		w.release(w.serving)
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
