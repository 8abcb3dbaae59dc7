package pipeline

import (
	"context"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var albumTestConfig = AlbumsConfig{
	Mode: "average", Idle: Duration(30 * time.Second), MaxAge: Duration(time.Hour), MaxPhotos: 1000,
	Linger: Duration(1000 * time.Hour), MaxReplay: 1 << 30,
}

var albumSteps = []string{
	"photo", "photo", "photo", "photo while committing", "complete", "time", "the clock is set back", "crash", "refused", "answer lost",
}

// TestAlbumsSurviveAnything tells random stories of photos, late photos, repeated photos, producers' words, time, crashes
// and commits that fail or succeed unheard, and checks what a replayer of the topics sees.
func TestAlbumsSurviveAnything(t *testing.T) {
	model := tinyModel(t)
	rapid.Check(t, func(t *rapid.T) {
		cfg := albumTestConfig
		if rapid.Bool().Draw(t, "copies forward") {
			cfg.MaxReplay = 1
		}
		stage, p := albumTestStage(model, cfg), &logPartition{t: t}
		now := time.Date(2026, 7, 1, 0, 0, 0, 0, time.UTC)
		run, from := life(stage, p)
		back := time.Duration(0)
		turn := func() {
			if err := run.turn(context.Background(), now); err != nil {
				run, from = life(stage, p)
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			album := rapid.SampledFrom([]string{"rome", "paris", "sydney"}).Draw(t, "album")
			id := fmt.Sprint(album, "/", rapid.IntRange(1, 6).Draw(t, "n"))
			switch rapid.SampledFrom(albumSteps).Draw(t, "step") {
			case "photo":
				p.photo(album, id, now, model.Info().SHA256)
			case "photo while committing":
				at := now
				from.rival = func() { p.photo(album, id, at, model.Info().SHA256) }
			case "the clock is set back":
				back++
				now = now.Add(-time.Minute)
			case "complete":
				p.control(Control{Kind: ControlComplete, Album: album, Photos: rapid.IntRange(0, 6).Draw(t, "photos"), At: now})
			case "time":
				now = now.Add(time.Duration(rapid.IntRange(1, 40).Draw(t, "seconds")) * time.Second)
			case "crash":
				run, from = life(stage, p)
			case "refused":
				from.failing = "refused"
			case "answer lost":
				from.failing = "answer lost"
			}
			now = now.Add(time.Millisecond)
			if rapid.Bool().Draw(t, "poll") {
				poll(run, from)
			}
			if rapid.Bool().Draw(t, "turn") {
				turn()
			}
		}
		for range 4 { // the stream falls silent
			now = now.Add((back + 1) * time.Minute)
			catchUp(run, from)
			turn()
		}
		checkStory(t, p)
	})
}

// checkStory checks every promise of the album stage on what it left on the topics.
func checkStory(t *rapid.T, p *logPartition) {
	type seen struct {
		photo    string
		revision int64
	}
	photos, covered, last, once := map[string]map[string]bool{}, map[string]int64{}, map[string]int64{}, map[seen]bool{}
	newest := map[string]int64{}
	for _, rec := range p.records {
		e, c, err := DecodeAlbumRecord(rec.Value)
		switch {
		case err != nil:
			t.Fatal(err)
		case e != nil && !e.Copied:
			if photos[e.Reference.Album] == nil {
				photos[e.Reference.Album] = map[string]bool{}
			}
			photos[e.Reference.Album][e.Reference.PhotoID] = true
			newest[e.Reference.Album] = rec.Offset
		case c != nil && c.Kind == ControlClose && c.Reason != "":
			if c.UpTo <= covered[c.Album] && covered[c.Album] != 0 || newest[c.Album] <= covered[c.Album] && covered[c.Album] != 0 {
				t.Fatalf("album %s was closed at offset %d without a new photo", c.Album, rec.Offset)
			}
			if c.Revision <= last[c.Album] {
				t.Fatalf("album %s: revision went from %d to %d", c.Album, last[c.Album], c.Revision)
			}
			covered[c.Album], last[c.Album] = c.UpTo, c.Revision
		}
	}
	final := map[string]Location{}
	for _, l := range p.locations {
		if key := (seen{l.PhotoID, l.Revision}); once[key] {
			t.Fatalf("photo %s has two locations of revision %d", l.PhotoID, l.Revision)
		} else {
			once[key] = true
		}
		if l.Revision > final[l.PhotoID].Revision {
			final[l.PhotoID] = l
		}
	}
	for album, ids := range photos {
		for id := range ids {
			l, ok := final[id]
			if !ok || l.Revision != last[album] || l.Album.Size != len(ids) {
				t.Fatalf("photo %s of album %s (%d photos, last revision %d) ends as %+v", id, album, len(ids), last[album], l.Album)
			}
		}
	}
}
