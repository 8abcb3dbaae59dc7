package backfill

import (
	"context"
	"encoding/json"
	"hash/maphash"
	"strings"
	"time"

	"planetag/consumer"
	"planetag/pipeline"
)

// standing is what the locations topic says of a photo.
type standing int

const (
	unknown  standing = iota
	located           // by this bundle, from the same bytes
	optedOut          // its owner does not want it looked at
)

// known are the photos under a prefix that have an answer: for each a hash of its id and one of what was answered, some
// 40 bytes together. Two photos are taken for each other only when both agree.
type known struct {
	seed   maphash.Seed
	prefix string // of photo ids
	sha256 string // of the bundle
	photos map[uint64]uint64
	next   []int64         // offsets of the topic
	busy   map[int64]int64 // photo-level answers of all photos by the minute in which they were given; nil = not counted
}

func newKnown(prefix, sha256 string) *known {
	return &known{
		seed: maphash.MakeSeed(), prefix: prefix, sha256: sha256, photos: map[uint64]uint64{},
	}
}

// answerOptedOut stands for an answer in photos; a hash is never 0 or 1 there.
const answerOptedOut = 1

// read reads the locations topic to its end, from where it ended the last time. Records of one photo come in order, and
// the last one counts.
func (k *known) read(ctx context.Context, client *consumer.Client, topic string) (err error) {
	k.next, err = client.Read(ctx, topic, k.next, func(r consumer.Record) error {
		k.add(r.Key, r.Value)
		return nil
	})
	return err
}

func (k *known) add(id, value []byte) {
	mine := strings.HasPrefix(string(id), k.prefix)
	if !mine && k.busy == nil {
		return
	}
	photo := maphash.Bytes(k.seed, id)
	var l struct {
		Status string
		Stage  string
		Model  struct{ SHA256 string }
		Source struct{ ETag string }
		Time   time.Time
	}
	if value == nil || json.Unmarshal(value, &l) != nil {
		delete(k.photos, photo)
		return
	}
	if k.busy != nil && l.Stage == pipeline.StagePhoto {
		k.busy[l.Time.Unix()/60]++
	}
	switch {
	case !mine:
	case l.Status == pipeline.StatusOptedOut:
		k.photos[photo] = answerOptedOut
	case k.photos[photo] == answerOptedOut && l.Stage == pipeline.StageAlbum:
		// of an album that had been seen before the owner opted out
	case l.Model.SHA256 == k.sha256:
		k.photos[photo] = k.hash(l.Source.ETag)
	default:
		delete(k.photos, photo)
	}
}

func (k *known) hash(etag string) uint64 { return maphash.String(k.seed, etag) | 2 }

// of says how a photo with these bytes stands.
func (k *known) of(id, etag string) standing {
	switch k.photos[maphash.String(k.seed, id)] {
	case answerOptedOut:
		return optedOut
	case k.hash(etag):
		return located
	}
	return unknown
}

// rate is how many photos a second were answered in the busiest minute that the topic remembers; 0 if none.
func (k *known) rate() float64 {
	most := int64(0)
	for _, n := range k.busy {
		most = max(most, n)
	}
	return float64(most) / 60
}
