package backfill

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"time"

	"planetag/consumer"
)

// ErrUnfinished says that another backfill of the same archive is not finished; the message names the way out.
var ErrUnfinished = errors.New("unfinished backfill")

// errState says that the checkpoint cannot be read.
var errState = errors.New("bad checkpoint")

// checkpoint is how far a backfill is: the value of one record of the state topic.
type checkpoint struct {
	Version     int       `json:"version"`
	Archive     string    `json:"archive"`
	Filter      Filter    `json:"filter"`
	Started     time.Time `json:"started"`
	Finished    time.Time `json:"finished,omitzero"`
	Level       string    `json:"level,omitempty"` // the directory between whose sub-directories the archive is cut
	LevelPhotos int       `json:"level_photos,omitempty"`
	Shards      []shard   `json:"shards,omitempty"`
	Counts      Counts    `json:"counts"`
	From        from      `json:"from"`
}

// from are the ends of topics when the backfill began: nothing of it lies before.
type from struct {
	Embeddings  []int64 `json:"embeddings"`
	DeadLetters []int64 `json:"dead_letters"`
}

// Counts add up over all starts of a backfill.
type Counts struct {
	Objects        int64            `json:"objects"` // listed
	Bytes          int64            `json:"bytes"`
	References     int64            `json:"references"` // written
	ReferenceBytes int64            `json:"reference_bytes"`
	Albums         int64            `json:"albums"`            // completed
	Located        int64            `json:"located"`           // left out: they have a location by this bundle
	OptedOut       int64            `json:"opted_out"`         // left out
	Skipped        map[string]int64 `json:"skipped,omitempty"` // left out by the filter, by reason
}

func (c *Counts) add(more Counts) {
	c.Objects += more.Objects
	c.Bytes += more.Bytes
	c.References += more.References
	c.ReferenceBytes += more.ReferenceBytes
	c.Albums += more.Albums
	c.Located += more.Located
	c.OptedOut += more.OptedOut
	for reason, n := range more.Skipped {
		c.skip(reason, n)
	}
}

func (c *Counts) skip(reason string, n int64) {
	if c.Skipped == nil {
		c.Skipped = map[string]int64{}
	}
	c.Skipped[reason] += n
}

// stateKey is the key of an archive's checkpoint, and the end of its transactional id.
func stateKey(archive string) string { return "backfill/" + archive }

// record is the checkpoint for the state topic.
func (c *checkpoint) record(topic string) (consumer.Record, error) {
	value, err := json.Marshal(c)
	if err != nil {
		return consumer.Record{}, fmt.Errorf("%w: write: %w", errState, err)
	}
	return consumer.Record{Topic: topic, Partition: -1, Key: []byte(stateKey(c.Archive)), Value: value}, nil
}

// load reads the newest checkpoint of an archive; nil if there is none.
func load(ctx context.Context, client *consumer.Client, topic, archive string) (*checkpoint, error) {
	var newest []byte
	_, err := client.Read(ctx, topic, nil, func(r consumer.Record) error {
		if string(r.Key) == stateKey(archive) {
			newest = append(newest[:0], r.Value...)
		}
		return nil
	})
	if err != nil || len(newest) == 0 {
		return nil, err
	}
	var c checkpoint
	if err := json.Unmarshal(newest, &c); err != nil {
		return nil, fmt.Errorf("%w of %s on topic %q: %w", errState, archive, topic, err)
	}
	if c.Version != 1 {
		return nil, fmt.Errorf("%w of %s on topic %q: version %d; this planetag knows 1", errState, archive, topic, c.Version)
	}
	return &c, nil
}

// fits refuses to go on with another filter: what was passed over is not listed again.
func (c *checkpoint) fits(f Filter) error {
	if reflect.DeepEqual(c.Filter, f) {
		return nil
	}
	asked, _ := json.Marshal(c.Filter) // texts and numbers
	return fmt.Errorf("%w: %s was begun %s with the filter %s; finish it with the same flags, or give it up with --restart",
		ErrUnfinished, c.Archive, c.Started.Format(time.RFC3339), asked)
}
