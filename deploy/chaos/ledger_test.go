package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/pipeline"
)

// answer is what the ledger keeps of a published location, in the order of its topic.
type answer struct {
	stage    string
	revision int64
	album    string
	size     int
	position int
	given    bool // it is the position that the reference named
	anchors  int  // photos of the album with a position, this one not counted
}

// seat is a place on a topic.
type seat struct {
	partition int32
	offset    int64
}

// event is one record of the embeddings topic: a photo, a control record, or the closing of an album.
type event struct {
	offset   int64
	closes   bool
	upTo     int64
	revision int64
	photos   int
	copied   bool
}

// ledger holds everything that a reader of committed records sees.
type ledger struct {
	mu         sync.Mutex
	photos     map[seat]int             // photo-level locations, by the input record that they answer
	writers    map[seat][]string        // … and where they lie and who wrote them
	revisions  map[seat]int64           // … and their revision
	answers    map[string][]answer      // by photo id
	tombstones map[string]int           // by photo id
	dead       map[seat]int             // dead letters by the input record that they hold
	albums     map[string][]event       // by album id
	finals     map[string]map[int64]int // album → revision → locations
	newest     map[int32]time.Time      // when the last photo-level location of an input partition came
	broken     []string
	records    int
	changed    time.Time // the last record
	news       chan struct{}
	next       map[place]int64
}

func newLedger() *ledger {
	return &ledger{
		photos: map[seat]int{}, writers: map[seat][]string{}, revisions: map[seat]int64{}, answers: map[string][]answer{}, tombstones: map[string]int{}, dead: map[seat]int{},
		albums: map[string][]event{}, finals: map[string]map[int64]int{}, newest: map[int32]time.Time{}, changed: time.Now(), news: make(chan struct{}, 1), next: map[place]int64{},
	}
}

// follow reads the three output topics of a worker from their start until ctx ends.
func (l *ledger) follow(ctx context.Context, brokers []string, n names) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.ConsumeTopics(n.locations, n.deadLetters, n.embeddings),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()),
		kgo.FetchMaxWait(100*time.Millisecond), kgo.MetadataMinAge(200*time.Millisecond), kgo.MetadataMaxAge(2*time.Second))
	if err != nil {
		return fmt.Errorf("make the reader: %w", err)
	}
	defer client.Close()
	for ctx.Err() == nil {
		fetches := client.PollFetches(ctx)
		if fetches.NumRecords() == 0 {
			continue
		}
		l.mu.Lock()
		fetches.EachRecord(func(r *kgo.Record) {
			if at := (place{r.Topic, r.Partition}); r.Offset >= l.next[at] { // it may be set back
				l.next[at] = r.Offset + 1
				l.take(r, n)
			}
		})
		l.changed = time.Now()
		l.mu.Unlock()
		select {
		case l.news <- struct{}{}:
		default:
		}
	}
	return nil
}

func (l *ledger) take(r *kgo.Record, n names) {
	l.records++
	switch r.Topic {
	case n.deadLetters:
		l.takeDead(r)
	case n.embeddings:
		l.takeEvent(r)
	default:
		l.takeLocation(r)
	}
}

func (l *ledger) complain(format string, args ...any) {
	l.broken = append(l.broken, fmt.Sprintf(format, args...))
}

func (l *ledger) takeDead(r *kgo.Record) {
	headers := map[string]string{}
	for _, h := range r.Headers {
		headers[h.Key] = string(h.Value)
	}
	partition, err := strconv.Atoi(headers["original.partition"])
	offset, err2 := strconv.ParseInt(headers["original.offset"], 10, 64)
	if err != nil || err2 != nil || headers["error.type"] == "" || headers["error.message"] == "" {
		l.complain("dead letter %s at %d/%d does not say where it comes from and why: %v", r.Key, r.Partition, r.Offset, headers)
		return
	}
	l.dead[seat{int32(partition), offset}]++
}

func (l *ledger) takeLocation(r *kgo.Record) {
	id := string(r.Key)
	if r.Value == nil {
		l.tombstones[id]++
		return
	}
	var v pipeline.Location
	if err := json.Unmarshal(r.Value, &v); err != nil || v.PhotoID != id {
		l.complain("location with key %s cannot be read: %v: %s", id, err, r.Value)
		return
	}
	a := answer{stage: v.Stage, revision: v.Revision}
	if v.Stage == pipeline.StagePhoto {
		at := seat{int32(v.Source.Partition), v.Source.Offset}
		l.photos[at]++
		l.writers[at] = append(l.writers[at], fmt.Sprintf("%d/%d by producer %d epoch %d at %s", r.Partition, r.Offset, r.ProducerID, r.ProducerEpoch, v.Time.Format("15:04:05.000")))
		l.revisions[at] = v.Revision
		l.newest[at.partition] = time.Now()
	} else {
		a.album, a.size, a.position = v.Album.ID, v.Album.Size, v.Album.Position
		a.given, a.anchors = v.Status == pipeline.StatusGiven, v.Album.Anchors
		if l.finals[a.album] == nil {
			l.finals[a.album] = map[int64]int{}
		}
		l.finals[a.album][a.revision]++
	}
	l.answers[id] = append(l.answers[id], a)
}

func (l *ledger) takeEvent(r *kgo.Record) {
	embedding, control, err := pipeline.DecodeAlbumRecord(r.Value)
	if err != nil {
		l.complain("embeddings topic %d/%d cannot be read: %v", r.Partition, r.Offset, err)
		return
	}
	e := event{offset: r.Offset}
	album := string(r.Key)
	if embedding != nil {
		e.copied = embedding.Copied
	} else if control.Kind == pipeline.ControlClose {
		// A copy of a marker, which bounds a replay, names no reason: it closes nothing.
		e.closes, e.copied = control.Reason != "", control.Reason == ""
		e.upTo, e.revision, e.photos = control.UpTo, control.Revision, control.Photos
	}
	l.albums[album] = append(l.albums[album], e)
}
