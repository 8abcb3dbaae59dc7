package pipeline

import (
	"cmp"
	"slices"
	"time"

	"planetag/consumer"
)

// member is one photo of an album that is held in memory.
type member struct {
	Embedding
	headers []consumer.Header
	offset  int64 // of the newest copy on the embeddings topic: replay must start at or before it
	first   int64 // of the photo's own record: what a CLOSE marker's UpTo is compared with
}

// album is one album of one embeddings partition: open while it has a photo that no CLOSE marker covers, closed and
// lingering (kept as the context of late photos) once it has none.
type album struct {
	id       string
	members  map[string]*member // by photo id: a photo that comes twice counts once, the newer one
	missing  map[string]bool    // photos that will never bring an embedding
	complete bool               // the producer said so
	expected int                // photos the producer counted; 0 = unknown
	low      int64              // lowest offset that replay needs for this album
	bytes    int64
	started  time.Time // when the first photo of this session came (record time, so that it survives a replay)
	last     time.Time // when the newest came
	upTo     int64     // offsets up to here are covered by a CLOSE marker
	revision int64     // of the last close
	closedAt time.Time
	open     int // photos that no close has covered yet
}

// put holds m instead of the copy of the same photo that there may be, and drop lets one go; both return by how much the
// album's memory grew.
func (a *album) put(m *member) int64 {
	grown := a.drop(m.Reference.PhotoID) + m.Bytes()
	a.members[m.Reference.PhotoID] = m
	if m.first > a.upTo {
		a.open++
	}
	a.bytes += m.Bytes()
	return grown
}

func (a *album) drop(photoID string) int64 {
	m := a.members[photoID]
	if m == nil {
		return 0
	}
	delete(a.members, photoID)
	if m.first > a.upTo {
		a.open--
	}
	a.bytes -= m.Bytes()
	return -m.Bytes()
}

// inOrder lists the photos in capture order; photos without a time keep the order in which they came, at the end.
func (a *album) inOrder() []*member {
	list := make([]*member, 0, len(a.members))
	for _, m := range a.members {
		list = append(list, m)
	}
	slices.SortFunc(list, func(x, y *member) int {
		xt, yt := x.Reference.TakenAt, y.Reference.TakenAt
		switch {
		case xt.IsZero() != yt.IsZero():
			if xt.IsZero() {
				return 1
			}
			return -1
		case !xt.Equal(yt):
			return xt.Compare(yt)
		}
		return cmp.Compare(x.first, y.first)
	})
	return list
}

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

// keepsContext tells whether a closed album lingers for late photos. One that was closed because it was too large must
// not: it would be too large again with the next photo.
func keepsContext(reason string) bool {
	return reason != closeSize && reason != closeMemory
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

// The reasons for closing an album; they are the label values of planetag_albums_closed_total.
const (
	closeComplete = "complete"
	closeIdle     = "idle"
	closeAge      = "age"
	closeSize     = "size"
	closeMemory   = "memory"
)

// due says why an album must be closed now, or "".
func (a *album) due(c AlbumsConfig, now time.Time) string {
	if a.open == 0 && (len(a.members) > 0 || len(a.missing) == 0) {
		return "" // nothing to say that was not said
	}
	switch {
	case a.complete && len(a.members)+len(a.missing) >= a.expected:
		return closeComplete
	case len(a.members) >= c.MaxPhotos:
		return closeSize
	case now.Sub(a.last) >= time.Duration(c.Idle):
		return closeIdle
	case now.Sub(a.started) >= time.Duration(c.MaxAge):
		return closeAge
	}
	return ""
}
