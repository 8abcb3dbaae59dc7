package pipeline

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/decode"
)

// This file is the first to read: the way of one photo from a record of the input topic to the transaction that
// publishes its answer, top to bottom. photoStage.handle is called once per assigned partition; walk is one photo.

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

// read fetches records and starts a walk for each. board reserves memory in the partition's order: the oldest photo
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
			f, err := s.board(ctx, rec, queue)
			if err != nil {
				return err
			}
			walks.Go(func() { s.fly(ctx, f) })
		}
	}
}

// fly works on one record. It may ask for any number of photos, each of which is walked, in order, as often as it takes.
// What they led to together, or the reason why one of them led to nothing, is left in the flight.
func (s *photoStage) fly(ctx context.Context, f *flight) {
	growStack()
	defer close(f.done)
	defer f.leave()
	s.metrics.InFlight(1)
	defer s.metrics.InFlight(-1)
	var parts []Asked
	again := func(step func(context.Context) error) (attempt int, err error) {
		err = patiently(ctx, s.log, "photo", func(ctx context.Context) error { attempt++; return step(ctx) })
		return attempt, err
	}
	attempt, err := again(func(ctx context.Context) (err error) { parts, err = s.inputs.Read(ctx, f.record); return err })
	if err != nil && !f.fail(ctx, failure{attempt: attempt, err: err}) {
		return
	}
	rec := s.inputs.Carried(f.record)
	for i, part := range parts {
		var out outcome
		attempt, err := again(func(ctx context.Context) (err error) { out, err = s.walk(ctx, rec, part, &f.hold); return err })
		if err != nil && !f.fail(ctx, failure{part: i + 1, of: len(parts), album: part.Reference, attempt: attempt, err: err}) {
			return
		}
		f.land(out, err)
	}
	s.bury(f)
}

// walk is the way of one photo that a record asks for: fetch → decode → batch → CNN → place.
func (s *photoStage) walk(ctx context.Context, rec consumer.Record, in Asked, h *hold) (outcome, error) {
	ref := in.Reference
	switch {
	case in.Err != nil:
		return outcome{}, in.Err
	case in.Kind == RemovedInput:
		return s.removed(rec, ref)
	case in.Kind == AlbumCompleteInput:
		return s.albumComplete(ref.Album, in.AlbumPhotos)
	case ref.OptOut:
		return s.optedOut(ctx, rec, ref)
	}
	object, err := s.fetch(ctx, ref, h)
	if in.IfGone && errors.Is(err, ErrObjectGone) {
		return s.removed(rec, ref)
	}
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
	return s.place(ctx, rec, withExif(ref, photo.Exif), object, sight)
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
func (s *photoStage) place(ctx context.Context, rec consumer.Record, ref Reference, object Object, sight enrich.Sight) (outcome, error) {
	src := sourceOf(rec, ref, object)
	revision := revisionOf(rec)
	location, _ := photoLocation(s.model, ref, src, sight.Top)
	location.Revision, location.Time = revision, time.Now().UTC()
	out, err := s.published(ctx, rec, location)
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

// deliver takes flights off the queue in order and commits them in transactions: at most FlushRecords photos, when the first
// of them has been ready for as long as flush says. When ctx ends, what is ready in order is still committed.
func (s *photoStage) deliver(ctx context.Context, a assignment, line *flightLine) error {
	var ready []*flight
	photos := 0
	flush := flush{interval: time.Duration(s.cfg.Photos.FlushInterval)}
	defer func() {
		for _, f := range ready {
			f.release()
		}
	}()
	for {
		f, err := line.next(ctx, flush.due)
		if err != nil {
			return s.drain(ctx, a, ready, err)
		}
		if f == nil && flush.later(line.crowded()) {
			continue
		}
		if f != nil {
			flush.begin()
			ready = append(ready, f)
			if photos += max(f.parts, 1); photos < s.cfg.Photos.FlushRecords {
				continue
			}
		}
		if err := s.commit(ctx, a, ready); err != nil {
			return err
		}
		ready, photos = nil, 0
		flush.end()
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
	s.health.Tick(s.stage)
	for _, f := range ready {
		f.outcome.count(s.metrics)
		f.release()
	}
	return nil
}
