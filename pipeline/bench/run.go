package bench

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// Run is one run of our own worker.
type Run struct {
	Photos          int     `json:"photos"`
	Locations       int     `json:"locations"`         // on the output topic when all was committed
	Workers         int     `json:"workers"`           // processes
	PhotosPerSecond float64 `json:"photos_per_second"` // between 40 % and 85 % of the photos
	CPU             CPU     `json:"cpu_ms_per_photo"`
	Steps           []Step  `json:"steps"`
	Batches         Batches `json:"batches"`
	Transactions    float64 `json:"photos_per_transaction"`
	Memory          Memory  `json:"memory"`
	Allocations     float64 `json:"allocations_per_photo"`         // of Go's heap, in the worker as a whole, its start not included
	FirstTenth      float64 `json:"photos_per_second_first_tenth"` // behind the first 5 %
	LastTenth       float64 `json:"photos_per_second_last_tenth"`  // before the last 5 %
}

// CPU is processor time, user and system, in milliseconds a photo.
type CPU struct {
	Total    float64 `json:"total"`
	Worker   float64 `json:"worker_process"`
	Decoders float64 `json:"decoder_processes"`
	Network  float64 `json:"network"`         // of the worker's: inside ONNX Runtime
	Rest     float64 `json:"outside_network"` // Total without Network
	GCShare  float64 `json:"gc_share"`        // of Total
	Around   float64 `json:"around"`          // beside Total: this command, with the broker and the store that are embedded in it
}

// Step is one step of the walk.
type Step struct {
	Name string  `json:"name"`
	Wall float64 `json:"wall_ms"` // mean of one: a photo, a batch or a transaction; 0 = it has none of its own
	CPU  float64 `json:"cpu_ms"`  // a photo
	Of   string  `json:"of"`      // what Wall is of
}

// step is the processor time of one of the steps, in milliseconds a photo.
func (r Run) step(name string) float64 {
	for _, s := range r.Steps {
		if s.Name == name {
			return s.CPU
		}
	}
	return 0
}

// Batches are the calls of the network.
type Batches struct {
	Mean float64 `json:"mean_photos"`
	Fill float64 `json:"fill"` // Mean as a share of batch.max_size; what is missing is not computed: there is no padding
}

// Memory is resident memory of the worker and its decoders.
type Memory struct {
	Peak  int64   `json:"peak_bytes"`
	Slope float64 `json:"growth_bytes_per_photo"` // line of least squares over the second half of the photos
}

// Counters of a worker's metrics page.
const (
	allocations = "go_memstats_mallocs_total"
	answered    = "planetag_photos_total"
)

// measure runs our worker over all photos and takes it apart.
func (b *bench) measure(ctx context.Context, e entrant) (Run, error) {
	b.Progress(fmt.Sprintf("%d photos through the worker", b.Count))
	r, err := e.launch()
	if err != nil {
		return Run{}, err
	}
	defer r.stop()
	if err := r.ready(ctx); err != nil {
		return Run{}, err
	}
	begun, err := readPages(ctx, r.http)
	if err != nil {
		return Run{}, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var sampled profile
	var failed error
	var aside sync.WaitGroup
	p, err := b.follow(ctx, r, b.Count, func(left time.Duration) {
		aside.Go(func() { sampled, failed = takeProfile(ctx, r.http[0], profileFor(left)) })
	})
	if err != nil {
		return Run{}, err
	}
	said, err := readPages(ctx, r.http)
	if err != nil {
		return Run{}, err
	}
	aside.Wait()
	if failed != nil {
		return Run{}, failed
	}
	if dead := said.counter("planetag_dead_letters_total"); dead > 0 {
		return Run{}, fmt.Errorf("%w: %.0f photos became dead letters", ErrBench, dead)
	}
	run := b.analyse(p, sampled, said)
	run.Allocations = (said.counter(allocations) - begun.counter(allocations)) / max(said.counter(answered)-begun.counter(answered), 1)
	run.Locations, err = b.delivered(ctx, e.output, b.Count)
	return run, err
}

// profileFor is long enough for some hundred samples and over with the measured part: behind it a worker that has run out of photos would be
// profiled, and, where it is fast, the bench would wait for that alone.
func profileFor(left time.Duration) time.Duration {
	return min(max(left.Truncate(time.Second), time.Second), 30*time.Second)
}

func (b *bench) analyse(p pace, sampled profile, page page) Run {
	each := func(of func(moment) time.Duration) float64 { return p.cost(firstMark, lastMark, of) }
	r := Run{
		Photos: b.Count, Workers: b.crew().workers, PhotosPerSecond: p.rate(firstMark, lastMark),
		CPU: CPU{
			Total:    each(ours),
			Worker:   each(func(m moment) time.Duration { return m.usage.worker }),
			Decoders: each(func(m moment) time.Duration { return m.usage.children }),
			Around:   each(func(m moment) time.Duration { return m.around }),
		},
		Memory:     Memory{p.peak(), p.growth()},
		FirstTenth: p.rate(0.05, 0.15), LastTenth: p.rate(0.85, 0.95),
	}
	worker := func(part string) float64 { return r.CPU.Worker * sampled.share(part) }
	r.CPU.Network = worker(partNetwork)
	r.CPU.Rest = r.CPU.Total - r.CPU.Network
	r.CPU.GCShare = share(worker(partGC), r.CPU.Total)
	wall := func(step string) float64 { return 1e3 * page.mean("planetag_stage_seconds", "stage", step) }
	r.Steps = []Step{
		{"fetch", wall("fetch"), worker(partFetch), "photo"},
		{"decode", wall("decode"), r.CPU.Decoders + worker(partDecode), "photo"},
		{"batch wait", max(wall("batch")-wall("infer"), 0), 0, "photo"},
		{"inference", wall("infer"), r.CPU.Network, "batch"},
		{"place", wall("place"), worker(partPlace), "photo"},
		{"transaction", wall("commit"), worker(partKafka), "transaction"},
		{"garbage collection", 0, worker(partGC), ""},
		{"rest of the worker", 0, worker(partRest), ""},
	}
	r.Batches.Mean = page.mean("planetag_batch_size", "", "")
	r.Batches.Fill = r.Batches.Mean / float64(b.Config.Batch.MaxSize)
	if n := page.counter("planetag_transactions_total"); n > 0 {
		r.Transactions = page.counter(answered) / n
	}
	return r
}
