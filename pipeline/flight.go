package pipeline

import (
	"context"
	"errors"
	"time"

	"planetag/consumer"
	"planetag/enrich/decode"
)

const (
	// photoReserve is what one photo in flight costs beside its bytes: its slot of pixels, its share of a batch.
	photoReserve = 1 << 20
	// outcomeReserve is what the records of a finished photo may take until they are committed.
	outcomeReserve = 16 << 10
)

// flight is one record of the input topic on its way; outcome and err belong to the walk until done is closed.
type flight struct {
	record  consumer.Record
	hold    hold
	parts   int // photos that the record asked for and that are settled
	outcome outcome
	failed  []failure
	err     error
	done    chan struct{}
	leave   func() // says that the walk is over; see admission
}

// release gives the flight's memory back once its walk has ended.
func (f *flight) release() {
	<-f.done
	f.hold.kept = 0
	f.hold.set(0)
}

// flightLine yields the flights of a queue in order, each when it is done.
type flightLine struct {
	queue <-chan *flight
	head  *flight // taken off the queue and not yet done
}

// crowded says whether photos pile up. A partition that keeps up has few in flight; behind a backlog the line is seldom quite
// full, as photos have just been taken off its head, and as others wait for the budget before they may join it.
func (l *flightLine) crowded() bool { return 2*len(l.queue) >= cap(l.queue) }

// next returns the next finished flight, or nil when flush fired first. It fails with the flight's own error, or with the
// reason why ctx ended.
func (l *flightLine) next(ctx context.Context, flush <-chan time.Time) (*flight, error) {
	for l.head == nil {
		select {
		case f, ok := <-l.queue:
			if !ok {
				return nil, endOf(ctx)
			}
			l.head = f
		case <-flush:
			return nil, nil
		case <-ctx.Done():
			return nil, endOf(ctx)
		}
	}
	select {
	case <-l.head.done:
	case <-flush:
		return nil, nil
	case <-ctx.Done():
		return nil, endOf(ctx)
	}
	f := l.head
	l.head = nil
	if f.err != nil {
		f.release()
		return nil, f.err
	}
	return f, nil
}

// release empties the line once its walks have been told to end; it returns when the queue is closed.
func (l *flightLine) release() {
	if l.head != nil {
		l.head.release()
		l.head = nil
	}
	for f := range l.queue {
		f.release()
	}
}

// endOf is the reason why ctx ended. A queue is only closed once its reader failed, and the reader says why by ctx.
func endOf(ctx context.Context) error {
	<-ctx.Done()
	return context.Cause(ctx)
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

// hold is one owner's share of the byte budget.
type hold struct {
	budget *Budget
	n      int64
	kept   int64 // on top of what set says: the outcomes of photos before this one
}

// take waits for the first n bytes.
func (h *hold) take(ctx context.Context, n int64) error {
	if err := h.budget.Acquire(ctx, n); err != nil {
		return err
	}
	h.n = n
	return nil
}

// set changes the share to n bytes without waiting; see Budget.Grow for why that may overdraw.
func (h *hold) set(n int64) {
	n += h.kept
	switch {
	case n > h.n:
		h.budget.Grow(n - h.n)
	case n < h.n:
		h.budget.Release(h.n - n)
	}
	h.n = n
}

// outcome is what one input record led to: the records to publish, and what to count once they are.
type outcome struct {
	records  []consumer.Record
	statuses []string // of locations
	dead     string   // errorType of a dead letter; empty when there is none
}

func (o outcome) count(m *Metrics) {
	for _, status := range o.statuses {
		m.Photo(status)
	}
	if o.dead != "" {
		m.DeadLetter(o.dead)
	}
	if len(o.records) == 0 {
		m.Nothing()
	}
}

// published is the outcome of a photo that has a location.
func (s *photoStage) published(ctx context.Context, rec consumer.Record, l Location) (outcome, error) {
	out, err := s.output.Record(ctx, l, s.cfg.Topics.Locations, rec.Headers)
	return outcome{records: []consumer.Record{out}, statuses: []string{l.Status}}, err
}

// optedOut answers a reference that asks not to be located: nothing is fetched, and the album is told not to wait for it.
func (s *photoStage) optedOut(ctx context.Context, rec consumer.Record, ref Reference) (outcome, error) {
	l := Location{
		PhotoID: ref.PhotoID, Status: StatusOptedOut, Stage: StagePhoto, Revision: revisionOf(rec),
		Source: sourceOf(rec, ref, Object{}), Time: time.Now().UTC(),
	}
	out, err := s.published(ctx, rec, l)
	if err != nil {
		return outcome{}, err
	}
	return s.withoutEmbedding(out, ref)
}

// removed answers a null value, an object that was removed: the location gets a tombstone.
func (s *photoStage) removed(rec consumer.Record, ref Reference) (outcome, error) {
	out := outcome{records: []consumer.Record{Tombstone(s.cfg.Topics.Locations, ref.PhotoID, revisionOf(rec))}}
	return s.withoutEmbedding(out, ref)
}

// withoutEmbedding tells the photo's album, if it has one, that this photo will never bring an embedding, so that an
// album which waits for a number of photos is complete without it.
func (s *photoStage) withoutEmbedding(out outcome, ref Reference) (outcome, error) {
	return s.control(out, ref.Album, Control{Kind: ControlMissing, Album: ref.Album, PhotoID: ref.PhotoID})
}

// albumComplete passes a producer's word that an album is complete on to the album stage.
func (s *photoStage) albumComplete(album string, photos int) (outcome, error) {
	return s.control(outcome{}, album, Control{Kind: ControlComplete, Album: album, Photos: photos})
}

func (s *photoStage) control(out outcome, album string, c Control) (outcome, error) {
	if album == "" || s.albumMode() == "none" {
		return out, nil
	}
	c.At = time.Now().UTC()
	value, err := EncodeControl(c)
	if err != nil {
		return outcome{}, err
	}
	out.records = append(out.records, consumer.Record{
		Topic: s.cfg.Topics.Embeddings, Partition: -1, Key: []byte(album), Value: value, Time: c.At,
	})
	return out, nil
}

// albumMode is the album mode in force: the configured one, else the bundle's default.
func (s *photoStage) albumMode() string {
	return albumMode(s.cfg, s.model.Info())
}

// withExif completes a reference from the photo itself; what the reference says wins over what the camera wrote.
func withExif(ref Reference, exif decode.Exif) Reference {
	if ref.TakenAt.IsZero() {
		ref.TakenAt = exif.TakenAt
	}
	ref.Camera = exif.Camera
	if ref.Position == nil && exif.Position != nil {
		ref.Position = &Position{Lat: exif.Position.Lat, Lon: exif.Position.Lon, Source: "exif"}
	}
	return ref
}

// sourceOf says where an answer comes from: the object that was really read, and the record that asked for it.
func sourceOf(rec consumer.Record, ref Reference, object Object) Source {
	src := Source{
		Bucket: ref.Bucket, Key: ref.Key, VersionID: ref.VersionID, ETag: ref.ETag,
		Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset,
	}
	if object.ETag != "" {
		src.ETag = object.ETag
	}
	if object.VersionID != "" {
		src.VersionID = object.VersionID
	}
	return src
}

// revisionOf is the revision of a photo-level answer: the time of its reference in milliseconds. It is the same after a
// replay and grows with every re-publication of the photo; the album stage always goes beyond it.
func revisionOf(rec consumer.Record) int64 {
	return max(rec.Time.UnixMilli(), 1)
}
