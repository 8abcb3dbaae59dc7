package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/infer"
)

// bundle makes all measurements of one bundle.
func (c *check) bundle(ctx context.Context, dir string) error {
	manifest, err := bundle.Read(dir)
	if err != nil {
		return err
	}
	name, buckets := fmt.Sprintf("%s@%s", manifest.Manifest.Name, manifest.Manifest.Version), manifest.Manifest.CNN.Buckets
	loading := "load, warm-up and golden photos"
	if c.speedOnly {
		loading = "load and warm-up"
	}
	started := time.Now()
	model, err := enrich.Load(ctx, enrich.Options{Bundle: dir, Device: c.device, SkipGolden: c.speedOnly})
	if err != nil {
		return err
	}
	where := model.Info().Placement
	c.add(name, "runs on", "%v", where)
	c.add(name, loading, "%.1f s", time.Since(started).Seconds())
	pixels, data, err := c.decoded(ctx, model)
	if err == nil {
		err = errors.Join(
			c.speed(ctx, name, model, pixels, buckets),
			c.together(ctx, name, model, data, buckets),
		)
	}
	if err == nil && !c.speedOnly {
		err = errors.Join(
			c.agreement(ctx, name, dir, model, pixels),
			c.cancelled(ctx, name, model, pixels, buckets),
			c.signalled(name),
		)
	}
	if err := errors.Join(err, model.Close()); err != nil || c.speedOnly {
		return err
	}
	return errors.Join(c.cramped(ctx, name, dir, where, pixels), c.reloaded(ctx, name, dir))
}

// decoded are the photos of the folder, as files and as pixels.
func (c *check) decoded(ctx context.Context, model *enrich.Model) (pixels, data [][]byte, err error) {
	files, _ := filepath.Glob(filepath.Join(c.photos, "*", "*.jpg")) // the pattern is sound
	more, _ := filepath.Glob(filepath.Join(c.photos, "*.jpg"))
	for _, file := range append(files, more...) {
		photo, err := os.ReadFile(file)
		if err != nil {
			return nil, nil, err
		}
		p := make([]byte, model.Info().InputBytes)
		if _, err := model.Decode(ctx, photo, p); err == nil { // a broken one is not what is measured here
			pixels, data = append(pixels, p), append(data, photo)
		}
	}
	if len(pixels) == 0 {
		return nil, nil, fmt.Errorf("no photo could be read in %s", c.photos)
	}
	return pixels, data, nil
}

// agreement compares with what the CPU answers, to as many photos as it gets done in ten seconds.
func (c *check) agreement(ctx context.Context, name, dir string, model *enrich.Model, pixels [][]byte) error {
	cpu, err := enrich.Load(ctx, enrich.Options{Bundle: dir, SkipGolden: true})
	if err != nil {
		return err
	}
	defer cpu.Close()
	var want []enrich.Sight
	for began := time.Now(); len(want) < len(pixels) && time.Since(began) < 10*time.Second; {
		sights, err := cpu.Embed(ctx, pixels[len(want):len(want)+1])
		if err != nil {
			return err
		}
		want = append(want, sights...)
	}
	got, err := model.Embed(ctx, pixels[:len(want)])
	if err != nil {
		return err
	}
	least, same := 1.0, 0
	for i := range got {
		least = min(least, cosine(got[i].Embedding, want[i].Embedding))
		if got[i].Top[0].Cell == want[i].Top[0].Cell {
			same++
		}
	}
	c.promise(least > 0.99, name, "least cosine of embeddings with the CPU's", "%.5f", least)
	c.promise(10*same >= 9*len(got), name, "same best cell as on the CPU", "%d of %d", same, len(got))
	return nil
}

func cosine(a, b []float32) float64 {
	ab, aa, bb := 0.0, 0.0, 0.0
	for i := range a {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	return ab / math.Sqrt(aa*bb)
}

// cancelled is how long a call takes to return when nobody wants it any more.
func (c *check) cancelled(ctx context.Context, name string, model *enrich.Model, pixels [][]byte, buckets []int) error {
	batch := repeat(pixels, 8*slices.Max(buckets))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var asked time.Time
	timer := time.AfterFunc(20*time.Millisecond, func() { asked = time.Now(); cancel() })
	defer timer.Stop()
	_, err := model.Embed(ctx, batch)
	if err == nil {
		c.add(name, "a cancelled call returns after", "it was done before")
		return nil
	}
	c.promise(errors.Is(err, context.Canceled), name, "a cancelled call returns after", "%.0f ms", 1000*time.Since(asked).Seconds())
	return nil
}

// signalled sends the program a signal after the first calls, which CUDA's own handlers would not survive.
func (c *check) signalled(name string) error {
	got := make(chan os.Signal, 1)
	signal.Notify(got, syscall.SIGUSR1)
	defer signal.Stop(got)
	if err := syscall.Kill(syscall.Getpid(), syscall.SIGUSR1); err != nil {
		return err
	}
	select {
	case <-got:
		c.add(name, "signals arrive after the first calls", "yes")
	case <-time.After(5 * time.Second):
		c.promise(false, name, "signals arrive after the first calls", "no")
	}
	return nil
}

// cramped answers all photos with as little of the GPU's memory as one photo needs, where the large batches have no room.
func (c *check) cramped(ctx context.Context, name, dir string, where infer.Placement, pixels [][]byte) error {
	const figure, least, most = "answers with little memory", 32 << 20, 16 << 30
	if !where.OnGPU() {
		c.add(name, figure, "not on a CPU")
		return nil
	}
	device := c.device
	device.Provider = where.Provider // auto would take the CPU
	for device.Memory = least; device.Memory <= most; device.Memory *= 2 {
		model, err := enrich.Load(ctx, enrich.Options{Bundle: dir, Device: device, SkipGolden: true})
		switch {
		case errors.Is(err, infer.ErrMemory) || errors.Is(err, infer.ErrDevice):
			continue // not even one photo fits
		case err != nil:
			return err
		}
		defer model.Close()
		sights, err := model.Embed(ctx, pixels)
		c.promise(err == nil && len(sights) == len(pixels), name, figure, "%d MiB: %d photos, batches of at most %d (0 = all)",
			device.Memory>>20, len(sights), model.BatchCeiling())
		return nil
	}
	c.promise(false, name, figure, "none with %d GiB", most>>30)
	return nil
}
