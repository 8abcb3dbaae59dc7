package consumer

import (
	"context"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
)

// leaveTime is how long leaving may take over the library's own connections.
const leaveTime = 2 * time.Second

// leave closes the group, which leaves it, so that the others need not wait for
// the session time-out. The library cannot be interrupted while it waits for a
// rebalance, which may take as long as the rebalance time-out: then its
// connections are cut and the leave request is sent from here.
func (r *groupRun) leave(group *kafka.ConsumerGroup, open *dials) {
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		_ = group.Close() // never fails
	}()
	timer := time.NewTimer(leaveTime)
	defer timer.Stop()
	select {
	case <-closed:
		return
	case <-timer.C:
	}
	open.cut()
	<-closed
	ctx, cancel := context.WithTimeout(context.Background(), leaveTime)
	defer cancel()
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	if err := last.leave(ctx); err != nil {
		r.client.cfg.Log.Warn("could not leave the group, others wait for the session time-out",
			"group", r.config.Group, "err", err)
	}
}

// forsake leaves the group when handlers have not returned long after ctx told
// them to: the library sends heartbeats until they have, and the partitions would
// stand still for as long. Nothing can be committed any more by then, and the new
// owner fences whatever is tried. The returned function ends the wait.
func (r *groupRun) forsake(ctx context.Context, m membership) (returned func()) {
	done := make(chan struct{})
	var waiting sync.WaitGroup
	waiting.Go(func() {
		select {
		case <-ctx.Done():
		case <-done:
			return
		}
		timer := time.NewTimer(lastWords + requestTimeout)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-done:
			return
		}
		r.client.cfg.Log.Warn("handlers do not return, leaving the group without them", "group", m.group, "topic", m.topic)
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveTime)
		defer cancel()
		if err := m.leave(bounded); err != nil {
			r.client.cfg.Log.Warn("could not leave the group, others wait for the session time-out", "group", m.group, "err", err)
		}
	})
	return func() { close(done); waiting.Wait() }
}

// errCut is the error of a dial after cut.
var errCut = errors.New("group is being left")

// dials remembers the open connections of a consumer group.
type dials struct {
	mu   sync.Mutex
	open map[*dialled]struct{}
	over bool
}

// dialled is a connection that forgets itself when it is closed.
type dialled struct {
	net.Conn
	owner *dials
}

func (d *dials) dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := dialImpatient(ctx, network, address)
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.over {
		_ = conn.Close()
		return nil, errCut
	}
	if d.open == nil {
		d.open = make(map[*dialled]struct{})
	}
	kept := &dialled{conn, d}
	d.open[kept] = struct{}{}
	return kept, nil
}

// Close implements net.Conn.
func (c *dialled) Close() error {
	c.owner.mu.Lock()
	delete(c.owner.open, c)
	c.owner.mu.Unlock()
	return c.Conn.Close()
}

// cut closes all connections and lets no new ones come.
func (d *dials) cut() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.over = true
	for c := range d.open {
		_ = c.Conn.Close()
	}
}
