package connect

import (
	"context"
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"planetag/consumer"
	"planetag/pipeline"
)

const topic = "planetag.locations"

// step is what happens to a photo: an answer of a stage, an opt-out, a tombstone.
type step struct {
	what     string // photo, album, given, abstained, opted_out, removed
	revision int64
	lat, lon float64
	later    time.Duration // of an answer: how long after the test's beginning it was made
}

// writer gives locations the form of output.map: connect.
func writer(t *testing.T) *pipeline.OutputWriter {
	t.Helper()
	cfg := pipeline.DefaultConfig()
	cfg.Output.Map = "connect"
	w, err := pipeline.NewOutputWriter(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func location(id string, s step) pipeline.Location {
	confidence := 0.5
	l := pipeline.Location{
		PhotoID: id, Status: pipeline.StatusEstimated, Stage: pipeline.StagePhoto, Revision: s.revision, Location: &pipeline.Point{Lat: s.lat, Lon: s.lon},
		RadiusP50M: 1000, RadiusP90M: 20_000, Confidence: &confidence, Cell: "132f6", Place: &pipeline.Place{CountryCode: "IT", Country: "Italy", Region: "Lazio"},
		Model:  &pipeline.ModelOfLocation{Bundle: "demo@1.0.0", SHA256: "aa", PrecisionCapLevel: 12},
		Source: pipeline.Source{Bucket: "photos", Key: id}, TakenAt: time.Date(2019, 5, 1, 12, 0, 0, 250_000_000, time.FixedZone("", 2*3600)),
		Time: time.Now().Add(s.later),
	}
	switch s.what {
	case "album":
		l.Stage, l.Album = pipeline.StageAlbum, &pipeline.AlbumPart{ID: "rome", Mode: "lstm", Size: 14, Position: 3, MovedM: 1}
	case "given":
		l.Status, l.RadiusP50M, l.RadiusP90M, l.Cell, l.Confidence = pipeline.StatusGiven, 0, 0, "", nil
		l.Given = &pipeline.GivenPosition{Lat: s.lat, Lon: s.lon, Source: "exif"}
	case "abstained":
		l.Status, l.RadiusP50M, l.RadiusP90M, l.Cell, l.Location, l.Place = pipeline.StatusAbstained, 0, 0, "", nil, nil
	case "opted_out":
		l = pipeline.Location{PhotoID: id, Status: pipeline.StatusOptedOut, Stage: pipeline.StagePhoto, Revision: s.revision, Source: l.Source, Time: l.Time}
	}
	return l
}

// record is the step as the worker would publish it.
func record(ctx context.Context, t *testing.T, w *pipeline.OutputWriter, id string, s step) consumer.Record {
	t.Helper()
	if s.what == "removed" {
		return pipeline.Tombstone(topic, id, s.revision)
	}
	rec, err := w.Record(ctx, location(id, s), topic, nil)
	if err != nil {
		t.Fatal(err)
	}
	return rec
}

// row is what of a photo the tests look at.
type row struct {
	status   string
	revision int64
	lat      float64
	deleted  bool
}

// table connects to a database that holds the table of table.sql.
func table(ctx context.Context, t *testing.T, url string) *pgx.Conn {
	t.Helper()
	db, err := pgx.Connect(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close(context.WithoutCancel(ctx)) })
	run(ctx, t, db, read(t, "table.sql"))
	return db
}

func run(ctx context.Context, t *testing.T, db *pgx.Conn, sql string) {
	t.Helper()
	if _, err := db.Exec(ctx, sql); err != nil {
		t.Fatal(err)
	}
}

func rows(ctx context.Context, t *testing.T, db *pgx.Conn) map[string]row {
	t.Helper()
	found, err := db.Query(ctx, "SELECT photo_id, status, revision, coalesce(lat, 0), deleted_at IS NOT NULL FROM photo_locations")
	if err != nil {
		t.Fatal(err)
	}
	all := make(map[string]row)
	var id string
	var r row
	if _, err := pgx.ForEachRow(found, []any{&id, &r.status, &r.revision, &r.lat, &r.deleted}, func() error {
		all[id] = r
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
