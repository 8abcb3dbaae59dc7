package backfill

import (
	"context"
	"encoding/json"
	"fmt"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"time"

	"planetag/consumer"
	"planetag/pipeline"
)

const (
	// look is how often the topics are looked at.
	look = 500 * time.Millisecond
	// tailRecords is how much of the end of a partition is read to find its last reference: markers of transactions,
	// and those of aborted ones, lie behind it.
	tailRecords = 20000
)

// waiting follows a backfill until every reference has its outcome. What the workers' group has passed is answered or a
// dead letter, in the same transaction; then an album of the backfill is out when a CLOSE marker covers its last photo.
type waiting struct {
	*backfill
	cp          *checkpoint
	goal        []int64 // behind the last reference of each partition of the backfill topic
	begun       []int64 // the offsets of the group when the waiting began
	embeddings  []int64 // where to read on
	deadLetters []int64
	seed        maphash.Seed
	open        map[uint64]openPart // albums by the hash of their id
	failures    io.Writer
	failed      int64
}

// openPart is an album that is not out: the offset of its last photo.
type openPart struct {
	partition int
	last      int64
}

func (b *backfill) wait(ctx context.Context, cp *checkpoint) (failed int64, err error) {
	w := &waiting{
		backfill: b, cp: cp, embeddings: cp.From.Embeddings, deadLetters: cp.From.DeadLetters, seed: maphash.MakeSeed(),
		open: map[uint64]openPart{}, failures: io.Discard,
	}
	if b.Failures != "" {
		file, err := os.OpenFile(b.Failures, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
		if err != nil {
			return 0, fmt.Errorf("write failures: %w", err)
		}
		defer func() { // what is in the file is the report
			if closed := file.Close(); err == nil && closed != nil {
				err = fmt.Errorf("write failures: %w", closed)
			}
		}()
		w.failures = file
	}
	if w.goal, err = w.lastReferences(ctx); err != nil {
		return 0, err
	}
	for {
		out, err := w.look(ctx)
		if err != nil || out {
			return w.failed, err
		}
		if !pause(ctx, look) {
			return w.failed, context.Cause(ctx)
		}
	}
}

// lastReferences finds where the group must get to. The end of a partition is no use: behind the last reference lies at
// least the marker of its transaction, and no group commits an offset behind that.
func (w *waiting) lastReferences(ctx context.Context) ([]int64, error) {
	topic := w.Config.Topics.Backfill
	ends, err := w.client.Ends(ctx, topic)
	if err != nil {
		return nil, err
	}
	start := make([]int64, len(ends))
	for i, end := range ends {
		start[i] = max(0, end-tailRecords)
	}
	goal := make([]int64, len(ends))
	_, err = w.client.Read(ctx, topic, start, func(r consumer.Record) error {
		goal[r.Partition] = max(goal[r.Partition], r.Offset+1)
		return nil
	})
	return goal, err
}

// look looks once, in this order: what the group has passed before its embeddings are read is among them.
func (w *waiting) look(ctx context.Context) (out bool, err error) {
	t := w.Config.Topics
	at, err := w.client.Committed(ctx, w.Config.Kafka.Group+".backfill", t.Backfill)
	if err != nil {
		return false, err
	}
	if w.begun == nil {
		w.begun = slices.Clone(at)
	}
	if w.deadLetters, err = w.client.Read(ctx, t.DeadLetters, w.deadLetters, w.dead); err != nil {
		return false, err
	}
	if w.Config.Albums.Mode != "none" {
		if w.embeddings, err = w.client.Read(ctx, t.Embeddings, w.embeddings, func(r consumer.Record) error { w.follow(r); return nil }); err != nil {
			return false, err
		}
	}
	var done, left int64
	for i, goal := range w.goal {
		left += max(0, goal-max(at[i], 0))
		done += max(0, min(goal, at[i])-max(w.begun[i], 0))
	}
	w.Progress(Progress{Phase: "wait", Done: done, Total: done + left, Albums: int64(len(w.open)), Failed: w.failed})
	return left == 0 && len(w.open) == 0, nil
}

// follow follows albums: a photo of the backfill opens one, a CLOSE marker that covers its last photo ends that.
func (w *waiting) follow(r consumer.Record) {
	album := maphash.Bytes(w.seed, r.Key)
	embedding, control, err := pipeline.DecodeAlbumRecord(r.Value)
	open, is := w.open[album]
	switch {
	case err != nil: // the album stage says so
	case embedding != nil && embedding.Source.Topic == w.Config.Topics.Backfill && embedding.Model == w.bundle.SHA256:
		first := r.Offset
		if embedding.Copied {
			first = embedding.Original
		}
		if !is || first > open.last {
			w.open[album] = openPart{r.Partition, first}
		}
	case control != nil && control.Kind == pipeline.ControlClose && is && control.UpTo >= open.last:
		delete(w.open, album)
	}
}

// dead writes a dead letter of the backfill down.
func (w *waiting) dead(r consumer.Record) error {
	d, mine := w.mine(r)
	if !mine {
		return nil
	}
	w.failed++
	line, err := json.Marshal(struct {
		Type      string          `json:"error_type"`
		Message   string          `json:"error_message"`
		Reference json.RawMessage `json:"reference,omitempty"`
		Partition int             `json:"partition"`
		Offset    int64           `json:"offset"`
		Time      time.Time       `json:"time"`
	}{d.Type, d.Message, rawOrNothing(d.Original.Value), d.Original.Partition, d.Original.Offset, d.Time.UTC()})
	if err == nil {
		_, err = w.failures.Write(append(line, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write failures: %w", err)
	}
	return nil
}

// mine tells a dead letter of the backfill topic from others, and from what else may lie on the topic.
func (w *waiting) mine(r consumer.Record) (pipeline.DeadRecord, bool) {
	d, err := pipeline.ParseDeadRecord(r)
	return d, err == nil && d.Original.Topic == w.Config.Topics.Backfill
}

func rawOrNothing(value []byte) json.RawMessage {
	if !json.Valid(value) {
		return nil
	}
	return value
}
