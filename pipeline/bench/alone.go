package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"planetag/enrich"
	"planetag/enrich/decode"
)

// Ceiling is what the machine could do if a photo cost nothing but its decoding and its network.
type Ceiling struct {
	DecodeMS        float64 `json:"decode_cpu_ms"`       // of one photo, alone, on one thread
	CoefficientsMS  float64 `json:"coefficients_cpu_ms"` // of reading a JPEG's coefficients only, which no decoder can do without
	NetworkMS       float64 `json:"network_cpu_ms"`      // of one photo, in full batches, alone, on one thread
	PhotosPerSecond float64 `json:"photos_per_second"`
}

func ceilingOf(cores int, decode, coefficients, network float64) *Ceiling {
	return &Ceiling{decode, coefficients, network, float64(cores) * 1e3 / (decode + network)}
}

func meanCeiling(cores int, a, b Ceiling) *Ceiling {
	return ceilingOf(cores, (a.DecodeMS+b.DecodeMS)/2, (a.CoefficientsMS+b.CoefficientsMS)/2, (a.NetworkMS+b.NetworkMS)/2)
}

// load loads one of a bundle's networks.
func (b *bench) load(ctx context.Context, bundle, precision string) (*enrich.Model, error) {
	return enrich.Load(ctx, enrich.Options{Library: b.Config.Bundle.Library, Bundle: bundle, Precision: precision, SkipGolden: true})
}

// alone measures decoding and the network, each alone, by the clock of the thread that does it.
func (b *bench) alone(ctx context.Context) (Ceiling, error) {
	m, err := b.load(ctx, b.bundle, b.Config.Bundle.Precision)
	if err != nil {
		return Ceiling{}, err
	}
	defer m.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	size := max(b.Config.Batch.MaxSize, 1)
	slots := make([][]byte, size)
	for i := range slots {
		slots[i] = make([]byte, m.Info().InputBytes)
	}
	files, least := b.world.photos, time.Duration(min(b.Count, 1000))*time.Millisecond
	var cost [3]float64
	for i, part := range []struct {
		name  string
		round int // calls that belong together: all files are seen equally often
		call  func(i int) error
	}{
		{"decode", len(files), func(i int) error {
			_, err := m.Decode(ctx, files[i%len(files)].data, slots[i%size])
			return err
		}},
		{"coefficients", len(files), func(i int) error { return decode.Coefficients(files[i%len(files)].data) }},
		{"network", 1, func(int) error { _, err := m.Embed(ctx, slots); return err }},
	} {
		if cost[i], err = costOf(part.round, least, part.call); err != nil {
			return Ceiling{}, fmt.Errorf("%w: %s alone: %w", ErrBench, part.name, err)
		}
	}
	return *ceilingOf(b.cores(), cost[0], cost[1], cost[2]/float64(size)), nil
}

// network measures one of a bundle's networks alone, in milliseconds a photo.
func (b *bench) network(ctx context.Context, bundle, precision string) (float64, error) {
	m, err := b.load(ctx, bundle, precision)
	if err != nil {
		return 0, err
	}
	defer m.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	photos := make([][]byte, max(b.Config.Batch.MaxSize, 1))
	for i := range photos {
		photos[i] = make([]byte, m.Info().InputBytes)
	}
	cost, err := costOf(1, time.Duration(min(b.Count, 1000))*time.Millisecond, func(int) error { _, err := m.Embed(ctx, photos); return err })
	if err != nil {
		return 0, fmt.Errorf("%w: network alone: %w", ErrBench, err)
	}
	return cost / float64(len(photos)), nil
}

// costOf is the processor time of one call, in milliseconds, over whole rounds that take at least so long.
func costOf(round int, least time.Duration, call func(i int) error) (float64, error) {
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
