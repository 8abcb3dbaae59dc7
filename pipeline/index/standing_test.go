package index

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"pgregory.net/rapid"

	"planetag/consumer"
	"planetag/pipeline"
)

func answer(stage string, revision int64) Standing { return Standing{Stage: stage, Revision: revision} }
func removal(revision int64) Standing              { return Standing{Deleted: true, Revision: revision} }

// TestTheNewestStands tells what becomes of one photo, record by record.
func TestTheNewestStands(t *testing.T) {
	const photo, album = pipeline.StagePhoto, pipeline.StageAlbum
	const hour = 3_600_000
	for _, row := range []struct {
		name    string
		records []Standing
		last    int // index of the record that stands in the end
	}{
		{"the album improves the photo's answer", []Standing{answer(photo, 100), answer(album, 130)}, 1},
		{"the photo's answer is repeated after the album's", []Standing{answer(photo, 100), answer(album, 130), answer(photo, 100)}, 1},
		{"the photo was sent again after the album's answer", []Standing{answer(photo, 100), answer(album, 130), answer(photo, 200)}, 2},
		{"a removal", []Standing{answer(photo, 100), removal(200)}, 1},
		{"an older answer comes again after a removal", []Standing{answer(photo, 100), removal(200), answer(photo, 100)}, 1},
		{"the same, of an album, a day later", []Standing{answer(photo, 100), answer(album, 150), removal(200), answer(album, 150)}, 2},
		{"the photo comes back after a removal", []Standing{answer(photo, 100), removal(200), answer(photo, 300)}, 2},
		{"and its album with it", []Standing{answer(album, 100), removal(200), answer(photo, 300), answer(album, 301)}, 3},
		{"an album that was being closed when the removal came", []Standing{answer(photo, 100), removal(200), answer(album, 5_000)}, 1},
		// The worker is hours behind: references are old, albums are closed now.
		{"an opt-out from before the album's closing, read after it", []Standing{answer(photo, 100), answer(album, 5*hour), removal(hour)}, 2},
		{"and the album's answer again", []Standing{answer(album, 5*hour), removal(hour), answer(album, 5*hour)}, 1},
		{"and the photo given free again, still before the closing", []Standing{answer(album, 5*hour), removal(hour), answer(photo, 2*hour)}, 2},
		{"and then its album", []Standing{answer(album, 5*hour), removal(hour), answer(photo, 2*hour), answer(album, 5*hour+40_000)}, 3},
		{"a removal that is repeated", []Standing{answer(photo, 100), removal(200), removal(200)}, 1},
		{"a removal long before the photo came again", []Standing{answer(photo, 2*hour), removal(hour)}, 0},
	} {
		stands, last := Standing{}, -1
		for i, next := range row.records {
			next.Offset = int64(i)
			if now, newer := stands.after(next); newer {
				if now.Version <= stands.Version {
					t.Errorf("%s: record %d replaces version %d by %d", row.name, i, stands.Version, now.Version)
				}
				stands, last = now, i
			}
		}
		if last != row.last {
			t.Errorf("%s: record %d stands, want %d", row.name, last, row.last)
		}
	}
}

// history draws records of one photo. References come in the order of their times, so a removal is never older than one that came
// before it; an answer may be, where somebody published it again.
type history struct{ reference int64 }

func (h *history) next(t *rapid.T) Standing {
	revision := rapid.OneOf(rapid.Int64Range(1, 20), rapid.Int64Range(grace-20, grace+40), rapid.Int64Range(1, 4*grace)).Draw(t, "revision")
	kind := rapid.IntRange(0, 2).Draw(t, "kind")
	if kind == 2 {
		return answer(pipeline.StageAlbum, revision)
	}
	if kind == 1 {
		h.reference = max(h.reference, revision)
		return answer(pipeline.StagePhoto, revision)
	}
	h.reference += revision % 50
	return removal(max(h.reference, 1))
}

// TestAGreaterVersionIsAlwaysNewer is what allows an index to decide by the version alone.
func TestAGreaterVersionIsAlwaysNewer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stands Standing
		var h history
		for i := range rapid.IntRange(1, 12).Draw(t, "records") {
			next := h.next(t)
			next.Offset = int64(i)
			now, newer := stands.after(next)
			if next.ownVersion() > stands.Version && !newer {
				t.Fatalf("%+v of version %d is not newer than %+v", next, next.ownVersion(), stands)
			}
			stands = now
		}
	})
}

// heart is a standing without its version, which may be one more or less where a batch was folded.
func heart(s Standing) Standing {
	s.Version = 0
	return s
}

// TestABatchIsItsRecords: what a batch comes to by itself, and is greater than what the index holds, is what its records come to
// one after the other.
func TestABatchIsItsRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var held Standing
		var all chain
		var h history
		read := rapid.IntRange(0, 6).Draw(t, "records before")
		for i := range read + rapid.IntRange(1, 6).Draw(t, "records") {
			s := h.next(t)
			s.Offset = int64(i)
			all = append(all, &Document{Deleted: s.Deleted, Stage: s.Stage, Revision: s.Revision, Record: Record{Offset: s.Offset}})
			if i < read {
				held, _ = held.after(s)
			}
		}
		c := all[rapid.IntRange(0, read).Draw(t, "read again from"):]
		alone, by := c.standing(Standing{})
		after, now := c.standing(held)
		if by.Version > held.Version && (alone != after || heart(by) != heart(now)) {
			t.Fatalf("after %+v the batch comes to %+v, alone to %+v", held, now, by)
		}
	})
}

// shelf is an index that compares versions and nothing else, and is busy, unreachable and full of poison now and then.
type shelf struct {
	docs map[string]Document
	luck *rand.Rand // nil: everything works
}

var errPoison = errors.New("poison")

func (s *shelf) Write(_ context.Context, docs []*Document) ([]Outcome, error) {
	if s.luck != nil && s.luck.IntN(8) == 0 {
		return nil, errors.New("connection refused")
	}
	outcomes := make([]Outcome, len(docs))
	for i, d := range docs {
		held, has := s.docs[d.PhotoID]
		switch {
		case d.Source != nil && d.Source.Key == "poison":
			outcomes[i] = Outcome{Refused, errPoison}
		case s.luck != nil && s.luck.IntN(8) == 0:
			outcomes[i] = Outcome{Busy, errors.New("queue is full")}
		case has && d.version <= held.version:
			outcomes[i] = Outcome{Result: Newer}
		default:
			s.docs[d.PhotoID] = *d
		}
	}
	return outcomes, nil
}

func (s *shelf) Standings(_ context.Context, photoIDs []string) (map[string]Standing, error) {
	held := make(map[string]Standing)
	for _, id := range photoIDs {
		if d, has := s.docs[id]; has {
			held[id] = d.standing()
		}
	}
	return held, nil
}

func newWriter(s Sink) *writer {
	return &writer{
		sink: s, dead: "dead", metrics: newProgress(prometheus.NewRegistry()).metrics, log: slog.New(slog.DiscardHandler), firstPause: time.Microsecond,
	}
}

// recordOf is a record of the topic with that standing.
func recordOf(t interface{ Fatal(...any) }, id, key string, s Standing, offset int64) consumer.Record {
	if s.Deleted && s.Revision%2 == 0 {
		rec := pipeline.Tombstone("locations", id, s.Revision)
		rec.Partition, rec.Offset = 0, offset
		return rec
	}
	l := pipeline.Location{
		PhotoID: id, Status: pipeline.StatusOptedOut, Stage: pipeline.StagePhoto, Revision: s.Revision, Time: time.UnixMilli(1e12 + offset),
		Source: pipeline.Source{Bucket: "photos", Key: key},
	}
	if !s.Deleted {
		l.Stage, l.Status, l.Location = s.Stage, pipeline.StatusGiven, &pipeline.Point{Lat: 41.9, Lon: 12.5}
		l.Given = &pipeline.GivenPosition{Lat: 41.9, Lon: 12.5, Source: "exif"}
	}
	rec, err := l.Record("locations", nil)
	if err != nil {
		t.Fatal(err)
	}
	rec.Partition, rec.Offset = 0, offset
	return rec
}

// TestTheIndexIsTheFoldOfTheTopic writes a random topic in random batches into an index that fails in all ways, with kills: what
// was written since the last commit is written again.
func TestTheIndexIsTheFoldOfTheTopic(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var log []consumer.Record
		var histories [3]history
		stands, fold := make(map[string]Standing), make(map[string]Standing)
		for i := range rapid.IntRange(1, 30).Draw(t, "records") {
			photo := rapid.IntRange(0, 2).Draw(t, "photo")
			id, s := strconv.Itoa(photo), histories[photo].next(t)
			s.Offset = int64(i)
			log = append(log, recordOf(t, id, "1.jpg", s, int64(i)))
			stands[id], _ = stands[id].after(s)
			fold[id] = heart(stands[id])
		}
		s := &shelf{docs: make(map[string]Document), luck: rand.New(rand.NewPCG(rapid.Uint64().Draw(t, "luck"), 1))}
		w, committed := newWriter(s), 0
		for committed < len(log) {
			end := committed + rapid.IntRange(1, len(log)-committed).Draw(t, "batch")
			if _, err := w.write(t.Context(), log[committed:end]); err != nil {
				t.Fatal(err)
			}
			if rapid.IntRange(0, 2).Draw(t, "killed") > 0 {
				committed = end
			}
		}
		got := make(map[string]Standing)
		for id, d := range s.docs {
			got[id] = heart(d.standing())
		}
		if !maps.Equal(got, fold) {
			t.Fatalf("the index holds %v, the topic says %v", got, fold)
		}
	})
}

func TestPoisonIsADeadLetterAndNothingElseIs(t *testing.T) {
	s := &shelf{docs: make(map[string]Document)}
	good := recordOf(t, "good", "1.jpg", answer(pipeline.StagePhoto, 100), 1)
	poison := recordOf(t, "poison", "poison", answer(pipeline.StagePhoto, 100), 2)
	var l map[string]any
	if err := json.Unmarshal(good.Value, &l); err != nil {
		t.Fatal(err)
	}
	twisted := func(field string, value any) consumer.Record {
		other := maps.Clone(l)
		other[field] = value
		text, err := json.Marshal(other)
		if err != nil {
			t.Fatal(err)
		}
		return consumer.Record{Key: []byte("good"), Value: text}
	}
	for _, row := range []struct {
		name, says string
		rec        consumer.Record
	}{
		{"no JSON", "invalid character", consumer.Record{Key: []byte("x"), Value: []byte("{,}")}},
		{"no key", "no key", consumer.Record{Value: good.Value}},
		{"another photo's key", `photo_id is "good", the record's key "x"`, consumer.Record{Key: []byte("x"), Value: good.Value}},
		{"no revision", "revision is 0", twisted("revision", 0)},
		{"an unknown stage", `unknown stage "video"`, twisted("stage", "video")},
		{"an unknown status", `unknown status "sure"`, twisted("status", "sure")},
		{"a place that is not on earth", "not on earth", twisted("location", map[string]float64{"lat": 91, "lon": 0})},
		{"a tombstone with an odd revision", "planetag.revision", consumer.Record{Key: []byte("x"), Headers: []consumer.Header{{Key: pipeline.HeaderRevision, Value: []byte("x")}}}},
		{"what the index refuses", "poison", poison},
	} {
		dead, err := newWriter(s).write(t.Context(), []consumer.Record{row.rec, good})
		if err != nil || len(dead) != 1 {
			t.Errorf("%s: %d dead letters, error %v", row.name, len(dead), err)
			continue
		}
		said := fmt.Sprintf("%s", dead[0].Headers)
		if !strings.Contains(said, "bad_location") || !strings.Contains(said, row.says) || string(dead[0].Value) != string(row.rec.Value) {
			t.Errorf("%s: the dead letter is %s with %s; want it to say %q", row.name, dead[0].Value, said, row.says)
		}
		if _, has := s.docs["good"]; !has || len(s.docs) != 1 {
			t.Errorf("%s: the index holds %v", row.name, s.docs)
		}
	}
}

func TestASettingThatIsWrongEndsTheRun(t *testing.T) {
	denied := denial{}
	_, err := newWriter(denied).write(t.Context(), []consumer.Record{recordOf(t, "1", "1.jpg", answer(pipeline.StagePhoto, 1), 0)})
	if !errors.Is(err, pipeline.ErrConfig) {
		t.Errorf("error %v", err)
	}
}

type denial struct{}

func (denial) Write(context.Context, []*Document) ([]Outcome, error) {
	return nil, fmt.Errorf("%w: not allowed", pipeline.ErrConfig)
}

func (denial) Standings(context.Context, []string) (map[string]Standing, error) { return nil, nil }
