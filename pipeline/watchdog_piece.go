package pipeline

import (
	"context"
	"errors"
	"net/http/httptrace"
	"sync/atomic"
	"time"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/decode"
)

// This file puts the parts of the worker under the watchdog's eyes.

// place is where a piece of work belongs; partition is -1 for what a stage's partitions share.
type place struct {
	stage     string
	partition int
}

type placeKey struct{}

// at marks a context with the place that its work belongs to.
func at(ctx context.Context, stage string, partition int) context.Context {
	return context.WithValue(ctx, placeKey{}, place{stage, partition})
}

// Stage begins a stage: the returned context ends, with ErrStuck as its cause, when something in it is stuck. ended must
// be called once the stage has returned.
func (d *Watchdog) Stage(ctx context.Context, name string) (within context.Context, ended func()) {
	if d == nil {
		return ctx, func() {}
	}
	within, cancel := context.WithCancelCause(at(ctx, name, -1))
	d.mu.Lock()
	defer d.mu.Unlock()
	s := d.stages[name]
	if s == nil {
		s = &watchedStage{}
		d.stages[name] = s
	}
	s.cancel, s.running, s.moved, s.ended, s.why = cancel, true, time.Now(), time.Time{}, nil
	return within, func() {
		d.mu.Lock()
		s.running = false
		d.mu.Unlock()
		cancel(nil)
	}
}

// Enter notes that a piece of work begins, at the place that ctx is marked with. The returned context ends when the piece
// is over its limit. leave must be called when the work has returned, and not before.
func (d *Watchdog) Enter(ctx context.Context, what work) (context.Context, *piece) {
	if d == nil {
		return ctx, nil
	}
	where, marked := ctx.Value(placeKey{}).(place)
	if !marked {
		where = place{"none", -1}
	}
	p := &piece{dog: d, what: what, place: where}
	ctx, p.cancel = context.WithCancelCause(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pieces[p] = struct{}{}
	p.stamp()
	return ctx, p
}

// beat says that a piece of work gets on.
func (p *piece) beat() {
	if p == nil {
		return
	}
	p.dog.mu.Lock()
	defer p.dog.mu.Unlock()
	p.stamp()
}

// leave says that a piece of work has returned.
func (p *piece) leave() {
	if p == nil {
		return
	}
	p.dog.mu.Lock()
	defer p.dog.mu.Unlock()
	p.stamp()
	delete(p.dog.pieces, p)
	p.cancel(nil)
}

func (p *piece) stamp() {
	p.moved = time.Now()
	if s := p.dog.stages[p.place.stage]; s != nil {
		s.moved = p.moved
	}
}

// committed says that a stage got something done.
func (d *Watchdog) committed(stage string) {
	if d == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if s := d.stages[stage]; s != nil {
		s.strikes = 0
	}
}

// strikes is how often a stage was ended since it last committed something.
func (d *Watchdog) strikes(stage string) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.stages[stage].strikes
}

// watchedAssignment is a partition whose reads and commits are watched. It is used like the assignment in it.
type watchedAssignment struct {
	albumAssignment
	dog      *Watchdog
	stage    string
	caughtUp func()
	owes     func(records int64) // is told how many records were read and not yet committed
	read     atomic.Int64        // behind the last record read
	moved    atomic.Int64        // the group's offset
}

// CaughtUp is the assignment's, and is passed on to the probes.
func (a *watchedAssignment) CaughtUp() bool {
	is := a.albumAssignment.CaughtUp()
	if is {
		a.caughtUp()
	}
	return is
}

// Fetch is the assignment's.
func (a *watchedAssignment) Fetch(ctx context.Context) ([]consumer.Record, error) {
	ctx, p := a.dog.Enter(ctx, workTransaction)
	defer p.leave()
	records, err := a.albumAssignment.Fetch(ctx)
	if n := len(records); n > 0 {
		a.moved.CompareAndSwap(0, records[0].Offset)
		a.read.Store(records[n-1].Offset + 1)
		a.owes(a.read.Load() - a.moved.Load())
	}
	return records, err
}

// Commit is the assignment's.
func (a *watchedAssignment) Commit(ctx context.Context, records []consumer.Record, next int64) error {
	ctx, p := a.dog.Enter(ctx, workTransaction)
	defer p.leave()
	err := a.albumAssignment.Commit(ctx, records, next)
	if err == nil {
		a.dog.committed(a.stage)
		a.moved.Store(next)
		a.owes(a.read.Load() - next)
	}
	return err
}

// watchedStore is a store each of whose attempts is watched. Whatever it does between two attempts, it asks for a
// connection at the beginning of each.
type watchedStore struct {
	fetcher
	dog *Watchdog
}

func (s watchedStore) Get(ctx context.Context, ref Reference, sized func(int64)) (Object, error) {
	ctx, p := s.dog.Enter(ctx, workFetch)
	defer p.leave()
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GetConn: func(string) { p.beat() }})
	object, err := s.fetcher.Get(ctx, ref, sized)
	return object, stuckOr(ctx, err)
}

// watchedModel is the CNN of all partitions.
type watchedModel struct {
	embedder
	dog *Watchdog
}

func (m watchedModel) Embed(ctx context.Context, pixels [][]byte) ([]enrich.Sight, error) {
	ctx, p := m.dog.Enter(at(ctx, "photos", -1), workModel)
	defer p.leave()
	sights, err := m.embedder.Embed(ctx, pixels)
	return sights, stuckOr(ctx, err)
}

// decoder turns the bytes of a photo into pixels; *enrich.Model in production.
type decoder interface {
	Decode(ctx context.Context, data, dst []byte) (decode.Photo, error)
}

// passer is the album model; *enrich.Model in production.
type passer interface {
	Album(ctx context.Context, mode string, members []enrich.Member) ([]enrich.Reading, error)
}

// decode decodes a photo into a slot. Waiting for a turn is not watched: behind
// slow photos it may take long without anything being stuck.
func (s *photoStage) decode(ctx context.Context, object, slot []byte) (decode.Photo, error) {
	select {
	case s.turns <- struct{}{}:
	case <-ctx.Done():
		return decode.Photo{}, context.Cause(ctx)
	}
	defer func() { <-s.turns }()
	ctx, p := s.watchdog.Enter(ctx, workDecode)
	defer p.leave()
	decoded := s.metrics.Timed("decode")
	photo, err := s.decoder.Decode(ctx, object, slot)
	if err != nil {
		return photo, stuckOr(ctx, err)
	}
	decoded()
	return photo, nil
}

// pass runs the album model once.
func (r *albumRun) pass(ctx context.Context, by albumPass, members []enrich.Member) ([]enrich.Reading, error) {
	ctx, p := r.watchdog.Enter(ctx, workModel)
	defer p.leave()
	readings, err := by.passer.Album(ctx, by.mode, members)
	return readings, stuckOr(ctx, err)
}

// stuckOr is err, or the watchdog's reason if that is why ctx ended.
func stuckOr(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); err != nil && errors.Is(cause, ErrStuck) {
		return cause
	}
	return err
}
