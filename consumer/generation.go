package consumer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// serve runs the handlers of one generation and returns when all have returned:
// because ctx ended, the group rebalances, or one of them cannot go on.
func (r *groupRun) serve(ctx, ended context.Context, g *kafka.Generation) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(ended, cancel)()
	m := membership{
		client: r.client, group: r.config.Group, stage: r.config.Stage, topic: r.config.Topic,
		generation: g.ID, member: g.MemberID,
	}
	r.mu.Lock()
	r.last = m
	r.mu.Unlock()
	defer r.forsake(ctx, m)()
	var partitions []int
	for _, assigned := range g.Assignments[r.config.Topic] {
		partitions = append(partitions, assigned.ID)
	}
	slices.Sort(partitions)
	log := r.client.cfg.Log.With("group", m.group, "generation", m.generation, "topic", m.topic)
	log.Info("partitions assigned", "partitions", partitions)
	began := time.Now()

	turns := make(chan struct{}, takeovers)
	var working sync.WaitGroup
	for _, partition := range partitions {
		working.Go(func() {
			if err := r.partition(ctx, m, partition, turns); err != nil {
				r.settle(ctx, partition, err)
				cancel()
			}
		})
	}
	working.Go(func() {
		r.watch(ctx)
		cancel()
	})
	working.Wait()
	log.Info("partitions released", "partitions", partitions, "after", time.Since(began).Round(time.Millisecond))
}

// settle decides about an error that ends the generation.
func (r *groupRun) settle(ctx context.Context, partition int, err error) {
	if !errors.Is(err, ErrFenced) {
		r.fail(err)
		return
	}
	r.client.cfg.Log.Warn("partition has another owner, joining the group again",
		"group", r.config.Group, "topic", r.config.Topic, "partition", partition, "err", err)
	// Two deployments that share a transactional id would take it from each
	// other as fast as the broker allows.
	pause(ctx, 200*time.Millisecond)
}

// partition works on one partition until the generation or the work ends.
func (r *groupRun) partition(ctx context.Context, m membership, partition int, turns chan struct{}) error {
	for n := 0; ; n++ {
		moved, err := r.once(ctx, m, partition, turns, n > 0)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // whatever it was, the end of ctx is why
		case err == nil:
			<-ctx.Done()
			return nil
		case errors.Is(err, ErrFenced) || !errors.Is(err, ErrRestart):
			return err
		}
		if moved {
			n = 0
		}
		wait := min(50*time.Millisecond<<min(n, 10), 5*time.Second)
		r.client.cfg.Log.Warn("going on from the committed offset",
			"group", m.group, "topic", m.topic, "partition", partition, "in", wait, "err", err)
		pause(ctx, wait)
	}
}

// once takes a partition over and hands it to the handler. moved tells whether
// the handler committed anything.
func (r *groupRun) once(ctx context.Context, m membership, partition int, turns chan struct{}, anew bool) (moved bool, err error) {
	select {
	case turns <- struct{}{}:
	case <-ctx.Done():
		return false, ctx.Err()
	}
	var a *Assignment
	if anew {
		err = m.stands(ctx)
	}
	if err == nil {
		a, err = m.open(ctx, partition)
	}
	<-turns
	if err != nil || ctx.Err() != nil {
		return false, err
	}
	begin := a.Committed()
	stopWatch := a.reader.watchEnd(ctx)
	err = r.handle(ctx, a)
	stopWatch()
	return a.Committed() != begin, err
}

// watch returns when the number of partitions has changed, or ctx ended: the
// generation must end for the new partitions to be assigned. kafka-go can watch
// too, but its question makes brokers create a topic that was deleted.
func (r *groupRun) watch(ctx context.Context) {
	ticker := time.NewTicker(watchPartitions)
	defer ticker.Stop()
	count := 0
	for {
		nodes, err := r.client.leaders(ctx, r.config.Topic)
		if err == nil && count == 0 {
			count = len(nodes)
		}
		if err == nil && len(nodes) != count {
			r.client.cfg.Log.Info("topic has a new number of partitions, rebalancing",
				"group", r.config.Group, "topic", r.config.Topic, "from", count, "to", len(nodes))
			return
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}
