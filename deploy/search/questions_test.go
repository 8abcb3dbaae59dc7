package search

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/deploy/realkafka"
	"planetag/enrich/cells"
	"planetag/pipeline"
	"planetag/pipeline/index/opensearch"
	"planetag/pipeline/index/postgis"
)

func TestTheDesignsAreThoseOfTheCommand(t *testing.T) {
	if got := read(t, "opensearch/index.json"); !bytes.Equal(got, opensearch.Design()) {
		t.Error("opensearch/index.json differs from what `planetag index --to opensearch --design` prints")
	}
	if got := read(t, "postgis/table.sql"); string(got) != postgis.Design("planetag_locations") {
		t.Error("postgis/table.sql differs from what `planetag index --to postgis --design` prints")
	}
}

// world is a topic of locations on an embedded broker, in front of real search indexes.
type world struct {
	cfg    pipeline.Config
	client *consumer.Client
	sent   []consumer.Record
}

func newWorld(t *testing.T) *world {
	t.Helper()
	broker, err := devbroker.Start(devbroker.Options{MinSession: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	w := &world{cfg: pipeline.DefaultConfig()}
	w.cfg.Kafka.Brokers, w.cfg.HTTP.Listen, w.cfg.Topics.Partitions = []string{broker.Addr()}, "", 3
	w.cfg.Index.BatchDelay = pipeline.Duration(20 * time.Millisecond)
	conf, err := w.cfg.ClientConfig(nil, nil)
	if err == nil {
		w.client, err = consumer.NewClient(conf)
	}
	if err == nil {
		err = w.client.EnsureTopics(t.Context(), []consumer.Topic{{Name: w.cfg.Topics.Locations, Partitions: 3, Replication: 1}}, true)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	return w
}

// targets starts both servers.
func targets(t *testing.T) []target {
	t.Helper()
	return []target{
		&searchServer{url: realkafka.StartOpenSearch(t).URL, in: "planetag-locations"},
		&database{url: realkafka.StartPostGIS(t).URL, table: "planetag_locations"},
	}
}

// publish puts records on the topic as they are.
func (w *world) publish(ctx context.Context, t *testing.T, records ...consumer.Record) {
	t.Helper()
	if err := w.client.Publish(ctx, records); err != nil {
		t.Fatal(err)
	}
	w.sent = append(w.sent, records...)
}

// located is the record of an estimate.
func located(t *testing.T, id string, lat, lon float64, change func(*pipeline.Location)) consumer.Record {
	t.Helper()
	confidence, leaf := 0.5, pipeline.Point{Lat: lat, Lon: lon}
	cell, _ := cells.Leaf(lat, lon)
	l := pipeline.Location{
		PhotoID: id, Status: pipeline.StatusEstimated, Stage: pipeline.StagePhoto, Revision: 1000, Location: &leaf,
		RadiusP50M: 1000, RadiusP90M: 20_000, Confidence: &confidence, Cell: cell.Parent(10).ToToken(), S2Ancestors: cells.Ancestors(cell.Parent(10)),
		Model:  &pipeline.ModelOfLocation{Bundle: "demo@1.0.0", SHA256: "aa"},
		Source: pipeline.Source{Bucket: "photos", Key: id}, TakenAt: time.Date(2019, 5, 1, 12, 0, 0, 0, time.UTC), Time: time.UnixMilli(1_700_000_000_000).UTC(),
	}
	if change != nil {
		change(&l)
	}
	rec, err := l.Record("planetag.locations", nil)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// TestRealIndexes is everything that needs the real servers and no kills.
func TestRealIndexes(t *testing.T) {
	if testing.Short() {
		t.Skip("needs Java")
	}
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	servers := targets(t)
	t.Run("questions", func(t *testing.T) { questions(ctx, t, servers) })
	t.Run("retractions", func(t *testing.T) { retractions(ctx, t, servers) })
	t.Run("writers at once", func(t *testing.T) { atOnce(ctx, t, servers) })
	t.Run("after many new photos", func(t *testing.T) { afterMany(ctx, t, servers) })
	t.Run("designs that differ", func(t *testing.T) { differ(ctx, t, servers[0].(*searchServer), servers[1].(*database)) })
}

// questions asks every saved question, with records of every kind.
func questions(ctx context.Context, t *testing.T, servers []target) {
	w := newWorld(t)
	w.cfg.Index.Shape = "circle"
	place := func(code string, p float64) func(*pipeline.Location) {
		return func(l *pipeline.Location) { l.Place = &pipeline.Place{CountryCode: code, CountryProbability: p} }
	}
	nowhere := func(l *pipeline.Location) {
		l.Status, l.Location, l.RadiusP50M, l.RadiusP90M, l.Cell, l.S2Ancestors = pipeline.StatusAbstained, nil, 0, 0, "", nil
	}
	album := func(moved float64) func(*pipeline.Location) {
		return func(l *pipeline.Location) {
			l.Stage, l.Revision = pipeline.StageAlbum, 2000
			l.Album = &pipeline.AlbumPart{ID: fmt.Sprintf("moved by %.0f m", moved), Mode: "lstm", Size: 2, Position: 1, MovedM: moved}
		}
	}
	given := func(l *pipeline.Location) {
		l.Status, l.RadiusP50M, l.RadiusP90M, l.Cell, l.S2Ancestors, l.Confidence = pipeline.StatusGiven, 0, 0, "", nil, nil
		l.Given = &pipeline.GivenPosition{Lat: l.Location.Lat, Lon: l.Location.Lon, Source: "exif"}
	}
	optedOut := func(l *pipeline.Location) {
		nowhere(l)
		l.Status, l.Revision, l.Model = pipeline.StatusOptedOut, 3000, nil
	}
	radius := func(m int64) func(*pipeline.Location) { return func(l *pipeline.Location) { l.RadiusP90M = m } }
	w.publish(ctx, t,
		located(t, "colosseum", 41.8902, 12.4922, place("IT", 0.9)),
		located(t, "forum, by GPS", 41.8925, 12.4853, given),
		located(t, "ostia", 41.73, 12.29, place("IT", 0.2)),
		located(t, "fiji, east", -17.5, 179.5, nil), located(t, "fiji, west", -17.5, -179.5, radius(90_000)), located(t, "tonga", -21.1, -175.2, nil),
		located(t, "north pole", 89.5, 0, radius(300_000)), located(t, "somewhere", 10, 20, radius(12_000_000)),
		located(t, "unsure", 0, 0, nowhere),
		located(t, "album, moved", 48.85, 2.35, album(231_000)), located(t, "album, moved", 48.85, 2.35, album(231_000)), located(t, "album, not moved", 48.85, 2.35, album(5)),
		located(t, "removed", 41.8902, 12.4922, place("IT", 1)), pipeline.Tombstone("planetag.locations", "removed", 1001),
		located(t, "opted out", 41.8902, 12.4922, album(400_000)), located(t, "opted out", 41.8902, 12.4922, optedOut),
		located(t, "a key of \"500\" bytes and more "+string(bytes.Repeat([]byte("é"), 300)), 41.8902, 12.4922, radius(60_000)),
		located(t, "a nul\x00 byte", 0, 0, optedOut), // PostgreSQL's text has none
		located(t, "larger than any planet", 41.8902, 12.4922, radius(3_000_000_000)),
		consumer.Record{Topic: "planetag.locations", Partition: -1, Key: []byte("broken"), Value: []byte(`{"photo_id":`)},
	)
	// A late older answer does not bring a photo back.
	w.publish(ctx, t, located(t, "removed", 41.8902, 12.4922, nil), located(t, "opted out", 41.8902, 12.4922, album(400_000)))
	long := "a key of \"500\" bytes and more " + string(bytes.Repeat([]byte("é"), 300))
	level4 := func(lat, lon float64) string { leaf, _ := cells.Leaf(lat, lon); return leaf.Parent(4).ToToken() }
	counts := map[string]int{}
	for _, at := range [][2]float64{
		{41.8902, 12.4922}, {41.8925, 12.4853}, {41.73, 12.29}, {-17.5, 179.5}, {-17.5, -179.5}, {-21.1, -175.2}, {89.5, 0}, {10, 20}, {48.85, 2.35}, {48.85, 2.35}, {41.8902, 12.4922},
	} {
		counts[level4(at[0], at[1])]++
	}
	for _, to := range servers {
		t.Run(to.name(), func(t *testing.T) {
			refused := map[string]int64{"opensearch": 2, "elasticsearch": 2, "postgis": 3}[to.name()]
			cfg, shapes := w.cfg, to.name() != "elasticsearch" // whose test archive has no geo_shape
			if !shapes {
				cfg.Index.Shape = "none"
			}
			if figures := fill(ctx, t, to, cfg); figures.Refused != refused || figures.Records != int64(len(w.sent)) || figures.LagRecords != 0 {
				t.Errorf("figures %+v of %d records, %d of them not to be indexed", figures, len(w.sent), refused)
			}
			for question, want := range map[string]map[string]int{
				"near":                    {"colosseum": 1, "forum, by GPS": 1, long: 1},
				"box_across_antimeridian": {"fiji, east": 1, "fiji, west": 1},
				"country":                 {"colosseum": 1},
				"better_than":             {"colosseum": 1, "ostia": 1, "fiji, east": 1, "tonga": 1, "album, moved": 1, "album, not moved": 1},
				"drill_down":              counts,
				"albums_that_moved":       {"moved by 231000 m": 1},
				"abstained":               {"unsure": 1},
			} {
				if got := to.ask(ctx, t, question); !maps.Equal(got, want) {
					t.Errorf("%s: %v, want %v", question, got, want)
				}
			}
			docs := to.all(ctx, t)
			for id, want := range map[string]string{"removed": "removed", "opted out": "opted_out"} {
				if d := docs[id]; !d.Deleted || d.Status != want || d.Lat != 0 || d.Album != "" || d.Shape {
					t.Errorf("%s: %+v", id, d)
				}
			}
			for _, id := range []string{"fiji, east", "fiji, west", "north pole", "somewhere"} {
				if docs[id].Shape != shapes {
					t.Errorf("%s has a shape: %t", id, !shapes)
				}
			}
			if again := fill(ctx, t, to, cfg); again.Records != 0 {
				t.Errorf("a second run read again: %+v", again)
			}
		})
	}
}
