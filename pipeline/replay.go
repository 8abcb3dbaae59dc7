package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"planetag/consumer"
)

// This file keeps the album stage's promises about what is left behind: unreadable records, the memory of closed
// albums, and the amount of the embeddings topic that a restart has to read again.

// commit is one transaction of the album stage. What is read back from below next is no longer needed by a replay.
func (r *albumRun) commit(ctx context.Context, records []consumer.Record, next int64) error {
	started := time.Now()
	if err := r.from.Commit(ctx, records, next); err != nil {
		return fmt.Errorf("commit albums: %w", err)
	}
	r.metrics.Stage("commit", time.Since(started))
	r.committed, r.moved = next, time.Now()
	return nil
}

// onPartition renders a control record for the partition that this run works on.
func (r *albumRun) onPartition(c Control) (consumer.Record, error) {
	value, err := EncodeControl(c)
	if err != nil {
		return consumer.Record{}, err
	}
	return consumer.Record{
		Topic: r.cfg.Topics.Embeddings, Partition: r.state.partition, Key: []byte(c.Album), Value: value, Time: c.At,
	}, nil
}

// rejectBad sends unreadable records to the dead-letter topic, with a marker that keeps a replay from doing so again.
func (r *albumRun) rejectBad(ctx context.Context) error {
	bad := r.state.bad
	if len(bad) == 0 {
		return nil
	}
	var out []consumer.Record
	for _, rec := range bad {
		_, _, err := DecodeAlbumRecord(rec.Value)
		out = append(out, deadLetter(r.cfg.Topics.DeadLetters, rec, "albums", 1, err))
	}
	marker := Control{Kind: ControlClose, UpTo: bad[len(bad)-1].Offset, At: time.Now().UTC()}
	rec, err := r.onPartition(marker)
	if err != nil {
		return err
	}
	if err := r.commit(ctx, append(out, rec), r.state.lowWater()); err != nil {
		return err
	}
	for range bad {
		r.metrics.DeadLetter(errorType(ErrEmbedding))
	}
	r.state.closed(marker)
	return nil
}

// expire forgets closed albums that lingered long enough, and albums of which nothing but a producer's word ever came.
func (r *albumRun) expire(now time.Time) {
	for _, a := range r.state.albums {
		switch {
		case a.open > 0:
		case len(a.members) == 0 && now.Sub(a.last) < time.Duration(r.cfg.Albums.Idle):
		case len(a.members) > 0 && now.Sub(a.closedAt) < time.Duration(r.cfg.Albums.Linger) && !r.pressed():
		default:
			r.state.forget(a)
		}
	}
}

// boundReplay acts when a few old albums hold the group's offset back: closed albums are forgotten first; then the
// oldest open ones are copied forward (SNAPSHOT) until a replay is short again. A copy carries the offset of its
// original, and the album's last CLOSE marker follows it, so that the fold over the copies is the fold over the originals.
// It waits until a replay would read several times the live state: otherwise it would copy the same photos for ever.
func (r *albumRun) boundReplay(ctx context.Context) error {
	long := func() bool { return r.state.replayBytes() > int64(r.cfg.Albums.MaxReplay)+3*r.state.bytes }
	if !long() {
		return nil
	}
	var open []*album
	for _, a := range r.state.albums {
		if a.open == 0 {
			r.state.forget(a)
		} else {
			open = append(open, a)
		}
	}
	slices.SortFunc(open, func(x, y *album) int { return cmp.Compare(x.low, y.low) })
	for _, a := range open {
		if !long() {
			break
		}
		if err := r.copyForward(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// copyForward writes one album's photos and controls to the end of its partition in one transaction.
func (r *albumRun) copyForward(ctx context.Context, a *album) error {
	var out []consumer.Record
	at := a.started // the first copy keeps the album's age, the others the time of its last sign of life
	for _, m := range a.inOrder() {
		e := m.Embedding
		e.Copied, e.Original = true, m.first
		value, err := EncodeEmbedding(e)
		if err != nil {
			return err
		}
		out = append(out, consumer.Record{
			Topic: r.cfg.Topics.Embeddings, Partition: r.state.partition, Key: []byte(a.id), Value: value, Headers: m.headers, Time: at,
		})
		at = a.last
	}
	for _, c := range a.controls() {
		rec, err := r.onPartition(c)
		if err != nil {
			return err
		}
		rec.Time = a.last // a copy is no sign of life
		out = append(out, rec)
	}
	// The copies will lie at or behind the end as it is known now. Should the commit fail, this state is thrown away with
	// the assignment.
	a.low = r.state.next
	for _, m := range a.members {
		m.offset = max(m.offset, a.low)
	}
	return r.commit(ctx, out, r.state.lowWater())
}

// controls is what must follow the copies of an album's photos so that its state is whole again.
func (a *album) controls() []Control {
	var list []Control
	if a.revision > 0 {
		list = append(list, Control{Kind: ControlClose, Album: a.id, UpTo: a.upTo, Revision: a.revision, At: a.closedAt})
	}
	if a.complete {
		list = append(list, Control{Kind: ControlComplete, Album: a.id, Photos: a.expected, At: a.last})
	}
	for id := range a.missing {
		list = append(list, Control{Kind: ControlMissing, Album: a.id, PhotoID: id, At: a.last})
	}
	return list
}

// account brings the byte budget and the gauge of open albums up to the state.
func (r *albumRun) account() {
	r.keep(r.state.bytes)
	open := 0
	for _, a := range r.state.albums {
		if a.open > 0 {
			open++
		}
	}
	r.metrics.AlbumsOpen(open - r.counted)
	r.counted = open
}

// keep is what the albums of this partition hold of the byte budget.
func (r *albumRun) keep(bytes int64) {
	r.held.Add(bytes - r.hold.n)
	r.hold.set(bytes)
}

func (r *albumRun) release() {
	r.keep(0)
	r.metrics.AlbumsOpen(-r.counted)
}
