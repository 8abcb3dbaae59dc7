package pipeline

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/decode"
)

// This file is the first to read: the way of one photo from a record of the input topic to the transaction that
// publishes its answer, top to bottom. photoStage.handle is called once per assigned partition; walk is one photo.

// assignment is what the photo stage needs of a consumer.Assignment.
type assignment interface {
	Fetch(ctx context.Context) ([]consumer.Record, error)
	Commit(ctx context.Context, records []consumer.Record, next int64) error
}

// fetcher reads the bytes of one object; *Store in production.
type fetcher interface {
	Get(ctx context.Context, ref Reference, sized func(bytes int64)) (Object, error)
}

// photoStage is the stage "photos": it turns references into photo-level locations, embeddings and dead letters.
// One value serves every partition; all that is per partition lives in the goroutines of handle.
type photoStage struct {
	cfg     Config
	model   *enrich.Model
	store   fetcher
	batcher *Batcher
	slots   *decode.Slots
	budget  *Budget
	metrics *Metrics
	health  *Health
	log     *slog.Logger

	decoder  decoder
	turns    chan struct{} // as many photos are decoded at a time as it has room for
	watchdog *Watchdog
}

// handle works one input partition until ctx ends or something fails. The queue is the heart of it: its order is the
// partition's order and its capacity is the number of photos in flight, so however freely the walks overlap, the
// offset that is committed never runs ahead of a photo whose answer is not in the same transaction.
func (s *photoStage) handle(ctx context.Context, a assignment) error {
	ctx, cancel := context.WithCancelCause(ctx)
	queue := make(chan *flight, s.cfg.Photos.InFlight)
	var reader sync.WaitGroup
	reader.Go(func() {
		defer close(queue)
		if err := s.read(ctx, a, queue); err != nil {
			cancel(err)
		}
	})
	line := &flightLine{queue: queue}
	err := s.deliver(ctx, a, line)
	cancel(err)
	line.release() // the reader may wait for room in the queue
	reader.Wait()
	if err == nil || errors.Is(err, context.Canceled) {
		err = context.Cause(ctx)
	}
	return err
}

// read fetches records and starts a walk for each. Memory is reserved here, in the partition's order: the oldest photo
// always holds its share, so a spent budget delays photos but can never deadlock them.
func (s *photoStage) read(ctx context.Context, a assignment, queue chan<- *flight) error {
	var walks sync.WaitGroup
	defer walks.Wait()
	for {
		records, err := a.Fetch(ctx)
		if err != nil {
			return fmt.Errorf("fetch references: %w", err)
		}
		for _, rec := range records {
			f := &flight{record: rec, hold: hold{budget: s.budget}, done: make(chan struct{})}
			if err := f.hold.take(ctx, photoReserve); err != nil {
				return err
			}
			select {
			case queue <- f:
			case <-ctx.Done():
				f.hold.set(0)
				return ctx.Err()
			}
			walks.Go(func() { s.fly(ctx, f) })
		}
	}
}

// fly walks one photo as often as it takes and leaves the outcome, or the reason why there is none, in the flight.
func (s *photoStage) fly(ctx context.Context, f *flight) {
	defer close(f.done)
	s.metrics.InFlight(1)
	defer s.metrics.InFlight(-1)
	attempt := 0
	err := patiently(ctx, s.log, "photo", func(ctx context.Context) (err error) {
		attempt++
		f.outcome, err = s.walk(ctx, f.record, &f.hold)
		return err
	})
	switch {
	case err == nil:
	case ctx.Err() == nil && Judge(err) == DeadLetter:
		f.outcome = s.reject(f.record, attempt, err)
	default:
		f.err = err
	}
	f.hold.set(outcomeReserve)
}

// walk is the way of one record: what it asks for, and for a photo then fetch → decode → batch → CNN → place.
func (s *photoStage) walk(ctx context.Context, rec consumer.Record, h *hold) (outcome, error) {
	in, err := ParseReference(rec, s.cfg.S3.Bucket)
	if err != nil {
		return outcome{}, err
	}
	ref := in.Reference
	switch {
	case in.Kind == RemovedInput:
		return s.removed(rec, ref)
	case in.Kind == AlbumCompleteInput:
		return s.albumComplete(ref.Album, in.AlbumPhotos)
	case ref.OptOut:
		return s.optedOut(rec, ref)
	}
	object, err := s.fetch(ctx, ref, h)
	if err != nil {
		return outcome{}, err
	}
	photo, sight, err := s.look(ctx, object.Data)
	if photo.ExifErr != nil { // a photo with broken EXIF is still a photo
		s.log.Debug("exif not readable", "photo", ref.PhotoID, "err", photo.ExifErr)
	}
	if err != nil {
		return outcome{}, object.blame(ctx, err)
	}
	defer s.metrics.Timed("place")()
	return s.place(rec, withExif(ref, photo.Exif), object, sight)
}

// fetch reads the object; its bytes count from the moment that their number is known.
func (s *photoStage) fetch(ctx context.Context, ref Reference, h *hold) (Object, error) {
	defer s.metrics.Timed("fetch")()
	return s.store.Get(ctx, ref, func(size int64) { h.set(photoReserve + size) })
}

// look decodes the object into a slot and has the CNN look at it, together with the photos of other partitions.
func (s *photoStage) look(ctx context.Context, object []byte) (photo decode.Photo, sight enrich.Sight, err error) {
	slot, err := s.slots.Get(ctx)
	if err != nil {
		return photo, sight, err
	}
	defer s.slots.Put(slot)
	if photo, err = s.decode(ctx, object, slot); err == nil {
		defer s.metrics.Timed("batch")()
		sight, err = s.batcher.Embed(ctx, slot)
	}
	return photo, sight, err
}

// place turns what the CNN saw into the photo's records: its location, and its embedding when it has an album.
func (s *photoStage) place(rec consumer.Record, ref Reference, object Object, sight enrich.Sight) (outcome, error) {
	src := sourceOf(rec, ref, object)
	revision := revisionOf(rec)
	location := locationOf(ref, src, s.model.Info(), s.model.Answer("single", sight.Top))
	location.Stage, location.Revision = StagePhoto, revision
	location.Time = time.Now().UTC()
	out, err := s.published(rec, location)
	if err != nil || ref.Album == "" || s.albumMode() == "none" {
		return out, err
	}
	value, err := EncodeEmbedding(Embedding{
		Reference: ref, Source: src, Revision: revision, Model: s.model.Info().SHA256, Top: sight.Top, Vector: sight.Embedding,
	})
	if err != nil {
		return outcome{}, err
	}
	out.records = append(out.records, consumer.Record{
		Topic: s.cfg.Topics.Embeddings, Partition: -1, Key: []byte(ref.Album), Value: value, Headers: rec.Headers, Time: time.Now(),
	})
	return out, nil
}

// deliver takes flights off the queue in order and commits them in transactions: at most FlushRecords photos, at most
// FlushInterval after the first of them was ready. When ctx ends, what is ready in order is still committed.
func (s *photoStage) deliver(ctx context.Context, a assignment, line *flightLine) error {
	var ready []*flight
	var flush <-chan time.Time
	defer func() {
		for _, f := range ready {
			f.release()
		}
	}()
	for {
		f, err := line.next(ctx, flush)
		if err != nil {
			return s.drain(ctx, a, ready, err)
		}
		if f != nil {
			if ready = append(ready, f); len(ready) == 1 {
				flush = time.After(time.Duration(s.cfg.Photos.FlushInterval))
			}
			if len(ready) < s.cfg.Photos.FlushRecords {
				continue
			}
		}
		if err := s.commit(ctx, a, ready); err != nil {
			return err
		}
		ready, flush = nil, nil
	}
}

// commit publishes everything that the flights led to and the offset behind the last of them in one transaction.
func (s *photoStage) commit(ctx context.Context, a assignment, ready []*flight) error {
	var records []consumer.Record
	for _, f := range ready {
		records = append(records, f.outcome.records...)
	}
	committed := s.metrics.Timed("commit")
	if err := a.Commit(ctx, records, ready[len(ready)-1].record.Offset+1); err != nil {
		return fmt.Errorf("commit photos: %w", err)
	}
	committed()
	s.health.Tick("photos")
	for _, f := range ready {
		f.outcome.count(s.metrics)
		f.release()
	}
	return nil
}

// drain commits what was ready when the stage had to end with cause. It is a courtesy, not a guarantee: what it cannot
// commit is walked again by the next owner of the partition. Its context outlives the one that ended.
func (s *photoStage) drain(ctx context.Context, a assignment, ready []*flight, cause error) error {
	if len(ready) == 0 {
		return cause
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(s.cfg.Shutdown.Deadline)/2)
	defer cancel()
	return errors.Join(cause, s.commit(ctx, a, ready))
}
