package pipeline

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"sync/atomic"
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
	p.positioned(album, id, at, model, nil)
}

// positioned appends the embedding of one photo that has a position, unless it is nil.
func (p *logPartition) positioned(album, id string, at time.Time, model string, position *Position) {
	p.embedded(Reference{PhotoID: id, Bucket: "b", Key: id, Album: album, TakenAt: at, Position: position}, model,
		enrich.Candidate{Cell: 0, P: 0.9}, enrich.Candidate{Cell: 1, P: 0.1})
}

// embedded appends the embedding of a photo of an album that looks like these classes.
func (p *logPartition) embedded(ref Reference, model string, top ...enrich.Candidate) {
	at := ref.TakenAt
	value, err := EncodeEmbedding(Embedding{
		Reference: ref, Source: Source{Bucket: ref.Bucket, Key: ref.Key, Topic: "photos"}, Revision: at.UnixMilli(), Model: model,
		Top: top, Vector: make([]float32, 8),
	})
	if err != nil {
		p.t.Fatal(err)
	}
	p.append(consumer.Record{Topic: "embeddings", Key: []byte(ref.Album), Value: value, Time: at})
}

func (p *logPartition) control(c Control) {
	value, err := EncodeControl(c)
	if err != nil {
		p.t.Fatal(err)
	}
	p.append(consumer.Record{Topic: "embeddings", Key: []byte(c.Album), Value: value, Time: c.At})
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

func albumTestStage(model *enrich.Model, albums AlbumsConfig) *albumStage {
	cfg := DefaultConfig()
	cfg.Topics.Embeddings, cfg.Topics.Locations, cfg.Topics.DeadLetters = "embeddings", "locations", "dead"
	cfg.Albums = albums
	return &albumStage{
		cfg: cfg, model: model, passer: model, held: new(atomic.Int64), budget: NewBudget(1 << 30), metrics: NewMetrics(prometheus.NewRegistry()),
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
