package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"planetag/consumer"
	"planetag/enrich"
)

// logPartition is one partition of the embeddings topic, kept as a slice, with the group's offset: what survives a crash.
type logPartition struct {
	t         rapid.TB
	records   []consumer.Record
	locations []Location
	dead      []consumer.Record
	committed int64
}

// replayer is one life of a worker on the partition.
type replayer struct {
	*logPartition
	next     int64
	caughtUp int64  // the end when this life began
	failing  string // what happens at the next commit: "" | "refused" | "answer lost"
	finished bool   // after a failed commit an assignment must not be used again
	rival    func() // what the photo stage writes just before the next commit lands
}

func (r *replayer) Fetch(context.Context) ([]consumer.Record, error) {
	n := min(r.next+7, int64(len(r.records))) // a few at a time, as a broker would
	got := slices.Clone(r.records[r.next:n])
	r.next = n
	return got, nil
}

func (r *replayer) CaughtUp() bool { return r.next >= r.caughtUp }

func (r *replayer) Commit(_ context.Context, records []consumer.Record, next int64) error {
	if r.finished {
		r.t.Fatalf("commit after a failed commit")
	}
	if r.finished = r.failing != ""; r.failing == "refused" {
		return consumer.ErrRestart
	}
	if r.rival != nil {
		r.rival()
		r.rival = nil
	}
	if next < r.committed {
		r.t.Fatalf("the group's offset goes back from %d to %d", r.committed, next)
	}
	r.committed = next
	for _, rec := range records {
		switch rec.Topic {
		case "embeddings":
			r.append(rec)
		case "locations":
			var l Location
			if err := json.Unmarshal(rec.Value, &l); err != nil {
				r.t.Fatal(err)
			}
			r.locations = append(r.locations, l)
		case "dead":
			r.dead = append(r.dead, rec)
		default:
			r.t.Fatalf("record for topic %q", rec.Topic)
		}
	}
	if r.failing == "answer lost" {
		return consumer.ErrRestart
	}
	return nil
}

func (p *logPartition) append(rec consumer.Record) {
	rec.Offset, rec.Partition = int64(len(p.records)), 3
	p.records = append(p.records, rec)
}

// photo appends the embedding of one photo.
func (p *logPartition) photo(album, id string, at time.Time, model string) {
	value, err := EncodeEmbedding(Embedding{
		Reference: Reference{PhotoID: id, Bucket: "b", Key: id, Album: album, TakenAt: at},
		Source:    Source{Bucket: "b", Key: id, Topic: "photos"}, Revision: at.UnixMilli(), Model: model,
		Top: []enrich.Candidate{{Cell: 0, P: 0.9}, {Cell: 1, P: 0.1}}, Vector: make([]float32, 8),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.append(consumer.Record{Topic: "embeddings", Key: []byte(album), Value: value, Time: at})
}

func (p *logPartition) control(c Control) {
	value, err := EncodeControl(c)
	if err != nil {
		p.t.Fatal(err)
	}
	p.append(consumer.Record{Topic: "embeddings", Key: []byte(c.Album), Value: value, Time: c.At})
}

func quiet() *slog.Logger { return slog.New(slog.NewTextHandler(io.Discard, nil)) }

func albumTestStage(model *enrich.Model, albums AlbumsConfig) *albumStage {
	cfg := DefaultConfig()
	cfg.Topics.Embeddings, cfg.Topics.Locations, cfg.Topics.DeadLetters = "embeddings", "locations", "dead"
	cfg.Albums = albums
	return &albumStage{
		cfg: cfg, model: model, budget: NewBudget(1 << 30), metrics: NewMetrics(prometheus.NewRegistry()),
		health: NewHealth(time.Hour), log: quiet(),
	}
}

// life begins a new life of the worker: it starts at the committed offset and reads to the end.
func life(s *albumStage, p *logPartition) (*albumRun, *replayer) {
	from := &replayer{logPartition: p, next: p.committed, caughtUp: int64(len(p.records))}
	run := &albumRun{albumStage: s, from: from, state: newSessions(), hold: hold{budget: s.budget}, committed: -1}
	for !from.CaughtUp() {
		poll(run, from)
	}
	return run, from
}

// poll is one fetch.
func poll(run *albumRun, from *replayer) {
	records, _ := from.Fetch(context.Background())
	for _, rec := range records {
		run.state.apply(rec)
	}
}

func catchUp(run *albumRun, from *replayer) {
	for from.next < int64(len(from.records)) {
		poll(run, from)
	}
}

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
