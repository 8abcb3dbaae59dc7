package bench

import (
	"context"
	"fmt"
	"runtime"
	"time"

	"planetag/consumer"
)

// Scale is a run of our worker with more or fewer cores or processes.
type Scale struct {
	Workers         int     `json:"workers"` // processes on one topic
	Cores           int     `json:"cores"`   // of the workers; broker and store have all
	PhotosPerSecond float64 `json:"photos_per_second"`
	CPU             float64 `json:"cpu_ms_per_photo"`
	Locations       int     `json:"locations"`
	References      int     `json:"references"`
}

// scalingRuns is how many runs' worth of references a row gets: together, several processes have hundreds of photos in hand
// before the first is committed.
const scalingRuns = 2

// manyWorkers is how many processes share a topic in the last row.
const manyWorkers = 4

// scale measures what a core is worth, and what it costs to share the work among processes.
func (b *bench) scale(ctx context.Context, r *Result) error {
	crews := []crew{{1, 1}, {1, 0}, {manyWorkers, 0}}
	if runtime.NumCPU() == 1 {
		crews = crews[1:]
	}
	for _, c := range crews {
		s := Scale{Workers: c.workers, Cores: c.cores, References: scalingRuns * b.Count}
		if s.Cores == 0 {
			s.Cores = runtime.NumCPU()
		}
		b.Progress(fmt.Sprintf("scaling: %d of %d cores, %d processes", s.Cores, runtime.NumCPU(), s.Workers))
		if err := b.scaled(ctx, c, &s); err != nil {
			return fmt.Errorf("%d processes on %d cores: %w", s.Workers, s.Cores, err)
		}
		r.Scaling = append(r.Scaling, s)
	}
	return nil
}

// scaled is one such run. Its references are published when every process has joined, so that none has the topic for itself.
func (b *bench) scaled(ctx context.Context, c crew, s *Scale) error {
	topic := fmt.Sprintf("scaling-%d-%d-%d", time.Now().UnixMilli(), c.workers, c.cores)
	if err := b.world.makeTopics(ctx, topic); err != nil {
		return err
	}
	e := b.worker(b.bundle, c, map[string]string{"TOPICS_INPUT": topic})
	e.topic = topic
	r, err := e.launch()
	if err != nil {
		return err
	}
	defer r.stop()
	if err := r.ready(ctx); err != nil {
		return err
	}
	if err := b.world.publish(ctx, topic, 0, s.References); err != nil {
		return err
	}
	p, err := b.follow(ctx, r, s.References, nil)
	if err != nil {
		return err
	}
	s.PhotosPerSecond, s.CPU = p.rate(firstMark, lastMark), p.cost(0, 1, ours)
	s.Locations, err = b.delivered(ctx, e.output, s.References)
	return err
}

// delivered counts the locations that a reader of committed records sees. Exactly once, each reference has led to one.
func (b *bench) delivered(ctx context.Context, topic string, references int) (locations int, err error) {
	of := make(map[string]bool, references)
	_, err = b.world.client.Read(ctx, topic, nil, func(rec consumer.Record) error {
		of[string(rec.Key)] = true
		locations++
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("%w: count locations: %w", ErrBench, err)
	}
	return locations, counted(b.Config.Kafka.Delivery, references, len(of), locations)
}

// counted says what is wrong with that many locations of that many photos. At least once, a photo may have several.
func counted(delivery string, references, photos, locations int) error {
	if photos != references || delivery == "exactly_once" && locations != references {
		return fmt.Errorf("%w: %d references led to %d locations of %d photos", ErrBench, references, locations, photos)
	}
	return nil
}
