package export

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/parquet-go/parquet-go"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"planetag/consumer"
	"planetag/consumer/devbroker"
	"planetag/pipeline"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var day = time.Date(2026, 5, 1, 12, 0, 0, 0, time.UTC)

// location of a photo, with what its status asks for.
func location(id, status, stage string, revision int64) pipeline.Location {
	sure := 0.7
	l := pipeline.Location{
		PhotoID: id, Status: status, Stage: stage, Revision: revision, Time: day, TakenAt: day.AddDate(-7, 0, 0),
		Source: pipeline.Source{Bucket: "pics", Key: id, ETag: "e"}, Model: &pipeline.ModelOfLocation{Bundle: "tiny@1", SHA256: "abc"},
	}
	switch status {
	case pipeline.StatusEstimated:
		l.Location, l.RadiusP50M, l.RadiusP90M, l.Confidence, l.Cell = &pipeline.Point{Lat: 41.89, Lon: 12.49}, 1800, 21000, &sure, "132f6"
		l.Place = &pipeline.Place{CountryCode: "IT", Country: "Italy"}
	case pipeline.StatusGiven:
		l.Location = &pipeline.Point{Lat: -33.9, Lon: 151.2}
		l.Given = &pipeline.GivenPosition{Lat: -33.9, Lon: 151.2, Source: "exif"}
	case pipeline.StatusAbstained:
		l.Confidence = &sure
	case pipeline.StatusOptedOut:
		l.Model = nil
	}
	if stage == pipeline.StageAlbum {
		l.Album = &pipeline.AlbumPart{ID: "rome", Mode: "lstm", Size: 2, Position: 1}
	}
	return l
}

type world struct {
	cfg    pipeline.Config
	client *consumer.Client
}

func newWorld(t *testing.T) *world {
	t.Helper()
	broker, err := devbroker.Start(devbroker.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(broker.Close)
	w := &world{cfg: pipeline.DefaultConfig()}
	w.cfg.Kafka.Brokers, w.cfg.Topics.Partitions = []string{broker.Addr()}, 3
	if w.client, err = pipeline.Connect(t.Context(), w.cfg, slog.New(slog.DiscardHandler), w.cfg.ToolTopics([]string{w.cfg.Topics.Locations}, nil)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.client.Close)
	return w
}

func (w *world) publish(t *testing.T, list ...pipeline.Location) {
	t.Helper()
	var records []consumer.Record
	for _, l := range list {
		rec, err := l.Record(w.cfg.Topics.Locations, nil)
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, rec)
	}
	if err := w.client.Publish(t.Context(), records); err != nil {
		t.Fatal(err)
	}
}

func TestExport(t *testing.T) {
	w := newWorld(t)
	w.publish(t,
		location("pics/a", "estimated", "photo", 1), location("pics/a", "estimated", "album", 5), location("pics/a", "abstained", "photo", 9),
		location("pics/b", "given", "photo", 1), location("pics/c", "abstained", "photo", 1),
		location("pics/d", "estimated", "photo", 1), location("pics/e", "estimated", "photo", 1), location("pics/e", "opted_out", "photo", 2),
		location("pics/e", "estimated", "album", 3),
	)
	err := w.client.Publish(t.Context(), []consumer.Record{
		pipeline.Tombstone(w.cfg.Topics.Locations, "pics/d", 2),
		{Topic: w.cfg.Topics.Locations, Partition: -1, Key: []byte("pics/x"), Value: []byte("{")},
	})
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	o := Options{Config: w.cfg, Parquet: filepath.Join(dir, "p.parquet"), GeoJSON: filepath.Join(dir, "p.geojson"), Log: slog.New(slog.DiscardHandler)}
	report, err := Run(t.Context(), o)
	want := Report{Photos: 3, Statuses: map[string]int64{"estimated": 1, "given": 1, "abstained": 1}, OptedOut: 1, Unreadable: 1}
	if diff := cmp.Diff(want, report); err != nil || diff != "" {
		t.Errorf("%v, report (-want +got):\n%s", err, diff)
	}
	wantParquet(t, o.Parquet)
	wantGeoJSON(t, o.GeoJSON)
	if left, _ := filepath.Glob(filepath.Join(dir, "*.part")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	var out bytes.Buffer
	o.Parquet, o.GeoJSON, o.Stdout = "", "-", &out
	if _, err := Run(t.Context(), o); err != nil || !json.Valid(out.Bytes()) {
		t.Errorf("to standard output: %v: %s", err, out.Bytes())
	}
}

func wantParquet(t *testing.T, name string) {
	t.Helper()
	rows, err := parquet.ReadFile[row](name)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	slices.SortFunc(rows, func(a, b row) int { return bytes.Compare([]byte(a.PhotoID), []byte(b.PhotoID)) })
	a, b, c := rows[0], rows[1], rows[2]
	if a.Stage != "album" || *a.RadiusP90M != 21000 || *a.Confidence != 0.7 || *a.SHA256 != "abc" || *a.Album != "rome" || *a.CountryCode != "IT" || a.Time != day.UnixMilli() {
		t.Errorf("the estimated one: %+v", a)
	}
	// 01, type 1, longitude 12.49, latitude 41.89, as PostGIS writes ST_AsBinary(ST_MakePoint(12.49, 41.89)) in little-endian.
	if got := fmt.Sprintf("%x", a.Geometry); got != "01010000007b14ae47e1fa284052b81e85ebf14440" {
		t.Errorf("its point is %s", got)
	}
	if b.Status != "given" || b.RadiusP90M != nil || b.Confidence != nil || *b.Source != "exif" || *b.BBox != (bbox{151.2, -33.9, 151.2, -33.9}) {
		t.Errorf("the given one: %+v", b)
	}
	if c.Status != "abstained" || c.Geometry != nil || c.BBox != nil {
		t.Errorf("the one that was abstained on: %+v", c)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		t.Fatal(err)
	}
	opened, err := parquet.OpenFile(file, info.Size())
	if err != nil {
		t.Fatal(err)
	}
	text, _ := opened.Lookup("geo")
	var geo, want any
	if err := json.Unmarshal([]byte(text), &geo); err != nil {
		t.Fatal(err, text)
	}
	_ = json.Unmarshal([]byte(`{"version":"1.1.0","primary_column":"geometry","columns":{"geometry":{"encoding":"WKB","geometry_types":["Point"],
		"bbox":[12.49,-33.9,151.2,41.89],"covering":{"bbox":{"xmin":["bbox","xmin"],"ymin":["bbox","ymin"],"xmax":["bbox","xmax"],"ymax":["bbox","ymax"]}}}}}`), &want)
	if diff := cmp.Diff(want, geo); diff != "" {
		t.Errorf("geo (-want +got):\n%s", diff)
	}
	if info.Mode().Perm() != 0o600 {
		t.Errorf("its mode is %v", info.Mode())
	}
}

func wantGeoJSON(t *testing.T, name string) {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var c struct {
		Type     string
		Features []feature
	}
	if err := json.Unmarshal(text, &c); err != nil || c.Type != "FeatureCollection" || len(c.Features) != 3 {
		t.Fatalf("%v: %s", err, text)
	}
	for _, f := range c.Features {
		switch f.ID {
		case "pics/a":
			if f.Geometry.Coordinates != [2]float64{12.49, 41.89} || *f.Properties.RadiusP50M != 1800 || f.Properties.Status != "estimated" || *f.Properties.Bundle != "tiny@1" {
				t.Errorf("%+v", f)
			}
		case "pics/b":
			if f.Properties.Status != "given" || f.Properties.RadiusP50M != nil || *f.Properties.PositionSource != "exif" {
				t.Errorf("%+v", f)
			}
		case "pics/c":
			if f.Geometry != nil || f.Properties.Status != "abstained" {
				t.Errorf("%+v", f)
			}
		default:
			t.Errorf("photo %s should not be there", f.ID)
		}
	}
}

// TestTheRecordThatCounts compares the fold with its definition, spelt out: what comes after the last tombstone and the last change of mind of the owner
// counts, once the photo itself came again, and of that the greatest (stage, revision), the later one of equals.
func TestTheRecordThatCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newWinners()
		var history []consumer.Record
		var kinds []string
		for i := range rapid.IntRange(0, 12).Draw(t, "records") {
			kind := rapid.SampledFrom([]string{"photo", "photo", "album", "album", "opted_out", "tombstone"}).Draw(t, "kind")
			rec := consumer.Record{Key: []byte("k"), Offset: int64(i)}
			revision := rapid.IntRange(1, 4).Draw(t, "revision")
			switch kind {
			case "opted_out":
				rec.Value = fmt.Appendf(nil, `{"status":"opted_out","stage":"photo","revision":%d}`, revision)
			case "photo", "album":
				rec.Value = fmt.Appendf(nil, `{"status":"estimated","stage":%q,"revision":%d}`, kind, revision)
			}
			w.see(rec)
			history, kinds = append(history, rec), append(kinds, fmt.Sprintf("%s-%d", kind, revision))
		}
		best, key, away := int64(-1), "", false
		for i, kind := range kinds {
			switch {
			case history[i].Value == nil, kind[:3] == "opt":
				best, key, away = -1, "", true
			case away && kind[:5] == "album":
			case away:
				best, key, away = int64(i), "2"+kind[6:], false // "photo": it came again
			default:
				rank := map[string]string{"photo": "2", "album": "3"}[kind[:5]] + kind[6:]
				if rank >= key {
					best, key = int64(i), rank
				}
			}
		}
		for _, rec := range history {
			if got := rec.Value != nil && w.counts(rec); got != (rec.Offset == best) {
				t.Fatalf("record %d of %v counts: %v, want only %d", rec.Offset, kinds, got, best)
			}
		}
	})
}
