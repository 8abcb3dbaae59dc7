package index

import (
	"bytes"
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
		{"what is nested without an end", "exceeded max depth", consumer.Record{Key: []byte("x"), Value: bytes.Repeat([]byte("["), 1<<17)}},
		{"a key that is no text", `key "\xff" is not UTF-8`, consumer.Record{Key: []byte{0xff}}},
		{"a value that is no text", "not UTF-8", consumer.Record{Key: []byte("good"), Value: bytes.Replace(good.Value, []byte("good"), []byte("goo\xff"), 1)}},
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
