package chaos

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/enrich"
	"planetag/pipeline"
)

// TestReplay kills an album worker with CHAOS_REPLAY_MIB of open albums on the embeddings topic (a GiB where CHAOS is full) and prints how long the next one takes to be
// where it was.
func TestReplay(t *testing.T) {
	mib := number("CHAOS_REPLAY_MIB", 16)
	if testing.Short() {
		t.Skip("needs half a minute")
	}
	set := build(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	s := &scene{t: t, set: set, names: namesOf("replay"), counts: map[string]int{}, ledger: newLedger()}
	s.fleet = &fleet{t: t, binary: set.binary, log: filepath.Join(t.TempDir(), "workers.log"), env: s.environment(map[string]string{
		"STAGES": "albums", "ALBUMS_IDLE": "1h", "ALBUMS_MAX_AGE": "2h", "MEMORY_BUDGET": "8GiB", "ALBUMS_MAX_REPLAY": "4GiB",
	})}
	t.Cleanup(s.fleet.close)
	w := s.fleet.start()
	s.waitReady(ctx, w)
	photos, bytes := fillAlbums(ctx, t, s, int64(mib)<<20)
	s.waitRead(ctx, w, photos)
	s.fleet.kill9(w)
	begun := time.Now()
	w = s.fleet.start()
	s.waitRead(ctx, w, photos)
	took := time.Since(begun)
	s.fleet.sample(w)
	open, _ := s.openAlbums()
	if open != photos/albumSize {
		t.Errorf("%d albums are open after the replay, want %d", open, photos/albumSize)
	}
	gib := float64(bytes) / (1 << 30)
	text := fmt.Sprintf("Killed with %.2f GiB of open albums on the embeddings topic (%d photos in %d albums), the next worker was ready after %.1f s, start included: "+
		"%.0f s per GiB, at %d MiB of memory.", gib, photos, open, took.Seconds(), took.Seconds()/gib, s.fleet.peak>>20)
	t.Log(text)
	set.report(t, "replay", fmt.Sprintf("`make chaos-replay MIB=%d`: %s\n", mib, text))
}

const (
	albumSize = 100
	width     = 1280 // of the demo bundle's embeddings
)

// fillAlbums writes embeddings as the photo stage does, of the demo bundle's width, until so many bytes are on the topic.
func fillAlbums(ctx context.Context, t *testing.T, s *scene, bytes int64) (photos int, written int64) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.set.addresses()...), kgo.DefaultProduceTopic(s.names.embeddings), kgo.MaxBufferedRecords(2000))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	e := pipeline.Embedding{Model: "none", Vector: make([]float32, width), Top: make([]enrich.Candidate, 32)}
	for i := range e.Vector {
		e.Vector[i] = float32(i) / width
	}
	for written < bytes || photos%albumSize != 0 {
		album := fmt.Sprintf("album-%d", photos/albumSize)
		e.Reference = pipeline.Reference{PhotoID: fmt.Sprintf("photo-%d", photos), Bucket: bucket, Key: "red.jpg", Album: album, TakenAt: time.Unix(int64(photos), 0)}
		value, err := pipeline.EncodeEmbedding(e)
		if err != nil {
			t.Fatal(err)
		}
		client.Produce(ctx, &kgo.Record{Key: []byte(album), Value: value}, func(_ *kgo.Record, err error) {
			if err != nil {
				t.Error(err)
			}
		})
		photos, written = photos+1, written+int64(len(value))
	}
	if err := client.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	return photos, written
}

// waitRead returns when the album stage has every partition and has read all there is.
func (s *scene) waitRead(ctx context.Context, w *worker, photos int) {
	s.t.Helper()
	for begun := time.Now(); time.Since(begun) < 5*time.Minute; s.pause(ctx, 50*time.Millisecond) {
		f, err := w.scrape()
		if err != nil {
			continue
		}
		series := 0
		for name := range f {
			if len(name) > 20 && name[:20] == "planetag_lag_records" {
				series++
			}
		}
		if series == partitions && f.sum("planetag_lag_records") == 0 && int(f.sum("planetag_albums_open")) == photos/albumSize {
			return
		}
	}
	s.t.Fatalf("the album stage did not read everything; its log ends:\n%s", tail(s.fleet.log, 20))
}
