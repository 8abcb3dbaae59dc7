package pipeline

import (
	"cmp"
	"slices"
	"time"

	"planetag/consumer"
	"planetag/enrich"
)

// member is one photo of an album that is held in memory.
type member struct {
	Embedding
	headers []consumer.Header
	offset  int64 // of the newest copy on the embeddings topic: replay must start at or before it
	first   int64 // of the photo's own record: what a CLOSE marker's UpTo is compared with
}

// photo is the member as the album model takes it: a position that it brings is evidence for the others.
func (m *member) photo() enrich.Member {
	p := enrich.Member{Sight: enrich.Sight{Embedding: m.Vector, Top: m.Top}, TakenAt: m.Reference.TakenAt, Camera: m.Reference.Camera}
	if at := m.Reference.Position; at != nil {
		p.Anchor = &enrich.Anchor{Lat: at.Lat, Lon: at.Lon, Kind: at.Source}
	}
	return p
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
		return cmp.Or(enrich.CaptureOrder(x.Reference.TakenAt, y.Reference.TakenAt), cmp.Compare(x.first, y.first))
	})
	return list
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

// keepsContext tells whether a closed album lingers for late photos. One that was closed because it was too large must
// not: it would be too large again with the next photo.
func keepsContext(reason string) bool {
	return reason != closeSize && reason != closeMemory
}
