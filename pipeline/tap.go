package pipeline

import (
	"context"
	"encoding/json"
	"log/slog"
	"slices"
	"time"

	"planetag/consumer"
)

// TapOptions say what to look at. Nothing is committed and no group is joined: whoever works on the topic does not notice.
type TapOptions struct {
	Config Config
	Topic  string
	Range  consumer.Range
	Most   int  // records to show; 0 = all of the range
	Newest bool // wait for the range's end and show its newest records
}

// Sighting is one record, decoded as far as it is known what it is. Exactly one of what follows Headers is there, or none
// for a tombstone.
type Sighting struct {
	Topic     string            `json:"topic"`
	Partition int               `json:"partition"`
	Offset    int64             `json:"offset"`
	Time      time.Time         `json:"time"`
	Key       *string           `json:"key"` // null where there is none; bytes that are no text are replaced
	Bytes     int               `json:"bytes"`
	Headers   map[string]string `json:"headers,omitempty"`

	Asks       []map[string]any  `json:"asks,omitempty"`    // what input.map makes of it, understood
	Skipped    bool              `json:"skipped,omitempty"` // input.map makes nothing of it
	Error      string            `json:"error,omitempty"`   // why it would be a dead letter
	Location   json.RawMessage   `json:"location,omitempty"`
	Embedding  map[string]any    `json:"embedding,omitempty"`
	Control    map[string]any    `json:"control,omitempty"`
	DeadLetter map[string]string `json:"dead_letter,omitempty"` // why and where it failed; the rest says what would become of it now
}

// Tap calls fn with the records of a topic, each with what it means: on the topics of the configuration a location, an
// embedding or a dead letter, and on every other what input.map makes of it.
func Tap(ctx context.Context, o TapOptions, log *slog.Logger, fn func(Sighting) error) error {
	reader, err := NewInputReader(o.Config)
	if err != nil {
		return err
	}
	conf, err := o.Config.ClientConfig(log, nil)
	if err != nil {
		return err
	}
	client, err := consumer.NewClient(conf)
	if err != nil {
		return err
	}
	defer client.Close()
	t := tap{TapOptions: o, reader: reader}
	if o.Newest {
		return t.newest(ctx, client, fn)
	}
	shown := 0
	return client.Look(ctx, o.Topic, o.Range, func(rec consumer.Record) error {
		s, err := t.sight(ctx, rec)
		if err == nil {
			err = fn(s)
		}
		if shown++; err == nil && shown == o.Most {
			return consumer.ErrStop
		}
		return err
	})
}

type tap struct {
	TapOptions
	reader *InputReader
}

// newest shows the last records of all partitions, in the order of their times.
func (t tap) newest(ctx context.Context, client *consumer.Client, fn func(Sighting) error) error {
	const markers = 16 // of transactions, which take offsets and are no records
	t.Range.Last = 2*int64(t.Most) + markers
	var all []consumer.Record
	if err := client.Look(ctx, t.Topic, t.Range, func(rec consumer.Record) error { all = append(all, rec); return nil }); err != nil {
		return err
	}
	slices.SortStableFunc(all, func(a, b consumer.Record) int { return a.Time.Compare(b.Time) })
	for _, rec := range all[max(0, len(all)-t.Most):] {
		s, err := t.sight(ctx, rec)
		if err != nil {
			return err
		}
		if err := fn(s); err != nil {
			return err
		}
	}
	return nil
}

// sight decodes one record. Its error is that of the registry or of ctx.
func (t tap) sight(ctx context.Context, rec consumer.Record) (Sighting, error) {
	s := Sighting{Topic: rec.Topic, Partition: rec.Partition, Offset: rec.Offset, Time: rec.Time.UTC(), Bytes: len(rec.Value)}
	if rec.Key != nil {
		key := string(rec.Key)
		s.Key = &key
	}
	if len(rec.Headers) > 0 {
		s.Headers = make(map[string]string, len(rec.Headers))
	}
	for _, h := range rec.Headers {
		s.Headers[h.Key] = string(h.Value)
	}
	switch rec.Topic {
	case t.Config.Topics.Locations:
		if rec.Value != nil && !json.Valid(rec.Value) {
			s.Error = "the value is not JSON"
		} else {
			s.Location = rec.Value
		}
		return s, nil
	case t.Config.Topics.Embeddings:
		s.albumRecord(rec.Value)
		return s, nil
	case t.Config.Topics.DeadLetters:
		s.DeadLetter = make(map[string]string)
		for _, name := range deadLetterHeaders() {
			s.DeadLetter[name] = s.Headers[name]
			delete(s.Headers, name)
		}
	}
	return s, s.asks(ctx, t.reader, rec)
}

// asks adds what input.map makes of the record.
func (s *Sighting) asks(ctx context.Context, r *InputReader, rec consumer.Record) error {
	asked, err := r.Read(ctx, rec)
	switch {
	case err != nil && Judge(err) == DeadLetter:
		s.Error = err.Error()
		return nil
	case err != nil:
		return err
	}
	s.Skipped = len(asked) == 0
	for _, a := range asked {
		s.Asks = append(s.Asks, a.shown())
	}
	return nil
}

// shown is what is asked for by the names that references have.
func (a Asked) shown() map[string]any {
	fields := make(map[string]any)
	put := func(name string, value any, there bool) {
		if there {
			fields[name] = value
		}
	}
	if a.Err != nil {
		put("error", a.Err.Error(), true)
		return fields
	}
	ref := a.Reference
	put("album_complete", ref.Album, a.Kind == AlbumCompleteInput)
	put("photos", a.AlbumPhotos, a.AlbumPhotos > 0)
	put("photo_id", ref.PhotoID, ref.PhotoID != "")
	put("removed", true, a.Kind == RemovedInput)
	put("removed", "if_gone", a.IfGone)
	put("bucket", ref.Bucket, ref.Bucket != "")
	put("key", ref.Key, ref.Key != "")
	put("version_id", ref.VersionID, ref.VersionID != "")
	put("etag", ref.ETag, ref.ETag != "")
	put("album", ref.Album, ref.Album != "" && a.Kind != AlbumCompleteInput)
	put("taken_at", ref.TakenAt, !ref.TakenAt.IsZero())
	put("opt_out", true, ref.OptOut)
	if p := ref.Position; p != nil {
		put("position", map[string]any{"lat": p.Lat, "lon": p.Lon, "source": p.Source}, true)
	}
	return fields
}

// albumRecord adds what a record of the embeddings topic says, in brief.
func (s *Sighting) albumRecord(value []byte) {
	e, c, err := DecodeAlbumRecord(value)
	switch {
	case err != nil:
		s.Error = err.Error()
	case e != nil:
		s.Embedding = map[string]any{
			"photo_id": e.Reference.PhotoID, "album": e.Reference.Album, "revision": e.Revision, "model_sha256": e.Model,
			"numbers": len(e.Vector), "candidates": len(e.Top), "copied": e.Copied,
		}
	default:
		kinds := map[ControlKind]string{ControlClose: "close", ControlComplete: "complete", ControlMissing: "missing"}
		s.Control = map[string]any{"kind": kinds[c.Kind], "album": c.Album}
		if c.PhotoID != "" {
			s.Control["photo_id"] = c.PhotoID
		}
		if c.Reason != "" {
			s.Control["reason"] = c.Reason
		}
	}
}
