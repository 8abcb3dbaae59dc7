package main

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"planetag/enrich"
)

// speed is the network alone: every batch size, then two calls at a time, which a GPU can overlap.
func (c *check) speed(ctx context.Context, name string, model *enrich.Model, pixels [][]byte, buckets []int) error {
	rate := map[int]float64{}
	for _, callers := range []int{1, 2} {
		for _, n := range buckets {
			if callers == 2 && n != slices.Max(buckets) {
				continue
			}
			photos, cpu, err := c.forAWhile(callers, func() (int, error) {
				_, err := model.Embed(ctx, repeat(pixels, n))
				return n, err
			})
			if err != nil {
				return err
			}
			c.add(name, fmt.Sprintf("network alone, %d × batch of %d", callers, n), "%.0f photos/s, %.2f ms of CPU each", photos, cpu)
			rate[callers] = photos
		}
	}
	c.add(name, "two calls at a time against one", "× %.2f", rate[2]/rate[1])
	return nil
}

// together decodes on every core, from memory, and runs two calls at a time, of the largest batch, as a worker does.
func (c *check) together(ctx context.Context, name string, model *enrich.Model, data [][]byte, buckets []int) error {
	const calls = 2
	cores, size := runtime.GOMAXPROCS(0), slices.Max(buckets)
	empty := make(chan []byte, 2*calls*size+cores)
	decoded := make(chan []byte, cap(empty)) // so that no decoder ever waits for a caller
	for range cap(empty) {
		empty <- make([]byte, model.Info().InputBytes)
	}
	ctx, stop := context.WithCancel(ctx)
	failed := make(chan error, cores)
	var decoders sync.WaitGroup
	for first := range cores {
		decoders.Go(func() { failed <- decodeAll(ctx, model, data, first, empty, decoded) })
	}
	photos, cpu, err := c.forAWhile(calls, func() (int, error) {
		batch := make([][]byte, size)
		for i := range batch {
			select {
			case batch[i] = <-decoded:
			case err := <-failed:
				return 0, err
			}
		}
		_, err := model.Embed(ctx, batch)
		for _, p := range batch {
			empty <- p
		}
		return size, err
	})
	stop()
	decoders.Wait()
	if err != nil {
		return err
	}
	c.add(name, fmt.Sprintf("decode and network from memory, %d cores, %d × batch of %d", cores, calls, size), "%.0f photos/s, %.2f ms of CPU each", photos, cpu)
	return nil
}

// decodeAll fills empty pixels with the photos, round and round from the first, until it is told to stop.
func decodeAll(ctx context.Context, model *enrich.Model, data [][]byte, first int, empty <-chan []byte, decoded chan<- []byte) error {
	for i := first; ; i++ {
		select {
		case pixels := <-empty:
			if _, err := model.Decode(ctx, data[i%len(data)], pixels); err != nil {
				return err
			}
			decoded <- pixels
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// forAWhile has callers call f again and again: photos a second, and milliseconds of CPU for each.
func (c *check) forAWhile(callers int, f func() (int, error)) (rate, cpu float64, err error) {
	if _, err := f(); err != nil { // the first call of a batch size pays for more
		return 0, 0, err
	}
	var mu sync.Mutex
	var calls sync.WaitGroup
	photos := 0
	before, started := processor(), time.Now()
	for range callers {
		calls.Go(func() {
			for time.Since(started) < c.span {
				n, failed := f()
				mu.Lock()
				photos += n
				if failed != nil {
					err = failed
				}
				mu.Unlock()
				if failed != nil {
					return
				}
			}
		})
	}
	calls.Wait()
	took := time.Since(started).Seconds()
	return float64(photos) / took, 1000 * (processor() - before) / float64(max(photos, 1)), err
}

// processor is what this process has used of the CPU, in seconds.
func processor() float64 {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// repeat are n photos.
func repeat(pixels [][]byte, n int) [][]byte {
	batch := make([][]byte, n)
	for i := range batch {
		batch[i] = pixels[i%len(pixels)]
	}
	return batch
}

// reloaded opens and closes the model again and again: what a reload costs, and what it leaves behind.
func (c *check) reloaded(ctx context.Context, name, dir string) error {
	const times, first = 6, 2 // libraries are loaded by the first ones
	var after [times]int
	started := time.Now()
	for i := range times {
		model, err := enrich.Load(ctx, enrich.Options{Bundle: dir, Device: c.device, SkipGolden: true})
		if err != nil {
			return err
		}
		if err := model.Close(); err != nil {
			return err
		}
		after[i] = resident()
	}
	grown := after[times-1] - after[first-1]
	c.promise(grown < 64, name, "memory kept by a reload", "%.1f MiB (%d reloads, %.1f s each)",
		float64(grown)/(times-first), times, time.Since(started).Seconds()/times)
	return nil
}

// resident is the memory of this process in MiB.
func resident() int {
	text, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(text))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1]) // a number, says proc(5)
	return pages * os.Getpagesize() >> 20
}
