package consumer

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// GroupConfig names a consumer group's work. The transactional id of a partition
// is Group/Stage/Topic/partition: two deployments that share it fence each other.
type GroupConfig struct {
	// Group is the whole consumer group id.
	Group string
	// Stage labels metrics and tells apart groups with the same id.
	Stage string
	// Topic is the one topic the group reads.
	Topic string
	// Member, if not nil, is told when this process becomes a member of a
	// generation, perhaps without any partition, and when it is none any more.
	Member func(is bool)
}

// Handler works on one partition until ctx ends. It returns nil when it is done
// or was told to stop, and else the error that made it stop; see
// [Client.RunGroup].
type Handler func(ctx context.Context, a *Assignment) error

// takeovers is how many partitions begin side by side. A takeover waits for the
// broker more than it works: 64 of them take 93 ms by eight and 578 ms by one.
const takeovers = 8

// watchPartitions is how often a member looks whether its topic has grown.
const watchPartitions = 5 * time.Second

// RunGroup joins the group and calls handle once for every partition it is
// assigned, in every generation, until ctx ends; then it waits for the handlers,
// leaves the group, and returns nil. What a handler returns decides:
//
//   - nil, or anything once its ctx has ended: the partition rests until the
//     generation ends.
//   - [ErrRestart]: the partition is taken over again and handle is called again,
//     at the committed offset, in the same generation.
//   - [ErrFenced]: this generation is given up and the group joined again.
//   - any other error: every handler is stopped, and RunGroup returns the error.
func (c *Client) RunGroup(ctx context.Context, g GroupConfig, handle Handler) error {
	if g.Group == "" || g.Topic == "" || g.Stage == "" {
		return fmt.Errorf("run group: group %q, stage %q and topic %q must all be given", g.Group, g.Stage, g.Topic)
	}
	err := c.Ping(ctx)
	if err == nil {
		// Joining would make the broker create a topic that is missing.
		_, err = c.Partitions(ctx, g.Topic)
	}
	if ctx.Err() != nil {
		return nil
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	run := &groupRun{client: c, config: g, handle: handle, cancel: cancel}
	return run.untilDone(ctx)
}

// groupRun is one call of RunGroup.
type groupRun struct {
	client *Client
	config GroupConfig
	handle Handler
	cancel context.CancelFunc // stops everything

	mu    sync.Mutex
	fatal error
	last  membership // for leaving, when the library has lost track of it
}

func (r *groupRun) untilDone(ctx context.Context) error {
	group, dials, err := r.join()
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		generation, err := group.Next(ctx)
		if err != nil {
			r.joinFailed(ctx, err)
			continue
		}
		r.member(true)
		served := make(chan struct{})
		generation.Start(func(ended context.Context) {
			r.serve(ctx, ended, generation)
			close(served)
			if ctx.Err() != nil {
				// Returning ends the generation, and the library would join
				// the next one: first it must hear that we leave.
				<-ended.Done()
			}
		})
		<-served
		r.member(false)
	}
	r.leave(group, dials)
	return r.failure()
}

func (r *groupRun) join() (*kafka.ConsumerGroup, *dials, error) {
	cfg := r.client.cfg
	open := &dials{}
	dialer := r.client.dialer(&watchedMechanism{Mechanism: r.client.mechanism})
	dialer.DialFunc = open.dial
	group, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID:               r.config.Group,
		Brokers:          cfg.Brokers,
		Topics:           []string{r.config.Topic},
		Dialer:           dialer,
		GroupBalancers:   []kafka.GroupBalancer{kafka.RangeGroupBalancer{}},
		SessionTimeout:   cfg.SessionTimeout,
		RebalanceTimeout: cfg.RebalanceTimeout,
		// A rebalance is learnt from a heartbeat.
		HeartbeatInterval: min(cfg.SessionTimeout/4, time.Second),
		JoinGroupBackoff:  250 * time.Millisecond,
		Timeout:           requestTimeout,
	})
	if err != nil {
		return nil, nil, fmt.Errorf("join group %q: %w", r.config.Group, err)
	}
	return group, open, nil
}

// joinFailed decides about an error between two generations. The library tries
// again by itself.
func (r *groupRun) joinFailed(ctx context.Context, err error) {
	log := r.client.cfg.Log.With("group", r.config.Group, "topic", r.config.Topic, "err", err)
	var code kafka.Error
	switch {
	case ctx.Err() != nil:
	case errors.As(err, &code) && actionOf(code) == giveUp:
		needs := []right{onGroup("Read", r.config.Group), onTopic("Read", r.config.Topic)}
		r.fail(fmt.Errorf("join group %q: %w", r.config.Group, r.client.explain(err, needs)))
	case errors.As(err, &code) && actionOf(code) == leave:
		log.Debug("joining again") // another member came or went meanwhile
	default:
		log.Warn("cannot join the group, trying again")
	}
}

func (r *groupRun) member(is bool) {
	if r.config.Member != nil {
		r.config.Member(is)
	}
}

func (r *groupRun) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fatal == nil {
		r.fatal = err
	}
	r.cancel()
}

func (r *groupRun) failure() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.fatal
}
