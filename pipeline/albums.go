package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"planetag/consumer"
	"planetag/enrich"
)

// This file is the second to read: the way of an album from embeddings to the transaction that publishes an answer for
// each of its photos. albumStage.handle is called once per assigned partition of the embeddings topic.

// albumAssignment is what the album stage needs of a consumer.Assignment.
type albumAssignment interface {
	assignment
	CaughtUp() bool
}

// closePhotos is about how many photos are closed in one transaction: enough that an archive's albums do not cost one
// transaction each, few enough that a transaction stays far below its time-out.
const closePhotos = 1000

// albumStage is the stage "albums": it folds embeddings into albums and closes them.
type albumStage struct {
	cfg     Config
	output  OutputWriter
	model   *enrich.Model
	budget  *Budget
	metrics *Metrics
	health  *Health
	log     *slog.Logger
	held    *atomic.Int64 // bytes of the albums of all partitions

	passer   passer
	watchdog *Watchdog
	worker   *worker // for the bundle that was in use before; nil = there is none
}

// albumRun is the work on one partition: its state belongs to the one goroutine of handle.
type albumRun struct {
	*albumStage
	from      albumAssignment
	state     *sessions
	hold      hold
	turned    time.Time // last turn
	moved     time.Time // last commit
	committed int64     // the group's offset
	counted   int       // open albums in the gauge
}

const (
	turnEvery = 100 * time.Millisecond // how often albums are looked at
	moveEvery = time.Second            // how often the group's offset moves when nothing else is to be committed
)

// handle works one embeddings partition until ctx ends or something fails. Timers run on the wall clock, and only once
// the partition was caught up: before that an album that looks idle may have its CLOSE marker further on.
func (s *albumStage) handle(ctx context.Context, from albumAssignment) error {
	r := &albumRun{albumStage: s, from: from, state: newSessions(), hold: hold{budget: s.budget}, committed: -1}
	defer r.release()
	for {
		records, err := from.Fetch(ctx)
		if err != nil {
			return fmt.Errorf("fetch embeddings: %w", err)
		}
		for _, rec := range records {
			r.state.apply(rec)
		}
		r.keep(r.state.bytes)
		now := time.Now()
		if !from.CaughtUp() || now.Sub(r.turned) < turnEvery {
			continue
		}
		r.turned = now
		if err := r.turn(ctx, now); err != nil {
			return err
		}
		s.health.Tick("albums")
	}
}

// turn closes what is due, lets go what lingered long enough, bounds the replay and moves the group's offset.
func (r *albumRun) turn(ctx context.Context, now time.Time) error {
	if err := r.rejectBad(ctx); err != nil {
		return err
	}
	for _, batch := range r.due(now) {
		if err := r.close(ctx, batch, now); err != nil {
			return err
		}
	}
	r.expire(now)
	if err := r.boundReplay(ctx); err != nil {
		return err
	}
	r.account()
	if low := r.state.lowWater(); low > r.committed && r.state.records > 0 && now.Sub(r.moved) >= moveEvery {
		return r.commit(ctx, nil, low)
	}
	return nil
}

// closing is an album on its way to be closed, and why.
type closing struct {
	album  *album
	reason string
}

// due lists the albums to close now, in batches of about closePhotos photos.
func (r *albumRun) due(now time.Time) [][]closing {
	var list []closing
	var others []*album
	for _, a := range r.state.albums {
		if reason := a.due(r.cfg.Albums, now); reason != "" {
			list = append(list, closing{a, reason})
		} else if a.open > 0 {
			others = append(others, a)
		}
	}
	if r.pressed() {
		list = append(list, r.largest(others)...)
	}
	slices.SortFunc(list, func(x, y closing) int { return cmp.Compare(x.album.low, y.album.low) })
	var batches [][]closing
	photos := closePhotos
	for _, c := range list {
		if photos >= closePhotos {
			batches, photos = append(batches, nil), 0
		}
		last := len(batches) - 1
		batches[last] = append(batches[last], c)
		photos += len(c.album.members)
	}
	return batches
}

// pressed tells whether open albums keep photos from being fetched: the byte budget is spent, and mostly by albums.
func (r *albumRun) pressed() bool {
	return r.budget.Spent() && r.held.Load() > r.budget.Total()/2
}

// largest picks the albums that free an eighth of this partition's memory soonest. They are closed early: an early answer
// is better than a worker that stands still, and nothing is dropped.
func (r *albumRun) largest(open []*album) []closing {
	slices.SortFunc(open, func(x, y *album) int { return cmp.Compare(y.bytes, x.bytes) })
	var list []closing
	for freed := int64(0); len(open) > 0 && freed < max(r.state.bytes/8, 1); open = open[1:] {
		list = append(list, closing{open[0], closeMemory})
		freed += open[0].bytes
	}
	return list
}

// close closes albums in one transaction: a location for every photo of theirs, a CLOSE marker for each on the same
// embeddings partition, and the group's offset. Only then does the state change, through the markers.
func (r *albumRun) close(ctx context.Context, batch []closing, now time.Time) error {
	ctx, p := r.watchdog.Enter(ctx, workAlbum)
	defer p.leave()
	var out []consumer.Record
	var markers []Control
	for _, c := range batch {
		p.beat()
		records, marker, err := r.answer(ctx, c, now)
		if err != nil {
			return err
		}
		out = append(out, records...)
		markers = append(markers, marker)
	}
	for _, m := range markers {
		rec, err := r.onPartition(m)
		if err != nil {
			return err
		}
		out = append(out, rec)
	}
	if err := r.commit(ctx, out, r.state.lowWater()); err != nil {
		return err
	}
	for i, m := range markers {
		r.metrics.AlbumClosed(batch[i].reason)
		r.state.closed(m)
	}
	return nil
}

// answer runs the album model over one album and returns a location for each of its photos, and the CLOSE marker. Photos
// that the former bundle embedded are answered by that one, as an album of their own.
func (r *albumRun) answer(ctx context.Context, c closing, now time.Time) ([]consumer.Record, Control, error) {
	passes, release := r.passes(c.album)
	defer release()
	revision, photos := max(now.UnixMilli(), c.album.revision+1), 0
	for _, p := range passes {
		photos += len(p.members)
		for _, m := range p.members {
			revision = max(revision, m.Revision+1)
		}
	}
	marker := Control{
		Kind: ControlClose, Album: c.album.id, UpTo: r.state.next - 1, Revision: revision,
		Photos: photos, Reason: c.reason, At: now.UTC(),
	}
	var out []consumer.Record
	for _, p := range passes {
		records, err := r.passed(ctx, c.album.id, p, marker)
		if err != nil {
			return nil, marker, err
		}
		out = append(out, records...)
	}
	return out, marker, nil
}

// passed runs the album model over the photos of one pass.
func (r *albumRun) passed(ctx context.Context, album string, p albumPass, marker Control) (out []consumer.Record, err error) {
	photos := make([]enrich.Member, len(p.members))
	for i, m := range p.members {
		photos[i] = m.photo()
	}
	var readings []enrich.Reading
	err = patiently(ctx, r.log, "album pass", func(ctx context.Context) (err error) {
		readings, err = r.pass(ctx, p, photos)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("pass album %q of %d photos: %w", album, len(p.members), err)
	}
	for i, m := range p.members {
		l := p.located(m, readings[i])
		l.Album = albumPart(readings[i], AlbumPart{ID: album, Mode: p.mode, Size: len(p.members), Position: i + 1, MovedM: movedBy(l)})
		l.Revision, l.Time = marker.Revision, marker.At
		rec, err := r.output.Record(ctx, l, r.cfg.Topics.Locations, m.headers)
		if err != nil {
			return nil, err
		}
		out = append(out, rec)
	}
	return out, nil
}
