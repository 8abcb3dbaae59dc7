package pipeline

import (
	"slices"

	"planetag/consumer"
)

// sessions is the fold of one partition of the embeddings topic: applying the same records in the same order gives the
// same state, live and on replay. A close changes it through its CLOSE marker alone, which is applied when it was
// committed and once more when it is read back; so a marker must be idempotent.
type sessions struct {
	albums    map[string]*album
	partition int
	next      int64             // offset behind the last applied record
	bytes     int64             // of all members
	read      int64             // bytes of all applied records, and
	records   int64             // their number: what a record weighs on average
	bad       []consumer.Record // records that are no album records, until a marker says that they were dead-lettered
}

func newSessions() *sessions {
	return &sessions{albums: make(map[string]*album)}
}

// apply folds one record in. It returns no error: a record that cannot be read is kept in bad.
func (s *sessions) apply(rec consumer.Record) {
	s.partition, s.next = rec.Partition, rec.Offset+1
	s.read += int64(len(rec.Value))
	s.records++
	embedding, control, err := DecodeAlbumRecord(rec.Value)
	switch {
	case err != nil:
		s.bad = append(s.bad, rec)
	case embedding != nil:
		s.add(rec, *embedding)
	case control.Kind == ControlClose:
		s.closed(*control)
	default:
		s.control(rec, *control)
	}
}

// album returns the album, made new if need be, with its low-water mark and its clocks moved by rec.
func (s *sessions) album(id string, rec consumer.Record) *album {
	a := s.albums[id]
	if a == nil {
		a = &album{
			id: id, members: make(map[string]*member), missing: make(map[string]bool),
			low: rec.Offset, started: rec.Time, upTo: -1,
		}
		s.albums[id] = a
	}
	if rec.Time.After(a.last) {
		a.last = rec.Time
	}
	return a
}

func (s *sessions) add(rec consumer.Record, e Embedding) {
	m := &member{Embedding: e, headers: rec.Headers, offset: rec.Offset, first: rec.Offset}
	a := s.album(e.Reference.Album, rec)
	if e.Copied {
		m.first = e.Original
	}
	if old := a.members[e.Reference.PhotoID]; old != nil && m.first < old.first {
		return
	}
	if a.open == 0 { // a late photo begins a new session of a closed album
		a.started = rec.Time
	}
	s.bytes += a.put(m)
}

func (s *sessions) control(rec consumer.Record, c Control) {
	a := s.album(c.Album, rec)
	switch c.Kind {
	case ControlComplete:
		a.complete, a.expected = true, c.Photos
	case ControlMissing:
		a.missing[c.PhotoID] = true
		s.bytes += a.drop(c.PhotoID) // it may have been removed after it had been seen
	}
}

// closed applies a CLOSE marker. Photos behind its UpTo came while the album was being closed and stay open. A marker
// without an album says that the unreadable records up to UpTo are on the dead-letter topic.
func (s *sessions) closed(c Control) {
	if c.Album == "" {
		s.bad = slices.DeleteFunc(s.bad, func(r consumer.Record) bool { return r.Offset <= c.UpTo })
		return
	}
	a := s.albums[c.Album]
	if a == nil || c.Revision <= a.revision {
		return
	}
	a.upTo, a.revision, a.closedAt = max(a.upTo, c.UpTo), c.Revision, c.At
	a.complete, a.expected = false, 0
	clear(a.missing)
	a.open = 0
	for _, m := range a.members {
		if m.first > a.upTo {
			a.open++
		}
	}
	if !keepsContext(c.Reason) {
		s.forget(a)
	}
}

// forget drops the covered photos of an album, and the album itself when nothing of it is open. What stays remembers its
// revision, so that the next close goes beyond it.
func (s *sessions) forget(a *album) {
	low := s.next
	for id, m := range a.members {
		if m.first > a.upTo {
			low = min(low, m.offset)
			continue
		}
		s.bytes += a.drop(id)
	}
	if a.low = low; len(a.members) == 0 {
		delete(s.albums, a.id)
	}
}

// lowWater is the offset from which a replay rebuilds this state.
func (s *sessions) lowWater() int64 {
	low := s.next
	for _, a := range s.albums {
		low = min(low, a.low)
	}
	if len(s.bad) > 0 {
		low = min(low, s.bad[0].Offset)
	}
	return low
}

// replayBytes estimates what a restart would have to read again.
func (s *sessions) replayBytes() int64 {
	if s.records == 0 {
		return 0
	}
	return (s.next - s.lowWater()) * (s.read / s.records)
}
