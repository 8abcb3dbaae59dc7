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

// together decodes on every core and runs two calls of the largest batch that eight photos a core make.
func (c *check) together(ctx context.Context, name string, model *enrich.Model, data [][]byte) error {
	cores := runtime.GOMAXPROCS(0)
	photos, cpu, err := c.forAWhile(cores, func() (int, error) {
		const n = 8
		pixels := make([][]byte, n)
		for i := range pixels {
			pixels[i] = make([]byte, model.Info().InputBytes)
			if _, err := model.Decode(ctx, data[i%len(data)], pixels[i]); err != nil {
				return 0, err
			}
		}
		_, err := model.Embed(ctx, pixels)
		return n, err
	})
	if err != nil {
		return err
	}
	c.add(name, fmt.Sprintf("decode and network from memory, %d cores", cores), "%.0f photos/s, %.2f ms of CPU each", photos, cpu)
	return nil
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
