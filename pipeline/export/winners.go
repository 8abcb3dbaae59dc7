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
	gone      bool // removed or retracted: only a later record counts
}

// stands tells whether the record is an answer that counts.
func (w winner) stands() bool { return !w.out && !w.gone }

// winners finds the record that counts of each photo.
type winners struct {
	seed   maphash.Seed
	photos map[uint64]winner
	bad    int64 // records that are no locations
	// buckets are those of the photos, two of them at most: more is not asked for.
	buckets map[string]bool
}

func newWinners() *winners {
	return &winners{seed: maphash.MakeSeed(), photos: map[uint64]winner{}, buckets: map[string]bool{}}
}

// see takes the next record; those of one photo come in order.
func (w *winners) see(r consumer.Record) {
	photo := maphash.Bytes(w.seed, r.Key)
	if r.Value == nil {
		w.photos[photo] = winner{gone: true}
		return
	}
	var l struct {
		Status   string
		Stage    string
		Revision int64
		Source   struct{ Bucket string }
	}
	if json.Unmarshal(r.Value, &l) != nil || l.Stage != pipeline.StagePhoto && l.Stage != pipeline.StageAlbum {
		w.bad++
		return
	}
	if len(w.buckets) < 2 {
		w.buckets[l.Source.Bucket] = true
	}
	next := winner{
		revision: l.Revision, offset: r.Offset, partition: int32(r.Partition),
		album: l.Stage == pipeline.StageAlbum, out: l.Status == pipeline.StatusOptedOut,
	}
	before, known := w.photos[photo]
	switch {
	case !known, next.out:
	case !before.stands() && next.album: // of an album that was closed before it heard of that
		return
	case !before.stands(): // the photo itself came again
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
	return known && won.stands() && won.offset == r.Offset && won.partition == int32(r.Partition)
}

// len is how many photos are to be written, and how many are held back.
func (w *winners) len() (photos, optedOut int64) {
	for _, won := range w.photos {
		switch {
		case won.out:
			optedOut++
		case !won.gone:
			photos++
		}
	}
	return photos, optedOut
}

// standing tells whether the topic knows a photo, and whether one of its records counts.
func (w *winners) standing(photoID string) (known, counts bool) {
	won, known := w.photos[maphash.String(w.seed, photoID)]
	return known, known && won.stands()
}
