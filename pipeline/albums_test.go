package pipeline

import (
	"context"
	"fmt"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/infer"
)

// tinyModel loads the stand-in bundle, or skips where there is no ONNX Runtime.
func tinyModel(t testing.TB) *enrich.Model {
	t.Helper()
	library := testLibrary(t)
	m, err := enrich.Load(context.Background(), enrich.Options{Library: library, Bundle: "../enrich/testdata/tiny"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

var albumDay = time.Date(2026, 7, 1, 10, 0, 0, 0, time.UTC)

// TestAlbumCloses names every reason for which an album is closed, and the moments before at which it is not.
func TestAlbumCloses(t *testing.T) {
	model := tinyModel(t)
	tests := []struct {
		name   string
		tell   func(p *logPartition)
		adjust func(c *AlbumsConfig)
		after  time.Duration
		photos int // closed with so many photos; 0 = stays open
	}{
		{"a moment ago", nil, nil, time.Second, 0},
		{"idle", nil, nil, 30 * time.Second, 3},
		{"told complete with the right number", func(p *logPartition) {
			p.control(Control{Kind: ControlComplete, Album: "rome", Photos: 3, At: albumDay})
		}, nil, time.Second, 3},
		{"told complete, one still on its way", func(p *logPartition) {
			p.control(Control{Kind: ControlComplete, Album: "rome", Photos: 4, At: albumDay})
		}, nil, time.Second, 0},
		{"told complete, one became a dead letter", func(p *logPartition) {
			p.control(Control{Kind: ControlComplete, Album: "rome", Photos: 4, At: albumDay})
			p.control(Control{Kind: ControlMissing, Album: "rome", PhotoID: "x", At: albumDay})
		}, nil, time.Second, 3},
		{"told complete without a number", func(p *logPartition) {
			p.control(Control{Kind: ControlComplete, Album: "rome", At: albumDay})
		}, nil, time.Second, 3},
		{"one was removed", func(p *logPartition) {
			p.control(Control{Kind: ControlMissing, Album: "rome", PhotoID: "rome/1", At: albumDay})
		}, nil, 30 * time.Second, 2},
		{"large", nil, func(c *AlbumsConfig) { c.MaxPhotos = 3 }, 0, 3},
		{"old", nil, func(c *AlbumsConfig) { c.Idle, c.MaxAge = Duration(time.Hour), Duration(time.Minute) }, time.Minute, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := albumTestConfig
			if tt.adjust != nil {
				tt.adjust(&cfg)
			}
			p := &logPartition{t: t}
			for i := range 3 {
				p.photo("rome", fmt.Sprint("rome/", i), albumDay, model.Info().SHA256)
			}
			if tt.tell != nil {
				tt.tell(p)
			}
			run, _ := life(albumTestStage(model, cfg), p)
			if err := run.turn(context.Background(), albumDay.Add(tt.after)); err != nil {
				t.Fatal(err)
			}
			if len(p.locations) != tt.photos {
				t.Fatalf("%d locations, want %d", len(p.locations), tt.photos)
			}
			for i, l := range p.locations {
				if l.Stage != StageAlbum || l.Album.Size != tt.photos || l.Album.Position != i+1 || l.Album.ID != "rome" {
					t.Errorf("location %+v of %+v", l.Album, l)
				}
			}
		})
	}
}

// TestSpentBudgetClosesTheLargestAlbum: early answers instead of a worker that stands still.
func TestSpentBudgetClosesTheLargestAlbum(t *testing.T) {
	model := tinyModel(t)
	stage, p := albumTestStage(model, albumTestConfig), &logPartition{t: t}
	for i := range 5 {
		p.photo("large", fmt.Sprint("large/", i), albumDay, model.Info().SHA256)
	}
	p.photo("small", "small/1", albumDay, model.Info().SHA256)
	stage.budget = NewBudget(1)
	run, _ := life(stage, p)
	run.hold.budget = stage.budget
	run.keep(run.state.bytes)
	if err := run.turn(context.Background(), albumDay); err != nil {
		t.Fatal(err)
	}
	if len(p.locations) != 5 || run.state.albums["large"] != nil || run.state.albums["small"] == nil {
		t.Fatalf("%d locations, albums left: %v", len(p.locations), run.state.albums)
	}
	run.release()
	if used := stage.budget.Used(); used != 0 {
		t.Fatalf("%d bytes of the budget are still held", used)
	}
}

// TestForeignEmbeddingsKeepTheirAnswer: what another bundle embedded is not fed to this one's LSTM.
func TestForeignEmbeddingsKeepTheirAnswer(t *testing.T) {
	model := tinyModel(t)
	p := &logPartition{t: t}
	p.photo("rome", "rome/old", albumDay, "another bundle")
	p.photo("rome", "rome/new", albumDay, model.Info().SHA256)
	run, _ := life(albumTestStage(model, albumTestConfig), p)
	if err := run.turn(context.Background(), albumDay.Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if len(p.locations) != 1 || p.locations[0].PhotoID != "rome/new" || p.locations[0].Album.Size != 1 {
		t.Fatalf("locations %+v", p.locations)
	}
}

// TestUnreadableEmbeddingIsDeadLetteredOnce also after a crash right behind it.
func TestUnreadableEmbeddingIsDeadLetteredOnce(t *testing.T) {
	model := tinyModel(t)
	stage, p := albumTestStage(model, albumTestConfig), &logPartition{t: t}
	p.photo("rome", "rome/1", albumDay, model.Info().SHA256) // keeps the offset back
	p.append(consumer.Record{Topic: "embeddings", Key: []byte("rome"), Value: []byte("no embedding"), Time: albumDay})
	for range 3 {
		run, _ := life(stage, p)
		if err := run.turn(context.Background(), albumDay); err != nil {
			t.Fatal(err)
		}
	}
	if len(p.dead) != 1 || string(p.dead[0].Value) != "no embedding" {
		t.Fatalf("dead letters: %v", p.dead)
	}
}

// TestReplayIsBounded: an album that never falls silent must not keep all its neighbours' records in the replay.
func TestReplayIsBounded(t *testing.T) {
	model := tinyModel(t)
	cfg := albumTestConfig
	cfg.MaxReplay, cfg.Linger, cfg.Idle = 16<<10, 0, Duration(10*time.Second)
	cfg.MaxAge = Duration(1000 * time.Hour)
	stage, p := albumTestStage(model, cfg), &logPartition{t: t}
	run, from := life(stage, p)
	now, longest := albumDay, int64(0)
	for i := range 2000 {
		now = now.Add(time.Second)
		p.photo("for ever", fmt.Sprint("for ever/", i%5), now, model.Info().SHA256)
		p.photo(fmt.Sprint("short/", i), fmt.Sprint(i), now, model.Info().SHA256)
		catchUp(run, from)
		if err := run.turn(context.Background(), now); err != nil {
			t.Fatal(err)
		}
		longest = max(longest, run.state.replayBytes())
	}
	if limit := int64(cfg.MaxReplay) + 64<<10; longest > limit {
		t.Fatalf("a replay would have read %d bytes, want at most %d", longest, limit)
	}
	if copies := len(p.records) - 4000; copies > 4000 {
		t.Fatalf("%d records were written for 4000 photos", copies)
	}
	again, _ := life(stage, p)
	if got := len(again.state.albums["for ever"].members); got != 5 {
		t.Fatalf("after a restart the album has %d photos", got)
	}
}

func testLibrary(t testing.TB) string {
	t.Helper()
	library, err := infer.FindLibrary("")
	if err != nil {
		skipOrFail(t, err.Error())
	}
	return library
}

// TestCopiesAreTheSameAlbum: what a new owner makes of the copies is what the old one made of the originals, although a
// newer photo came between the two.
func TestCopiesAreTheSameAlbum(t *testing.T) {
	model := tinyModel(t)
	stage, p := albumTestStage(model, albumTestConfig), &logPartition{t: t}
	sha := model.Info().SHA256
	p.photo("rome", "rome/1", albumDay, sha)
	p.photo("rome", "rome/2", albumDay, sha)
	run, from := life(stage, p)
	if err := run.turn(context.Background(), albumDay.Add(time.Minute)); err != nil { // closes both
		t.Fatal(err)
	}
	late := albumDay.Add(2 * time.Minute)
	p.photo("rome", "rome/3", late, sha)
	p.control(Control{Kind: ControlMissing, Album: "rome", PhotoID: "rome/4", At: late})
	p.control(Control{Kind: ControlComplete, Album: "rome", Photos: 5, At: late})
	catchUp(run, from)
	from.rival = func() { p.photo("rome", "rome/2", late.Add(time.Second), sha) }
	if err := run.copyForward(context.Background(), run.state.albums["rome"]); err != nil {
		t.Fatal(err)
	}
	catchUp(run, from)
	again, _ := life(stage, p)
	old, got := run.state.albums["rome"], again.state.albums["rome"]
	if p.committed < 3 || got == nil {
		t.Fatalf("committed offset %d, album %v", p.committed, got)
	}
	if got.open != old.open || got.upTo != old.upTo || got.revision != old.revision || got.expected != 5 || !got.complete || !got.missing["rome/4"] {
		t.Errorf("the album is %+v, was %+v", got, old)
	}
	for id, m := range old.members {
		if g := got.members[id]; g == nil || g.first != m.first || g.Source != m.Source {
			t.Errorf("photo %s is %+v, was %+v", id, g, m)
		}
	}
	if first := got.members["rome/2"].first; first != 6 {
		t.Errorf("the newer photo of offset 6 was replaced by one of offset %d", first)
	}
}
