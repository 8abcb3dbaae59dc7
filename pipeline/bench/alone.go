package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sys/unix"

	"planetag/enrich"
	"planetag/enrich/decode"
)

// Ceiling is what the machine could do if a photo cost nothing but its decoding and its network.
type Ceiling struct {
	DecodeMS        float64 `json:"decode_cpu_ms"`                           // of one photo, alone, while every core decodes
	CoefficientsMS  float64 `json:"coefficients_cpu_ms"`                     // of reading a JPEG's coefficients only, by libjpeg-turbo
	NetworkMS       float64 `json:"network_cpu_ms"`                          // of one photo, in full batches, alone, on every core at once
	BareMS          float64 `json:"bare_loop_ms,omitempty"`                  // cores × clock of one photo where every core decodes a batch, then runs it, and nothing else; 0 = not measured, on a GPU
	Accelerator     float64 `json:"accelerator_photos_per_second,omitempty"` // of a GPU alone, by the clock; its network's processor time is the host's part
	PhotosPerSecond float64 `json:"photos_per_second"`
}

func ceilingOf(cores int, decode, coefficients, network, accelerator float64) *Ceiling {
	rate := float64(cores) * 1e3 / (decode + network)
	if accelerator > 0 {
		rate = min(rate, accelerator)
	}
	return &Ceiling{DecodeMS: decode, CoefficientsMS: coefficients, NetworkMS: network, Accelerator: accelerator, PhotosPerSecond: rate}
}

func meanCeiling(cores int, a, b Ceiling) *Ceiling {
	c := ceilingOf(cores, (a.DecodeMS+b.DecodeMS)/2, (a.CoefficientsMS+b.CoefficientsMS)/2, (a.NetworkMS+b.NetworkMS)/2, (a.Accelerator+b.Accelerator)/2)
	c.BareMS = (a.BareMS + b.BareMS) / 2
	return c
}

// load loads one of a bundle's networks.
func (b *bench) load(ctx context.Context, bundle, precision string) (*enrich.Model, error) {
	return enrich.Load(ctx, enrich.Options{Library: b.Config.Bundle.Library, Bundle: bundle, Precision: precision, SkipGolden: true, Device: b.Config.Accelerator.Resolve()})
}

// alone measures decoding and the network, each alone.
func (b *bench) alone(ctx context.Context) (Ceiling, error) {
	m, err := b.load(ctx, b.bundle, b.Config.Bundle.Precision)
	if err != nil {
		return Ceiling{}, err
	}
	defer m.Close()
	files := b.world.photos
	decoding, err := b.costOf("decode", len(files), func(i int, slots [][]byte) error {
		_, err := m.Decode(ctx, files[i%len(files)].data, slots[i%len(slots)])
		return err
	}, m)
	if err != nil {
		return Ceiling{}, err
	}
	coefficients, err := b.costOf("coefficients", len(files), func(i int, _ [][]byte) error {
		return decode.Coefficients(files[i%len(files)].data)
	}, m)
	if err != nil {
		return Ceiling{}, err
	}
	network, accelerator, err := b.networkOf(ctx, m)
	if err != nil {
		return Ceiling{}, err
	}
	c := ceilingOf(b.cores(), decoding, coefficients, network, accelerator)
	if accelerator == 0 {
		c.BareMS, err = b.bare(ctx, m)
	}
	return *c, err
}

// bare is the fastest worker there could be: every core decodes a batch and runs the network on it, again and again, with no broker, no store and
// no other process. It answers what a photo takes of all cores by the clock, in milliseconds: what a virtual machine's host keeps for itself is in it.
func (b *bench) bare(ctx context.Context, m *enrich.Model) (float64, error) {
	files, least := b.world.photos, time.Duration(min(2*b.Count, 4000))*time.Millisecond
	rates := make([]float64, b.cores())
	var group errgroup.Group
	for core := range rates {
		group.Go(func() error {
			slots, began, done := b.slots(m), time.Now(), 0
			for time.Since(began) < least {
				for i := range slots {
					if _, err := m.Decode(ctx, files[(core*len(files)/len(rates)+done+i)%len(files)].data, slots[i]); err != nil {
						return err
					}
				}
				if _, err := m.Embed(ctx, slots); err != nil {
					return err
				}
				done += len(slots)
			}
			rates[core] = float64(done) / time.Since(began).Seconds()
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("%w: decode and network in a bare loop: %w", ErrBench, err)
	}
	return float64(len(rates)) * 1e3 / sum(rates), nil
}

// acceleratorOf is networkOf on a GPU that has nothing to do but full batches, two calls at a time; the processor time is the host's.
func (b *bench) acceleratorOf(ctx context.Context, m *enrich.Model) (cost, rate float64, err error) {
	const calls = 2
	var rates, host [calls]float64
	var group errgroup.Group
	began := time.Now()
	for i := range calls {
		group.Go(func() (err error) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			slots := b.slots(m)
			photos, cpu := 0, threadTime()
			for ; err == nil && time.Since(began) < time.Second; photos += len(slots) {
				_, err = m.Embed(ctx, slots)
			}
			rates[i], host[i] = float64(photos)/time.Since(began).Seconds(), (threadTime()-cpu).Seconds()*1e3/float64(photos)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, 0, fmt.Errorf("%w: network alone: %w", ErrBench, err)
	}
	return (host[0] + host[1]) / calls, rates[0] + rates[1], nil
}

// slots are the pixels of a batch.
func (b *bench) slots(m *enrich.Model) [][]byte {
	slots := make([][]byte, b.batch())
	for i := range slots {
		slots[i] = make([]byte, m.Info().InputBytes)
	}
	return slots
}

// network measures one of a bundle's networks alone, in milliseconds a photo.
func (b *bench) network(ctx context.Context, bundle, precision string) (float64, error) {
	m, err := b.load(ctx, bundle, precision)
	if err != nil {
		return 0, err
	}
	defer m.Close()
	cost, _, err := b.networkOf(ctx, m)
	return cost, err
}

// networkOf is the processor time of a photo in full batches of the network, in milliseconds, and, on a GPU, its photos a second by the clock.
func (b *bench) networkOf(ctx context.Context, m *enrich.Model) (cost, accelerator float64, err error) {
	if m.Info().Placement.OnGPU() {
		return b.acceleratorOf(ctx, m)
	}
	cost, err = b.costOf("network", 1, func(_ int, slots [][]byte) error { _, err := m.Embed(ctx, slots); return err }, m)
	return cost / float64(b.batch()), 0, err
}

func (b *bench) batch() int { return max(b.Config.Batch.MaxSize, 1) }

// costOf is the processor time of one call, in milliseconds, while every core makes such calls and nothing else, each with slots for a batch of its
// own: cores share their caches, and often their arithmetic, so that a call costs more than on a machine that is otherwise at rest.
// Calls that belong to a round are made equally often.
func (b *bench) costOf(name string, round int, call func(i int, slots [][]byte) error, m *enrich.Model) (float64, error) {
	least := time.Duration(min(b.Count, 1000)) * time.Millisecond
	costs := make([]float64, b.cores())
	var group errgroup.Group
	for core := range costs {
		group.Go(func() (err error) {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			slots := b.slots(m)
			costs[core], err = threadCost(round, least, func(i int) error { return call(i, slots) })
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return 0, fmt.Errorf("%w: %s alone: %w", ErrBench, name, err)
	}
	return sum(costs) / float64(len(costs)), nil
}

func sum(list []float64) (all float64) {
	for _, x := range list {
		all += x
	}
	return all
}

// threadCost is the processor time of one call, in milliseconds, over whole rounds that take at least so long.
func threadCost(round int, least time.Duration, call func(i int) error) (float64, error) {
	began, n := threadTime(), 0
	for ; threadTime()-began < least || n%round != 0; n++ {
		if err := call(n); err != nil {
			return 0, err
		}
	}
	return (threadTime() - began).Seconds() * 1e3 / float64(n), nil
}

// threadTime is what this thread has had of the processor.
func threadTime() time.Duration {
	var t unix.Timespec
	if unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) != nil {
		return time.Duration(time.Now().UnixNano()) // a system without such a clock: the wall's
	}
	return time.Duration(t.Nano())
}
