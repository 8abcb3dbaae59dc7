package index

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"

	"planetag/consumer"
	"planetag/pipeline"
)

// Sink is a search index. Its methods are called from several goroutines, for different photos.
type Sink interface {
	// Write sends documents of different photos in one request, each to replace an older version only, and says of each what
	// became of it. An error is one of the request as a whole: nothing is known to be written then.
	Write(ctx context.Context, docs []*Document) ([]Outcome, error)
	// Standings looks photos up; those that the index does not hold are left out.
	Standings(ctx context.Context, photoIDs []string) (map[string]Standing, error)
}

// Outcome is what became of one document.
type Outcome struct {
	Result Result
	Err    error // why it was Busy or Refused
}

// Result is the kind of an Outcome.
type Result int

const (
	Written Result = iota
	Newer          // the index holds this version or a greater one
	Busy           // not now
	Refused        // not ever
)

// writer brings batches into the sink.
type writer struct {
	sink    Sink
	shape   string
	dead    string // topic
	metrics *metrics
	log     *slog.Logger
}

// write returns when every record is settled: in the index, or older than what is there, or one of the returned dead letters.
func (w *writer) write(ctx context.Context, records []consumer.Record) (dead []consumer.Record, err error) {
	last := make(map[string]consumer.Record) // of each photo, for its dead letter
	waiting := make(map[string]*Document)
	bury := func(rec consumer.Record, cause error) {
		dead = append(dead, pipeline.Buried(w.dead, rec, Stage, cause))
		w.metrics.count(refused, 1)
		w.log.Warn("a location cannot be indexed", "partition", rec.Partition, "offset", rec.Offset, "err", cause)
	}
	for _, rec := range records {
		doc, err := read(rec, w.shape)
		if err != nil {
			bury(rec, err)
			continue
		}
		if w.fold(waiting, doc) {
			last[doc.PhotoID] = rec
		}
	}
	for pause := firstPause; len(waiting) > 0; {
		busy, refusals, err := w.round(ctx, waiting)
		for id, cause := range refusals {
			bury(last[id], fmt.Errorf("%w of photo %q: %w", pipeline.ErrLocation, id, cause))
			delete(waiting, id)
		}
		switch {
		case err != nil && ctx.Err() == nil && pipeline.Judge(err) == pipeline.Stop:
			return nil, err
		case err == nil && busy == nil:
			pause = firstPause
			continue
		case err == nil:
			err = busy
		}
		w.trouble(ctx, err, len(waiting), pause)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		pause = min(2*pause, longPause)
	}
	return dead, nil
}

// fold keeps the newer of two documents of one photo, as if they had been written one after the other.
func (w *writer) fold(waiting map[string]*Document, doc *Document) bool {
	var held Standing
	if old := waiting[doc.PhotoID]; old != nil {
		held = old.standing()
	}
	now, newer := held.after(doc.standing())
	if held != (Standing{}) {
		w.metrics.count(older, 1) // one of the two
	}
	if newer {
		doc.version = now.Version
		waiting[doc.PhotoID] = doc
	}
	return newer
}

// round sends what is waiting once and takes out what is settled. busy is one of the reasons why some of it is not.
func (w *writer) round(ctx context.Context, waiting map[string]*Document) (busy error, refusals map[string]error, err error) {
	docs := make([]*Document, 0, len(waiting))
	for _, doc := range waiting {
		docs = append(docs, doc)
	}
	began := time.Now()
	outcomes, err := w.sink.Write(ctx, docs)
	if err != nil {
		return nil, nil, err
	}
	w.metrics.request(time.Since(began))
	refusals = make(map[string]error)
	var turned []string
	for i, o := range outcomes {
		id := docs[i].PhotoID
		switch o.Result {
		case Written:
			w.metrics.count(written, 1)
			delete(waiting, id)
		case Newer:
			turned = append(turned, id)
		case Busy:
			busy = o.Err
			w.metrics.count(retried, 1)
		case Refused:
			refusals[id] = o.Err
		}
	}
	return busy, refusals, w.reconsider(ctx, waiting, turned)
}

// reconsider asks for the standing of photos whose version was turned away: most are repetitions or older, but a removal may
// be newer than an album's answer with a greater revision. What is newer stays, with a version that will be taken.
func (w *writer) reconsider(ctx context.Context, waiting map[string]*Document, turned []string) error {
	if len(turned) == 0 {
		return nil
	}
	held, err := w.sink.Standings(ctx, turned)
	if err != nil {
		return err
	}
	for _, id := range turned {
		now, newer := held[id].after(waiting[id].standing())
		if !newer {
			w.metrics.count(older, 1)
			delete(waiting, id)
			continue
		}
		waiting[id].version = now.Version
	}
	return nil
}

const (
	firstPause = 100 * time.Millisecond
	longPause  = 10 * time.Second
)

// trouble says what holds up a batch, and waits; a pause is shortened at random by up to a half.
func (w *writer) trouble(ctx context.Context, err error, documents int, pause time.Duration) {
	if pause == firstPause || pause == longPause {
		w.log.Warn("the index does not take documents now, trying again", "documents", documents, "err", err)
	}
	timer := time.NewTimer(pause/2 + rand.N(pause/2))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
