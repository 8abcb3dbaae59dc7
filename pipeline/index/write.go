package index

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
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

	firstPause time.Duration // after a failure; the next ones double
}

// batch is what of some records is not settled yet.
type batch struct {
	chains  map[string]chain
	waiting map[string]*Document // the document that each chain comes to, with the version to try
	unasked []string             // photos whose standing must be known before anything is tried
	dead    []consumer.Record
}

// write returns when every record is settled: in the index, or older than what is there, or one of the returned dead letters.
func (w *writer) write(ctx context.Context, records []consumer.Record) (dead []consumer.Record, err error) {
	b := w.gather(records)
	for pause := w.firstPause; len(b.waiting)+len(b.unasked) > 0; {
		busy, err := w.round(ctx, b)
		switch {
		case err != nil && ctx.Err() == nil && pipeline.Judge(err) == pipeline.Stop:
			return nil, err
		case err == nil && busy == nil:
			pause = w.firstPause
			continue
		case err == nil:
			err = busy
		}
		w.trouble(ctx, err, len(b.waiting)+len(b.unasked), pause)
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		pause = min(2*pause, longPause)
	}
	return b.dead, nil
}

func (w *writer) gather(records []consumer.Record) *batch {
	b := &batch{chains: make(map[string]chain, len(records)), waiting: make(map[string]*Document, len(records))}
	for _, rec := range records {
		doc, err := read(rec, w.shape)
		if err != nil {
			w.bury(b, rec, err)
			continue
		}
		b.chains[doc.PhotoID] = append(b.chains[doc.PhotoID], doc)
	}
	outdone := 0
	for id, c := range b.chains {
		outdone += len(c) - 1
		b.begin(id)
	}
	w.metrics.count(older, outdone)
	return b
}

// begin decides what is tried first.
func (b *batch) begin(id string) {
	if b.chains[id].removes() {
		b.unasked = append(b.unasked, id)
		delete(b.waiting, id)
		return
	}
	b.expect(id, Standing{})
}

// expect says what the index holds of a photo, or that nobody knows, and returns whether something is to be written over it.
func (b *batch) expect(id string, held Standing) bool {
	doc, now := b.chains[id].standing(held)
	if doc == nil {
		delete(b.waiting, id)
		return false
	}
	doc.version = now.Version
	b.waiting[id] = doc
	return true
}

func (w *writer) bury(b *batch, rec consumer.Record, cause error) {
	b.dead = append(b.dead, pipeline.Buried(w.dead, rec, Stage, cause))
	w.metrics.count(refused, 1)
	w.log.Warn("a location cannot be indexed", "partition", rec.Partition, "offset", rec.Offset, "err", cause)
}

// round sends what is waiting once and takes out what is settled. busy is one of the reasons why some of it is not.
func (w *writer) round(ctx context.Context, b *batch) (busy, err error) {
	if err := w.reconsider(ctx, b, b.unasked); err != nil {
		return nil, err
	}
	b.unasked = nil
	if len(b.waiting) == 0 {
		return nil, nil
	}
	docs := slices.AppendSeq(make([]*Document, 0, len(b.waiting)), maps.Values(b.waiting))
	began := time.Now()
	outcomes, err := w.sink.Write(ctx, docs)
	if err != nil {
		return nil, err
	}
	w.metrics.request(time.Since(began))
	var turned []string
	done := 0
	for i, o := range outcomes {
		doc := docs[i]
		switch o.Result {
		case Written:
			done++
			delete(b.waiting, doc.PhotoID)
		case Newer:
			turned = append(turned, doc.PhotoID)
		case Busy:
			busy = o.Err
			w.metrics.count(retried, 1)
		case Refused:
			w.bury(b, doc.record, fmt.Errorf("%w of photo %q: %w", pipeline.ErrLocation, doc.PhotoID, o.Err))
			b.without(doc)
		}
	}
	w.metrics.count(written, done)
	return busy, w.reconsider(ctx, b, turned)
}

// without goes on as if the document had never come: what it stood before gets its chance.
func (b *batch) without(doc *Document) {
	b.chains[doc.PhotoID] = slices.DeleteFunc(b.chains[doc.PhotoID], func(d *Document) bool { return d == doc })
	b.begin(doc.PhotoID)
}

// reconsider asks for the standing of photos whose version was turned away, or that removals are about: most of the former are
// repetitions or older, but a photo may have come back after a removal. What is newer stays, with a version that will be taken.
func (w *writer) reconsider(ctx context.Context, b *batch, turned []string) error {
	if len(turned) == 0 {
		return nil
	}
	held, err := w.sink.Standings(ctx, turned)
	if err != nil {
		return err
	}
	for _, id := range turned {
		if !b.expect(id, held[id]) {
			w.metrics.count(older, 1)
		}
	}
	return nil
}

const (
	shortPause = 100 * time.Millisecond
	longPause  = 10 * time.Second
)

// trouble says what holds up a batch, and waits; a pause is shortened at random by up to a half.
func (w *writer) trouble(ctx context.Context, err error, documents int, pause time.Duration) {
	if pause == w.firstPause || pause == longPause {
		w.log.Warn("the index does not take documents now, trying again", "documents", documents, "err", err)
	}
	timer := time.NewTimer(pause/2 + rand.N(pause/2))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
