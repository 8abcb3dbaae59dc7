package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	onTheWay  = 24 // files that wait for their verdicts at a time
	repeated  = 12 // of the slowest files, at least, are sent again alone
	mostAlone = 300
)

// show is one run: the world, the worker in it, and what is known so far.
type show struct {
	o      options
	world  *world
	worker *worker
	ledger *ledger
	memory *memory
	writer *kgo.Client

	files   []*sent
	took    map[string]time.Duration // by photo id
	waiting map[string]*sent
	told    time.Time // when the last line about progress was written
	moved   time.Time // when there was last a verdict
	fault   string    // why the run was ended early
}

// run brings up the parts, sends everything, and returns what came of it.
func run(ctx context.Context, o options) (*outcome, error) {
	begun := time.Now()
	files, err := plan(o)
	if err != nil {
		return nil, err
	}
	w, err := newWorld(ctx)
	if err != nil {
		return nil, err
	}
	defer w.close()
	s := &show{o: o, world: w, files: files, took: map[string]time.Duration{}, waiting: map[string]*sent{}, memory: &memory{children: map[int]bool{}}}
	if err := s.open(); err != nil {
		return nil, err
	}
	defer s.writer.Close()
	defer s.ledger.client.Close()
	watching, stopWatching := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() { s.memory.watch(watching) })
	defer watch.Wait()
	defer stopWatching()

	err = s.perform(ctx)
	pages := w.pages(ctx)
	if text := s.worker.stop(); text != "" {
		s.worker.crashes = append(s.worker.crashes, text)
	}
	if err != nil {
		return nil, fmt.Errorf("%w; the worker's log is %s", err, s.worker.log)
	}
	if err := s.ledger.toTheEnd(ctx, w.broker.Addr()); err != nil {
		return nil, err
	}
	return s.outcome(time.Since(begun), pages), nil
}

// open makes the clients and starts the worker.
func (s *show) open() (err error) {
	if s.writer, err = kgo.NewClient(kgo.SeedBrokers(s.world.broker.Addr())); err != nil {
		return fmt.Errorf("make the writer: %w", err)
	}
	if s.ledger, err = newLedger(s.world.broker.Addr()); err != nil {
		return err
	}
	env, err := s.world.environment(s.o)
	if err != nil {
		return err
	}
	log := s.o.log
	if log == "" {
		log = filepath.Join(os.TempDir(), fmt.Sprintf("planetag-hostile-%d.log", os.Getpid()))
	}
	binary, err := filepath.Abs(s.o.binary)
	if err != nil {
		return fmt.Errorf("find the worker: %w", err)
	}
	s.worker = &worker{binary: binary, env: env, log: log, memory: s.memory}
	return s.worker.start()
}

// perform sends every file, a few at a time, and then the slowest once more, one at a time.
func (s *show) perform(ctx context.Context) error {
	s.moved = time.Now()
	if err := s.send(ctx, s.files, onTheWay); err != nil || s.fault != "" {
		return err
	}
	alone := s.slowest()
	s.files = append(s.files, alone...)
	return s.send(ctx, alone, 1)
}

// send publishes files so that at most so many wait, until all have a verdict or none comes any more.
func (s *show) send(ctx context.Context, files []*sent, most int) error {
	for len(files) > 0 || len(s.waiting) > 0 {
		for len(files) > 0 && len(s.waiting) < most {
			if err := s.publish(ctx, files[0]); err != nil {
				return err
			}
			files = files[1:]
		}
		if err := s.gather(ctx); err != nil {
			return err
		}
		if time.Since(s.moved) > s.o.patience {
			s.fault = fmt.Sprintf("no verdict for %s with these on the way: %v", s.o.patience, s.suspects())
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}

func (s *show) publish(ctx context.Context, f *sent) error {
	data, err := f.load()
	if err != nil {
		return err
	}
	if err := s.world.put(ctx, keyOf(f.id), data); err != nil {
		return err
	}
	s.waiting[f.id] = f
	if err := s.writer.ProduceSync(ctx, reference(f.id)).FirstErr(); err != nil {
		return fmt.Errorf("publish %s: %w", f.id, err)
	}
	return nil
}

// gather reads verdicts, looks after the worker, and tells how far it has come.
func (s *show) gather(ctx context.Context) error {
	if err := s.ledger.poll(ctx); err != nil {
		return err
	}
	for id := range s.waiting {
		v, done := s.ledger.first[id]
		if !done {
			continue
		}
		if at, ok := s.world.askedAt(keyOf(id)); ok {
			s.took[id] = v.written.Sub(at)
		}
		delete(s.waiting, id)
		s.moved = time.Now()
		if err := s.world.remove(ctx, keyOf(id)); err != nil {
			return err
		}
	}
	if s.o.between != nil {
		s.o.between(len(s.ledger.first), s.worker.cmd.Process)
	}
	s.tell()
	crashes := len(s.worker.crashes)
	err := s.worker.revive(s.suspects())
	if len(s.worker.crashes) > crashes {
		s.moved = time.Now()
	}
	return err
}

// suspects are the files that were asked for and have no verdict.
func (s *show) suspects() (names []string) {
	for id, f := range s.waiting {
		if _, asked := s.world.askedAt(keyOf(id)); asked {
			names = append(names, f.name)
		}
	}
	slices.Sort(names)
	return names
}

func (s *show) tell() {
	if time.Since(s.told) < 2*time.Second {
		return
	}
	s.told = time.Now()
	now, peak, _, _, _ := s.memory.figures()
	var worst time.Duration
	for _, took := range s.took {
		worst = max(worst, took)
	}
	fmt.Fprintf(os.Stderr, "hostile: %d of %d files have a verdict, slowest %.1f s, %d MiB (at most %d), %d crashes\n",
		len(s.ledger.first), len(s.files), worst.Seconds(), now>>20, peak>>20, len(s.worker.crashes))
}

// slowest are the files that took longest among others, under new names: alone they show their own time.
func (s *show) slowest() []*sent {
	list := slices.Clone(s.files)
	slices.SortStableFunc(list, func(a, b *sent) int { return cmp.Compare(s.took[b.id], s.took[a.id]) })
	var again []*sent
	for i, f := range list {
		if i >= mostAlone || i >= repeated && s.took[f.id] < s.o.limit/4 {
			break
		}
		copied := *f
		copied.id, copied.alone = bucket+"/alone/"+keyOf(f.id), true
		again = append(again, &copied)
	}
	return again
}
