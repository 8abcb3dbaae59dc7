package pipeline

import (
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestReloadInTheMiddleOfAStream swaps the bundle while photos come and albums are open. Every photo is answered exactly once alone and once with its album,
// each answer is of one bundle, the album's of the one that looked at the photo, and no membership was lost.
func TestReloadInTheMiddleOfAStream(t *testing.T) {
	w := newReloadWorld(t)
	for a := range reloadAlbums {
		for p := range 4 {
			w.refer(a, p)
		}
	}
	w.until("the first photos", func() bool { return w.answered(StagePhoto) == 4*reloadAlbums })
	old := w.worker.hold()
	w.worker.release(old)

	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for p := 4; p < reloadPhotos; p++ {
			for a := range reloadAlbums {
				w.refer(a, p)
			}
			if p == reloadPhotos-2 { // the last come when it is over
				for w.results(reloadDone) == 0 && t.Context().Err() == nil {
					time.Sleep(time.Millisecond)
				}
			}
		}
	}()
	next := w.cfg
	next.Bundle.Path, next.Albums.MaxPhotos, next.Memory.Budget = otherBundle(t, false), 900, 1<<30
	w.incoming <- Reload{Config: next}
	<-sent
	for a := range reloadAlbums {
		w.publish(a, fmt.Sprintf(`{"album_complete":"album-%d","photos":%d}`, a, reloadPhotos))
	}
	w.until("all albums", func() bool { return w.answered(StageAlbum) == reloadAlbums*reloadPhotos })
	if got := w.worker.hold(); got.cfg.Albums.MaxPhotos != 900 || got.cfg.Memory.Budget != w.cfg.Memory.Budget {
		t.Errorf("in force: %+v", got.cfg)
	} else {
		w.worker.release(got)
	}
	w.finish()
	w.judge(old.model.Info().SHA256)
	if old.users != 0 {
		t.Errorf("the old bundle has %d users and is not closed", old.users)
	}
	for part, n := range map[string]int{
		"keys=[memory.budget]": 1, "changed=\"[bundle.path albums.max_photos]\"": 1, "msg=reloaded": 1,
		"partitions assigned": 3, // one generation for each stage, and for the backfill topic
		"level=ERROR":         0,
	} {
		if got := w.log.count(part); got != n {
			t.Errorf("the log says %q %d times, want %d", part, got, n)
		}
	}
}

// TestAReloadThatFailsChangesNothing: what cannot be read, does not verify or would need a restart leaves the worker as it is, with one line in the log.
func TestAReloadThatFailsChangesNothing(t *testing.T) {
	w := newReloadWorld(t)
	w.refer(0, 0)
	w.until("the first photo", func() bool { return w.answered(StagePhoto) == 1 })
	before := w.worker.hold()
	w.worker.release(before)
	for i, row := range []struct {
		story, says string
		reload      func(*Reload)
	}{
		{"a file that cannot be read", "bad configuration", func(r *Reload) { r.Err = ErrConfig }},
		{"a damaged bundle", "cnn.onnx", func(r *Reload) { r.Config.Bundle.Path = otherBundle(t, true) }},
		{"no bundle", "no bundle.yaml", func(r *Reload) { r.Config.Bundle.Path = t.TempDir() }},
		{"a mode that the bundle lacks", "has no mode", func(r *Reload) {
			r.Config.Bundle.Path, r.Config.Albums.Mode = "../enrich/testdata/gallery", "lstm"
		}},
		{"no albums any more", "needs a restart", func(r *Reload) { r.Config.Albums.Mode = "none" }},
		{"albums longer than the topic keeps them", "keeps records for", func(r *Reload) { r.Config.Albums.MaxAge = Duration(5000 * time.Hour) }},
	} {
		r := Reload{Config: w.cfg}
		row.reload(&r)
		w.incoming <- r
		w.until(row.story, func() bool { return w.results(reloadFailed) == float64(i+1) })
		if n := w.log.count(row.says); w.log.count("reload failed") != i+1 || n == 0 {
			t.Errorf("%s: the log says %q %d times", row.story, row.says, n)
		}
	}
	w.incoming <- Reload{Config: w.cfg}
	w.until("nothing to do", func() bool { return w.results(reloadSame) == 1 })
	now := w.worker.hold()
	w.worker.release(now)
	if now != before || !reflect.DeepEqual(now.cfg, w.cfg) {
		t.Error("another bundle is in use")
	}
	faster := w.cfg
	faster.Photos.FlushRecords = 1
	w.incoming <- Reload{Config: faster}
	w.until("a setting in force", func() bool { return w.results(reloadDone) == 1 })
	if former := w.worker.holdFormer(before.model.Info().SHA256); former != nil {
		t.Error("the same bundle is kept twice")
	}
	w.refer(0, 1)
	w.until("the second photo", func() bool { return w.answered(StagePhoto) == 2 })
	w.finish()
}

func TestReloadableKeys(t *testing.T) {
	old, now := DefaultConfig(), DefaultConfig()
	now.Albums.Idle, now.Photos.InFlight, now.Bundle.Library, now.Kafka.Group = 1, 2, "l", "g"
	now.Stages = []string{"photos"}
	cfg, changed, fixed := merged(old, now)
	if cfg.Albums.Idle != 1 || cfg.Photos.InFlight != 2 || cfg.Bundle.Library != "" || cfg.Kafka.Group != old.Kafka.Group || len(cfg.Stages) != 2 {
		t.Errorf("%+v", cfg)
	}
	if !slices.Equal(changed, []string{"photos.in_flight", "albums.idle"}) || !slices.Equal(fixed, []string{"kafka.group", "bundle.library", "stages"}) {
		t.Errorf("changed %v, fixed %v", changed, fixed)
	}
	page, err := os.ReadFile("../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range Reloadable() { // that exist, and are documented
		if !strings.Contains(string(page), "`"+key+"`") {
			t.Errorf("docs/configuration.md does not say that %s is reloadable", key)
		}
		known := func(k string) bool { return k == key || strings.HasSuffix(key, ".") && strings.HasPrefix(k, key) }
		if !slices.ContainsFunc(valueKeys(reflect.TypeFor[Config](), ""), known) {
			t.Errorf("there is no %s", key)
		}
	}
}
