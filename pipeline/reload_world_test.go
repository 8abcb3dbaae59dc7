package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// otherBundle is the tiny bundle under another version, which makes it another bundle: nobody mixes their embeddings.
func otherBundle(t *testing.T, damaged bool) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "other")
	if err := os.CopyFS(dir, os.DirFS("../enrich/testdata/tiny")); err != nil {
		t.Fatal(err)
	}
	edit := func(name string, change func(string) string) {
		path := filepath.Join(dir, name)
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Remove(path); err != nil { // a copy may be read-only
			t.Fatal(err)
		}
		writeFile(t, path, change(string(text)))
	}
	edit("bundle.yaml", func(text string) string { return strings.Replace(text, "version: 1.0.0", "version: 1.0.1", 1) })
	if damaged {
		edit("cnn.onnx", func(text string) string { return text[:len(text)/2] + "x" + text[len(text)/2+1:] })
	}
	return dir
}

// reloadWorld is a world whose worker can be told to reload, and whose reader keeps every location.
type reloadWorld struct {
	*stuckWorld
	incoming  chan Reload
	worker    *worker
	log       *logLines
	locations map[string][]Location // by photo
	ended     chan error
	stop      context.CancelFunc
}

const (
	reloadAlbums, reloadPhotos = 6, 12 // of an album
)

func newReloadWorld(t *testing.T) *reloadWorld {
	nothingStays(t)
	w := &reloadWorld{
		stuckWorld: newStuckWorld(t, nil), incoming: make(chan Reload), log: &logLines{}, locations: make(map[string][]Location),
		ended: make(chan error, 1),
	}
	w.cfg.Watchdog = DefaultConfig().Watchdog
	w.cfg.Albums.Idle, w.cfg.Albums.MaxAge = Duration(time.Hour), Duration(2*time.Hour) // closed by completion alone
	var ctx context.Context
	ctx, w.stop = context.WithCancel(context.Background())
	w.worker = newWorker(w.cfg, slog.New(slog.NewTextHandler(w.log, nil)))
	w.worker.incoming = w.incoming
	go func() { w.ended <- w.worker.supervised(ctx, w.worker.build) }()
	t.Cleanup(func() {
		w.stop()
		if t.Failed() {
			t.Log(w.log.text.String())
		}
	})
	return w
}

// refer sends a reference to photo p of album a.
func (w *reloadWorld) refer(a, p int) {
	w.publish(a, fmt.Sprintf(`{"photo_id":"%d/%d","key":"%d.jpg","album":"album-%d","taken_at":"2019-05-02T10:%02d:00Z"}`, a, p, p%stuckPhotos, a, p))
}

func (w *reloadWorld) publish(a int, value string) {
	rec := &kgo.Record{Topic: w.cfg.Topics.Input, Partition: int32(a % stuckPartitions), Value: []byte(value)}
	if err := w.reader.ProduceSync(w.t.Context(), rec).FirstErr(); err != nil {
		w.t.Error(err)
	}
}

// until reads locations until done.
func (w *reloadWorld) until(what string, done func() bool) {
	w.t.Helper()
	for deadline := time.Now().Add(90 * time.Second); !done(); {
		if time.Now().After(deadline) {
			w.t.Fatalf("waiting for %s: %d photos\n%s", what, len(w.locations), w.log.text.String())
		}
		ctx, cancel := context.WithTimeout(w.t.Context(), 20*time.Millisecond)
		w.reader.PollFetches(ctx).EachRecord(func(rec *kgo.Record) {
			var l Location
			switch {
			case string(rec.Key) == stuckMarker:
				w.markers++
			case rec.Topic != w.cfg.Topics.Locations || json.Unmarshal(rec.Value, &l) != nil:
				w.t.Errorf("on %s: %s", rec.Topic, rec.Value)
			default:
				w.locations[l.PhotoID] = append(w.locations[l.PhotoID], l)
			}
		})
		cancel()
	}
}

// answered counts the photos with a location of a stage.
func (w *reloadWorld) answered(stage string) (n int) {
	for _, list := range w.locations {
		if slices.ContainsFunc(list, func(l Location) bool { return l.Stage == stage }) {
			n++
		}
	}
	return n
}

func (w *reloadWorld) results(result string) float64 {
	return figure(w.t, w.worker.reg, fmt.Sprintf(`planetag_reloads_total{result=%q}`, result))
}

// finish stops the worker and reads everything that it has written.
func (w *reloadWorld) finish() {
	w.t.Helper()
	w.stop()
	if err := <-w.ended; err != nil {
		w.t.Fatal(err)
	}
	var markers []*kgo.Record
	for partition := range int32(stuckPartitions) {
		markers = append(markers, &kgo.Record{Topic: w.cfg.Topics.Locations, Partition: partition, Key: []byte(stuckMarker)})
	}
	if err := w.reader.ProduceSync(w.t.Context(), markers...).FirstErr(); err != nil {
		w.t.Fatal(err)
	}
	w.until("the end", func() bool { return w.markers == len(markers) })
}

// judge wants of each photo one location alone and one with its album, both of the same bundle, and both bundles at work.
func (w *reloadWorld) judge(old string) {
	w.t.Helper()
	of := make(map[string]int)
	for photo, list := range w.locations {
		if len(list) != 2 || list[0].Stage != StagePhoto || list[1].Stage != StageAlbum {
			w.t.Errorf("%s has %d locations: %+v", photo, len(list), list)
			continue
		}
		if list[0].Model.SHA256 != list[1].Model.SHA256 || list[1].Album.ID != "album-"+photo[:1] {
			w.t.Errorf("%s: of %s alone and of %s with album %s", photo, list[0].Model.Bundle, list[1].Model.Bundle, list[1].Album.ID)
		}
		of[list[1].Model.SHA256]++
	}
	if len(w.locations) != reloadAlbums*reloadPhotos || len(of) != 2 || of[old] < 4*reloadAlbums || of[old] == len(w.locations) {
		w.t.Errorf("%d photos, by bundle %v", len(w.locations), of)
	}
}
