package main

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/pipeline"
)

// reader counts the committed records of each photo, with a client that is not the worker's.
type reader struct {
	client             *kgo.Client
	topics             []string // locations, dead letters
	photo, album, dead map[string]int
	markers            int
}

func newReader(t *testing.T, w *world) *reader {
	t.Helper()
	topics := []string{w.cfg.Topics.Locations, w.cfg.Topics.DeadLetters}
	r := &reader{topics: topics, photo: map[string]int{}, album: map[string]int{}, dead: map[string]int{}}
	r.client = w.client(t, kgo.ConsumeTopics(topics...), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(100*time.Millisecond), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	t.Cleanup(r.client.Close)
	return r
}

func (r *reader) complete() bool {
	return len(r.photo) == killPhotos-killBroken && len(r.dead) == killBroken && len(r.album) == killAlbums*killAlbumSize
}

func (r *reader) check(t *testing.T) {
	t.Helper()
	for name, counted := range map[string]struct {
		of   map[string]int
		want int
	}{
		"photo-level locations": {r.photo, killPhotos - killBroken},
		"album-level locations": {r.album, killAlbums * killAlbumSize},
		"dead letters":          {r.dead, killBroken},
	} {
		if len(counted.of) != counted.want {
			t.Errorf("%s: of %d photos, want %d", name, len(counted.of), counted.want)
		}
		for photo, n := range counted.of {
			if n != 1 {
				t.Errorf("%s: %d for %s", name, n, photo)
			}
		}
	}
}

// await reads until there is enough, while the worker lives.
func (r *reader) await(t *testing.T, p *worker, what string, enough func() bool) {
	t.Helper()
	deadline := time.Now().Add(60 * time.Second)
	for !enough() {
		r.poll(t)
		select {
		case <-p.ended:
			t.Fatalf("waiting for %s: the worker ended by itself\n%s", what, p.log.String())
		default:
		}
		if time.Now().After(deadline) {
			_ = p.cmd.Process.Kill() // it may have ended this very moment
			<-p.ended
			t.Fatalf("waiting for %s: have %d photos, %d in albums, %d dead\n%s", what, len(r.photo), len(r.album), len(r.dead), p.log.String())
		}
	}
}

// toTheEnd writes a marker behind everything and reads until it has come back from every partition: what a duplicate
// would be has been read then.
func (r *reader) toTheEnd(t *testing.T) {
	t.Helper()
	var markers []*kgo.Record
	for _, topic := range r.topics {
		for partition := range int32(partitions) {
			markers = append(markers, &kgo.Record{Topic: topic, Partition: partition, Key: []byte(marker)})
		}
	}
	if err := r.client.ProduceSync(t.Context(), markers...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(30 * time.Second); r.markers < len(markers); r.poll(t) {
		if time.Now().After(deadline) {
			t.Fatalf("read %d of %d ends: is a transaction open?", r.markers, len(markers))
		}
	}
}

const marker = "the end"

func (r *reader) poll(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	r.client.PollFetches(ctx).EachRecord(func(rec *kgo.Record) { r.count(t, rec) })
}

func (r *reader) count(t *testing.T, rec *kgo.Record) {
	t.Helper()
	var l pipeline.Location
	switch {
	case string(rec.Key) == marker:
		r.markers++
		return
	case rec.Topic == r.topics[1]:
		r.dead[string(rec.Key)]++
		return
	}
	if err := json.Unmarshal(rec.Value, &l); err != nil {
		t.Fatalf("location %q: %v", rec.Value, err)
	}
	if l.Stage == pipeline.StageAlbum {
		r.album[l.PhotoID]++
		return
	}
	r.photo[l.PhotoID]++
}
