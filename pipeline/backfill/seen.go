package backfill

import (
	"context"
	"fmt"
	"strings"
	"time"

	"planetag/consumer"
	"planetag/pipeline"
)

// mark is an object as it was last seen.
type mark struct {
	content uint64 // hash of what a listing says of its bytes
	turn    uint32 // the look that saw it
}

// change is applied when it is committed.
type change struct {
	key  string
	mark mark
	gone bool
}

// stateKey of an object; archives may lie in each other.
func (w *watch) stateKey(key string) []byte { return []byte("watch/" + w.Archive + "\x00" + key) }

func (w *watch) state(key string, value []byte) consumer.Record {
	return consumer.Record{Topic: w.Config.Topics.State + watchSuffix, Partition: -1, Key: w.stateKey(key), Value: value}
}

func (w *watch) remember(ctx context.Context) error {
	w.seen, w.turn = map[string]mark{}, 0
	w.begun = false
	begin := string(w.stateKey(firstLook))
	_, err := w.client.Read(ctx, w.Config.Topics.State+watchSuffix, nil, func(r consumer.Record) error {
		key, mine := strings.CutPrefix(string(r.Key), begin)
		switch {
		case !mine:
		case key == firstLook:
			w.begun = true
		case r.Value == nil:
			delete(w.seen, key)
		default:
			w.seen[strings.Clone(key)] = mark{content: contentHash(string(r.Value))}
		}
		return nil
	})
	return err
}

// content is what a listing says of an object's bytes.
func content(o pipeline.Listed) string {
	if o.ETag != "" {
		return o.ETag
	}
	return fmt.Sprintf("%d bytes of %s", o.Size, o.Modified.UTC().Format(time.RFC3339Nano))
}

func (w *watch) commitSome(ctx context.Context) error {
	if len(w.records) < batch {
		return nil
	}
	return w.commit(ctx)
}

// commit writes what was found, and what is seen now, in one transaction.
func (w *watch) commit(ctx context.Context) error {
	if err := w.writer.Write(ctx, w.records); err != nil {
		return err
	}
	for _, c := range w.changes {
		if c.gone {
			delete(w.seen, c.key)
		} else {
			w.seen[c.key] = c.mark
		}
	}
	w.records, w.changes = w.records[:0], w.changes[:0]
	return nil
}
