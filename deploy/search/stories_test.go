package search

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/consumer"
	"planetag/pipeline"
)

// stories publish what happens to photos, and remember of each which record must stand in the end. They know by how they were
// made, and not by planetag's own rule.
type stories struct {
	t      *testing.T
	client *kgo.Client
	luck   *rand.Rand

	mu      sync.Mutex
	want    map[string]document // by photo id
	records int
	photos  int
}

func newStories(t *testing.T, broker string) *stories {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic("planetag.locations"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return &stories{t: t, client: client, luck: rand.New(rand.NewPCG(7, 7)), want: make(map[string]document)}
}

// step is one record of a story; it stands, unless it is late: older than what came before it.
type step struct {
	what     string // photo, album, removed, opted_out
	revision int64
	late     bool
}

// plots are what may happen to a photo, in milliseconds of revisions.
func plots() [][]step {
	const hour = 3_600_000
	return [][]step{
		{{"photo", 1000, false}},
		{{"photo", 1000, false}, {"album", 31_000, false}},
		{{"photo", 1000, false}, {"album", 31_000, false}, {"photo", 1000, true}, {"album", 95_000, false}},
		{{"photo", 1000, false}, {"removed", 2000, false}, {"photo", 1000, true}},
		{{"photo", 1000, false}, {"album", 31_000, false}, {"opted_out", 40_000, false}, {"album", 31_000, true}, {"photo", 1000, true}},
		{{"photo", 1000, false}, {"album", 5 * hour, false}, {"opted_out", hour, false}, {"album", 5 * hour, true}},
		{{"photo", 1000, false}, {"album", 5 * hour, false}, {"removed", hour, false}, {"photo", 2 * hour, false}, {"album", 5*hour + 40_000, false}},
		{{"photo", 1000, false}, {"album", 31_000, false}, {"opted_out", 40_000, false}, {"album", 9 * hour, true}},
		{{"photo", 1000, false}, {"removed", 2000, false}, {"album", 30_000, true}, {"photo", 70_000, false}},
	}
}

// tell publishes the stories of n photos, mixed with each other.
func (s *stories) tell(ctx context.Context, n int) {
	type telling struct {
		id    string
		steps []step
	}
	var open []telling
	s.mu.Lock()
	for range n {
		open = append(open, telling{fmt.Sprintf("photos/%06d.jpg", s.photos), plots()[s.luck.IntN(len(plots()))]})
		s.photos++
	}
	s.mu.Unlock()
	var acks sync.WaitGroup
	for len(open) > 0 {
		i := s.luck.IntN(len(open))
		now := open[i].steps[0]
		acks.Add(1)
		s.client.Produce(ctx, s.record(open[i].id, now), func(rec *kgo.Record, err error) {
			defer acks.Done()
			if err != nil {
				s.t.Errorf("publish: %v", err)
				return
			}
			s.happened(rec, now)
		})
		if open[i].steps = open[i].steps[1:]; len(open[i].steps) == 0 {
			open[i] = open[len(open)-1]
			open = open[:len(open)-1]
		}
	}
	acks.Wait()
}

// happened notes a record that the broker has; those of one photo are acknowledged in their order.
func (s *stories) happened(rec *kgo.Record, now step) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records++
	if now.late {
		return
	}
	d := document{Revision: now.revision, Partition: int64(rec.Partition), Offset: rec.Offset, Deleted: now.what == "removed" || now.what == "opted_out"}
	if d.Status = now.what; !d.Deleted {
		var l pipeline.Location
		if err := json.Unmarshal(rec.Value, &l); err != nil {
			s.t.Errorf("read what was published: %v", err)
		}
		d.Status, d.Stage, d.Lat, d.Lon = l.Status, l.Stage, l.Location.Lat, l.Location.Lon
	}
	s.want[string(rec.Key)] = d
}

func (s *stories) record(id string, now step) *kgo.Record {
	var rec consumer.Record
	switch now.what {
	case "removed":
		rec = pipeline.Tombstone("planetag.locations", id, now.revision)
	case "opted_out":
		l := pipeline.Location{PhotoID: id, Status: pipeline.StatusOptedOut, Stage: pipeline.StagePhoto, Revision: now.revision, Time: time.Now()}
		rec, _ = l.Record("planetag.locations", nil) // opted_out needs nothing that could be missing
	default:
		rec = located(s.t, id, 180*s.luck.Float64()-90, 360*s.luck.Float64()-180, func(l *pipeline.Location) {
			l.Stage, l.Revision, l.Place = now.what, now.revision, &pipeline.Place{CountryCode: "FJ", Country: "Fiji", CountryProbability: 0.8}
		})
	}
	out := &kgo.Record{Key: rec.Key, Value: rec.Value}
	for _, h := range rec.Headers {
		out.Headers = append(out.Headers, kgo.RecordHeader{Key: h.Key, Value: h.Value})
	}
	return out
}

// differences compares every document with what must stand.
func (s *stories) differences(docs map[string]document) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id, want := range s.want {
		got, has := docs[id]
		heart := document{
			Deleted: got.Deleted, Status: got.Status, Stage: got.Stage, Revision: got.Revision, Lat: got.Lat, Lon: got.Lon, Partition: got.Partition, Offset: got.Offset,
		}
		if !has || heart != want {
			list = append(list, fmt.Sprintf("%s: the index holds %+v (%t), the topic says %+v", id, heart, has, want))
		}
	}
	for id := range docs {
		if _, told := s.want[id]; !told {
			list = append(list, fmt.Sprintf("%s: nobody published it", id))
		}
	}
	return list
}
