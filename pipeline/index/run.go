package index

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/sync/errgroup"

	"planetag/consumer"
	"planetag/pipeline"
	"planetag/pipeline/mapping"
)

// Stage is the word for this work in metrics, logs and dead letters.
const Stage = "index"

// Options say what is written where.
type Options struct {
	Config pipeline.Config
	Sink   Sink
	// Target names the sink and its index, as "opensearch.planetag-locations": it is the end of the group's name.
	Target string
	// Once ends the run when everything is settled that was on the topic at its start.
	Once bool
	// Progress, if not nil, is told about every second how the run gets on, by one goroutine.
	Progress func(Figures)
	Log      *slog.Logger
}

// run is one call of Run.
type run struct {
	cfg      pipeline.Config
	log      *slog.Logger
	budget   *pipeline.Budget
	writer   *writer
	progress *progress
	once     bool
	done     context.CancelFunc

	mu         sync.Mutex
	partitions int          // of the topic
	settled    map[int]bool // partitions of which everything was written that was there at the start
}

// Readable is an error, which wraps pipeline.ErrConfig, where the locations topic carries another form than the one that is
// read here.
func Readable(c pipeline.Config) error {
	if c.Output.Map == mapping.Default {
		return nil
	}
	return fmt.Errorf("%w: output.map is %q, so that %s carries another form of the locations; only output.map: %s is read here: a second worker, with kafka.group, topics.embeddings and topics.locations of its own, can publish that",
		pipeline.ErrConfig, c.Output.Map, c.Topics.Locations, mapping.Default)
}

// Run keeps the sink equal to the locations topic until ctx ends, or once. The figures are of this run. The error is nil
// after a stop that was asked for.
func Run(ctx context.Context, o Options) (Figures, error) {
	if err := Readable(o.Config); err != nil {
		return Figures{}, err
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	health := pipeline.NewHealth(time.Duration(o.Config.HTTP.StallAfter))
	r := &run{
		cfg: o.Config, log: o.Log, once: o.Once, settled: make(map[int]bool),
		budget: pipeline.NewBudget(int64(o.Config.Memory.Budget)), progress: newProgress(reg),
	}
	r.writer = &writer{
		sink: o.Sink, shape: o.Config.Index.Shape, dead: o.Config.Topics.DeadLetters, metrics: r.progress.metrics, log: o.Log, firstPause: shortPause,
	}
	aside, stopAside := context.WithCancel(context.WithoutCancel(ctx))
	defer stopAside()
	helpers, aside := errgroup.WithContext(aside)
	helpers.Go(func() error { return pipeline.ServeHTTP(aside, o.Config.HTTP, reg, health, o.Log) })
	if o.Progress != nil {
		helpers.Go(func() error { r.progress.show(aside, o.Progress); return nil })
	}
	ctx, r.done = context.WithCancel(ctx)
	defer r.done()
	defer context.AfterFunc(aside, r.done)() // a helper that fails ends everything
	err := r.consume(ctx, o.Target, health)
	health.SetReady(false, "stopping")
	stopAside()
	return r.progress.figures(), errors.Join(err, helpers.Wait())
}

// consume joins the group. Nothing is written to Kafka but dead letters and offsets, so a transaction would guard nothing: the
// sink takes repetitions.
func (r *run) consume(ctx context.Context, target string, health *pipeline.Health) error {
	conf, err := r.cfg.ClientConfig(r.log, pipeline.Observers{health, r.progress})
	if err != nil {
		return err
	}
	conf.Delivery = consumer.AtLeastOnce
	client, err := consumer.NewClient(conf)
	if err != nil {
		return err
	}
	defer client.Close()
	topics := r.cfg.Topics
	if err := client.EnsureTopics(ctx, []consumer.Topic{
		{Name: topics.Locations, Partitions: topics.Partitions, Replication: topics.Replication, Uses: []string{"Read"}},
		{Name: topics.DeadLetters, Partitions: topics.Partitions, Replication: topics.Replication, Uses: []string{"Write"}},
	}, topics.Create); err != nil {
		return fmt.Errorf("prepare topics: %w", err)
	}
	if r.partitions, err = client.Partitions(ctx, topics.Locations); err != nil {
		return err
	}
	health.SetReady(true, "working")
	group := consumer.GroupConfig{
		Group: r.cfg.Kafka.Group + "." + Stage + "." + target, Stage: Stage, Topic: topics.Locations,
		Member: func(is bool) { health.Member(Stage, is) },
	}
	return client.RunGroup(ctx, group, func(ctx context.Context, a *consumer.Assignment) error {
		defer health.Left(Stage, a.Topic(), a.Partition())
		defer r.progress.left(a.Partition())
		return r.handle(ctx, a, a.Partition())
	})
}

// caughtUp ends a run that is to do everything once. It must have been given all partitions: one member alone.
func (r *run) caughtUp(partition int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.settled[partition] = true; r.once && len(r.settled) == r.partitions {
		r.done()
	}
}
