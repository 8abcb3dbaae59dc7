package export

import (
	"encoding/json"
	"hash/maphash"

	"planetag/consumer"
	"planetag/pipeline"
)

// winner is the record of a photo that counts, as far as the topic was read.
type winner struct {
	revision  int64
	offset    int64
	partition int32
	album     bool // of the stage "album", which is greater than "photo"
	out       bool // opted out: no record counts
}

// winners finds the record that counts of each photo.
type winners struct {
	seed   maphash.Seed
	photos map[uint64]winner
	bad    int64 // records that are no locations
}

func newWinners() *winners {
	return &winners{seed: maphash.MakeSeed(), photos: map[uint64]winner{}}
}

// see takes the next record; those of one photo come in order.
func (w *winners) see(r consumer.Record) {
	photo := maphash.Bytes(w.seed, r.Key)
	if r.Value == nil {
		delete(w.photos, photo)
		return
	}
	var l struct {
		Status   string
		Stage    string
		Revision int64
	}
	if json.Unmarshal(r.Value, &l) != nil || l.Stage != pipeline.StagePhoto && l.Stage != pipeline.StageAlbum {
		w.bad++
		return
	}
	next := winner{
		revision: l.Revision, offset: r.Offset, partition: int32(r.Partition),
		album: l.Stage == pipeline.StageAlbum, out: l.Status == pipeline.StatusOptedOut,
	}
	before, known := w.photos[photo]
	switch {
	case !known, next.out:
	case before.out && next.album: // of an album that was looked at before the owner opted out
		return
	case before.out: // opted in again
	case next.album != before.album:
		if before.album {
			return
		}
	case next.revision < before.revision:
		return
	}
	w.photos[photo] = next
}

// counts tells whether a record is the one of its photo that counts.
func (w *winners) counts(r consumer.Record) bool {
	won, known := w.photos[maphash.Bytes(w.seed, r.Key)]
	return known && !won.out && won.offset == r.Offset && won.partition == int32(r.Partition)
}

// len is how many photos are to be written, and how many are held back.
func (w *winners) len() (photos, optedOut int64) {
	for _, won := range w.photos {
		if won.out {
			optedOut++
		}
	}
	return int64(len(w.photos)) - optedOut, optedOut
}
