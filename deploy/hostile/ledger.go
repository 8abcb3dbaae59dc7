package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/pipeline"
)

// ledger holds every committed record of the two output topics, as a client reads them that is not the worker's.
type ledger struct {
	client   *kgo.Client
	verdicts []verdict
	first    map[string]verdict // by photo id
	ends     int                // of the partitions that were read to their ends
	fault    error              // a record that no reader could use
}

// theEnd is the key of the records that are written behind everything.
const theEnd = "the end"

func newLedger(broker string) (*ledger, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics(locations, deadLetter), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(100*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("make the reader: %w", err)
	}
	return &ledger{client: client, first: map[string]verdict{}}, nil
}

// poll reads what is there, and waits a moment when nothing is.
func (l *ledger) poll(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	fetches := l.client.PollFetches(ctx)
	if err := fetches.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("read verdicts: %w", err)
	}
	fetches.EachRecord(l.take)
	return l.fault
}

func (l *ledger) take(r *kgo.Record) {
	v := verdict{id: string(r.Key), offset: r.Offset, written: r.Timestamp}
	switch {
	case v.id == theEnd:
		l.ends++
		return
	case r.Topic == deadLetter:
		v.dead, v.kind, v.reason = true, header(r, "error.type"), header(r, "error.message")
	default:
		var location pipeline.Location
		if err := json.Unmarshal(r.Value, &location); err != nil || location.PhotoID != v.id {
			l.fault = fmt.Errorf("location of %s: %w: %s", v.id, err, r.Value)
			return
		}
		v.kind, v.stage, v.written = location.Status, location.Stage, location.Time
	}
	l.verdicts = append(l.verdicts, v)
	if _, seen := l.first[v.id]; !seen {
		l.first[v.id] = v
	}
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// toTheEnd writes a mark behind everything and reads until it has come back from every partition: what a second verdict would be has been read then.
func (l *ledger) toTheEnd(ctx context.Context, broker string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	writer, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return fmt.Errorf("write the marks: %w", err)
	}
	defer writer.Close()
	var marks []*kgo.Record
	for _, topic := range []string{locations, deadLetter} {
		for partition := range int32(partitions) {
			marks = append(marks, &kgo.Record{Topic: topic, Partition: partition, Key: []byte(theEnd)})
		}
	}
	if err := writer.ProduceSync(ctx, marks...).FirstErr(); err != nil {
		return fmt.Errorf("write the marks: %w", err)
	}
	for l.ends < len(marks) {
		if err := l.poll(ctx); err != nil {
			return err
		}
		if ctx.Err() != nil {
			return fmt.Errorf("read %d of %d ends: a transaction is open", l.ends, len(marks))
		}
	}
	return nil
}
