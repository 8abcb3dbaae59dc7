package backfill

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"planetag/consumer"
	"planetag/pipeline"
)

// WatchOptions says what is watched.
type WatchOptions struct {
	Archive   string // s3://bucket/prefix
	Config    pipeline.Config
	Filter    Filter        // Redo has no meaning
	Topic     string        // "" = topics.input
	Every     time.Duration // between two looks; 0 = look once
	Deletions bool          // objects that are gone become tombstones
	SkipFirst bool          // what the very first look finds is only remembered
	Log       *slog.Logger
	Looked    func(Look) // may be nil; is told of every look
}

// Look is what one look at an archive found.
type Look struct {
	Time    time.Time `json:"time"`
	Objects int64     `json:"objects"` // photos by the filter
	New     int64     `json:"new"`     // or changed: references written
	Gone    int64     `json:"gone"`    // tombstones written
	Skipped int64     `json:"skipped"` // new, and only remembered
}

// Watch lists an archive again and again, and writes a reference for each object that is new or has changed since the last
// look, for stores that tell nobody. What was seen lies on a topic of its own, topics.state with ".watch" behind it, a
// record for each object, written in the transaction of its reference; so a watch that is killed goes on, and writes
// nothing twice. All keys are held in memory: about 150 bytes for each object.
//
// It ends with ctx, with nil after one look when Every is 0, or with an error: those of Run, or of the store when Every is
// 0. With Every a store that is away is waited for.
func Watch(ctx context.Context, o WatchOptions) error {
	w, err := newWatch(ctx, o)
	if err != nil {
		return err
	}
	defer w.client.Close()
	for {
		err := w.life(ctx)
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, consumer.ErrFenced):
			return fmt.Errorf("%w: %s: %w", ErrOvertaken, o.Archive, err)
		case !errors.Is(err, consumer.ErrRestart):
			return err
		}
		o.Log.Warn("reading anew what was seen", "archive", o.Archive, "err", err)
		pause(ctx, time.Second)
	}
}

// newWatch opens what is needed, cheapest mistakes first. The caller closes its client.
func newWatch(ctx context.Context, o WatchOptions) (w *watch, err error) {
	if o.Topic == "" {
		o.Topic = o.Config.Topics.Input
	}
	w = &watch{WatchOptions: o}
	if w.bucket, w.prefix, err = archiveOf(o.Archive); err != nil {
		return nil, err
	}
	w.Archive = "s3://" + w.bucket + "/" + w.prefix // one name, with or without the slash
	if w.filter, err = o.Filter.compile(time.Now()); err != nil {
		return nil, err
	}
	store, err := pipeline.NewStore(o.Config.S3, o.Config.Photos.MaxObjectBytes)
	if err != nil {
		return nil, err
	}
	if err := store.Ping(ctx, w.bucket); err != nil {
		return nil, err
	}
	if w.list = store.List; w.filter.Versions {
		w.list = store.ListVersions
	}
	topics := o.Config.ToolTopics([]string{o.Config.Topics.Locations}, []string{o.Topic})
	topics[0].Name += watchSuffix
	w.client, err = pipeline.Connect(ctx, o.Config, o.Log, topics)
	return w, err
}

const (
	watchSuffix = ".watch"
	firstLook   = "" // no object has this key
)

// watch is one call of Watch.
type watch struct {
	WatchOptions
	bucket, prefix string
	filter         compiled
	client         *consumer.Client
	list           func(ctx context.Context, bucket, prefix, after string, each func(pipeline.Listed) error) error

	writer  *consumer.Writer
	seen    map[string]mark // by key of the object
	begun   bool            // the first look was complete; without it, SkipFirst still holds
	turn    uint32          // of looks
	optOuts *known
	records []consumer.Record
	changes []change // what the records do to seen
}

// life takes the archive over, reads what was seen, and looks until something fails.
func (w *watch) life(ctx context.Context) (err error) {
	if w.writer, err = w.client.NewWriter(ctx, w.Config.Kafka.Group+".watch/"+w.Archive); err != nil {
		return err
	}
	if err := w.remember(ctx); err != nil {
		return err
	}
	w.optOuts = newKnown(w.bucket+"/"+w.prefix, "") // by no bundle: only who opted out
	w.records, w.changes = nil, nil
	for {
		look, err := w.look(ctx)
		away := errors.Is(err, pipeline.ErrStorage) || errors.Is(err, pipeline.ErrStorageDenied)
		switch {
		case err != nil && (!away || w.Every == 0):
			return err
		case err != nil:
			w.Log.Warn("cannot list, trying again", "archive", w.Archive, "in", w.Every, "err", err)
		case w.Looked != nil:
			w.Looked(look)
		}
		if w.Every == 0 {
			return nil
		}
		if !pause(ctx, w.Every) {
			return context.Cause(ctx)
		}
	}
}

// look lists the archive once.
func (w *watch) look(ctx context.Context) (Look, error) {
	l := Look{Time: time.Now().UTC()}
	w.records, w.changes = w.records[:0], w.changes[:0] // of a look that failed: nothing of it is in seen
	if err := w.optOuts.read(ctx, w.client, w.Config.Topics.Locations); err != nil {
		return l, err
	}
	w.turn++
	err := w.list(ctx, w.bucket, w.prefix, "", func(o pipeline.Listed) error {
		if w.filter.reason(o) != "" {
			return nil
		}
		l.Objects++
		return w.saw(ctx, o, w.SkipFirst && !w.begun, &l)
	})
	if err == nil && !w.begun {
		w.records = append(w.records, w.state(firstLook, []byte("complete")))
	}
	if err == nil {
		err = w.commit(ctx) // seen is whole only then
	}
	w.begun = w.begun || err == nil
	if err == nil {
		err = w.missed(ctx, &l)
	}
	if err == nil {
		err = w.commit(ctx)
	}
	return l, err
}

// saw compares an object with what it was.
func (w *watch) saw(ctx context.Context, o pipeline.Listed, onlyRemember bool, l *Look) error {
	now := mark{contentHash(content(o)), w.turn}
	if before, known := w.seen[o.Key]; known && before.content == now.content {
		w.seen[o.Key] = now
		return nil
	}
	switch {
	case w.optOuts.of(w.bucket+"/"+o.Key, o.ETag) == optedOut:
	case onlyRemember:
		l.Skipped++
	default:
		rec, err := reference(w.Topic, w.bucket, o)
		if err != nil {
			return err
		}
		rec.Key = []byte(w.bucket + "/" + o.Key) // as its tombstone, so that the two keep their order
		w.records = append(w.records, rec)
		l.New++
	}
	w.records = append(w.records, w.state(o.Key, []byte(content(o))))
	w.changes = append(w.changes, change{key: o.Key, mark: now})
	return w.commitSome(ctx)
}

// missed writes a tombstone for each object that was there and is not. A listing without any object is not believed: a
// disk that is not mounted looks the same, and would take every location away.
func (w *watch) missed(ctx context.Context, l *Look) error {
	if !w.Deletions || len(w.seen) == 0 {
		return nil
	}
	if l.Objects == 0 {
		w.Log.Warn("the archive is listed as empty; nothing is taken away for that", "archive", w.Archive, "objects", len(w.seen))
		return nil
	}
	var gone []string
	for key, m := range w.seen {
		if m.turn != w.turn {
			gone = append(gone, key)
		}
	}
	slices.Sort(gone)
	for _, key := range gone {
		l.Gone++
		w.records = append(w.records,
			consumer.Record{Topic: w.Topic, Partition: -1, Key: []byte(w.bucket + "/" + key)},
			w.state(key, nil))
		w.changes = append(w.changes, change{key: key, gone: true})
		if err := w.commitSome(ctx); err != nil {
			return err
		}
	}
	return nil
}
