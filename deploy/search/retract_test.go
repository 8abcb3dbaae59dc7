package search

import (
	"context"
	"errors"
	"maps"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"planetag/deploy/realkafka"
	"planetag/enrich/bundle"
	"planetag/pipeline"
	"planetag/pipeline/index"
	"planetag/pipeline/index/opensearch"
	"planetag/pipeline/index/postgis"
)

// anew is the same server with another, empty index.
func anew(to target, name string) target {
	switch of := to.(type) {
	case *searchServer:
		other := *of
		other.in = name
		return &other
	case *database:
		other := *of
		other.table = name
		return &other
	}
	return nil
}

// retractions takes a model's answers back, and indexes the topic from its start once more: it must come to the same documents.
func retractions(ctx context.Context, t *testing.T, servers []target) {
	w := newWorld(t)
	of := func(bundle, sha string) func(*pipeline.Location) {
		return func(l *pipeline.Location) { l.Model = &pipeline.ModelOfLocation{Bundle: bundle, SHA256: sha} }
	}
	given := func(l *pipeline.Location) {
		l.Status, l.RadiusP50M, l.RadiusP90M, l.Cell, l.S2Ancestors, l.Confidence = pipeline.StatusGiven, 0, 0, "", nil, nil
		l.Given = &pipeline.GivenPosition{Lat: l.Location.Lat, Lon: l.Location.Lon, Source: "exif"}
	}
	albums := func(l *pipeline.Location) {
		l.Stage, l.Revision, l.Album = pipeline.StageAlbum, 900_000, &pipeline.AlbumPart{ID: "a", Mode: "lstm", Size: 1, Position: 1}
	}
	folder := filepath.Join(realkafka.Root(t), "bundles", "demo")
	demo, err := bundle.Read(folder)
	if err != nil {
		t.Fatal(err)
	}
	later := func(l *pipeline.Location) { l.Time = l.Time.Add(time.Hour) }
	w.publish(ctx, t,
		located(t, "bad", 1, 1, of("bad@1.0.0", "b1b1c2")), located(t, "bad, of its album", 1, 1, of("bad@1.0.0", "b1b1b1")),
		located(t, "bad, of its album", 1, 2, func(l *pipeline.Location) { albums(l); of("bad@1.0.0", "b1b1b1")(l) }),
		located(t, "bad, later", 1, 1, func(l *pipeline.Location) { later(l); of("bad@1.0.1", demo.SHA256)(l) }),
		located(t, "bad, and then good", 1, 1, of("bad@1.0.0", "b1b1b1")),
		located(t, "bad, and then good", 1, 3, func(l *pipeline.Location) { l.Revision = 2000; of("good@1.0.0", "c1")(l) }),
		located(t, "bad, but measured", 1, 1, func(l *pipeline.Location) { given(l); of("bad@1.0.0", "b1b1b1")(l) }),
		located(t, "good", 1, 1, of("good@1.0.0", "c1")), located(t, "removed", 1, 1, of("bad@1.0.0", "b1b1b1")),
		pipeline.Tombstone("planetag.locations", "removed", 2000))
	for _, to := range servers {
		fill(ctx, t, anew(to, "before_retraction"), w.cfg)
	}
	retract := func(o index.RetractOptions) index.Retraction {
		t.Helper()
		o.Config = w.cfg
		done, err := index.Retract(ctx, o)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	if _, err := index.Retract(ctx, index.RetractOptions{Config: w.cfg, Bundle: "b1b1"}); !errors.Is(err, index.ErrBundle) || !strings.Contains(err.Error(), "b1b1b1 and b1b1c2 begin") {
		t.Errorf("a beginning of two checksums: %v", err)
	}
	for _, row := range []struct {
		name             string
		o                index.RetractOptions
		retracted, given int64
	}{
		{"nothing of an unknown model", index.RetractOptions{Model: "ugly"}, 0, 0},
		{"a dry run", index.RetractOptions{Model: "bad", DryRun: true}, 3, 1},
		{"which did nothing", index.RetractOptions{Model: "bad", DryRun: true}, 3, 1},
		{"a version", index.RetractOptions{Model: "bad@1.0.1", DryRun: true}, 1, 0},
		{"a checksum's beginning", index.RetractOptions{Bundle: "B1B1B1", DryRun: true}, 1, 1},
		{"a folder", index.RetractOptions{Bundle: folder, DryRun: true}, 1, 0},
		{"what was published late", index.RetractOptions{Model: "bad", Since: time.UnixMilli(1_700_000_000_000).Add(time.Minute), DryRun: true}, 1, 0},
		{"all of the model", index.RetractOptions{Model: "bad"}, 3, 1},
		{"the same again", index.RetractOptions{Model: "bad"}, 0, 1},
	} {
		if done := retract(row.o); done.Retracted != row.retracted || done.Given != row.given {
			t.Errorf("%s: %+v, want %d retracted and %d measured", row.name, done, row.retracted, row.given)
		}
	}
	if _, err := index.Retract(ctx, index.RetractOptions{Config: w.cfg, Bundle: demo.SHA256[:3]}); !errors.Is(err, bundle.ErrBundle) {
		t.Errorf("three digits: %v", err)
	}
	// An old answer that is published again stays away.
	w.publish(ctx, t, located(t, "bad", 1, 1, of("bad@1.0.0", "b1b1b1")))
	want := map[string]bool{
		"bad": true, "bad, of its album": true, "bad, later": true, "bad, and then good": false, "bad, but measured": false, "good": false, "removed": true,
	}
	for _, to := range servers {
		live, again := anew(to, "before_retraction"), anew(to, "after_retraction")
		fill(ctx, t, live, w.cfg)
		fill(ctx, t, again, w.cfg)
		docs := live.all(ctx, t)
		got := make(map[string]bool)
		for id, d := range docs {
			got[id] = d.Deleted
		}
		if !maps.Equal(got, want) {
			t.Errorf("%s: deleted are %v, want %v", to.name(), got, want)
		}
		if anew := again.all(ctx, t); !maps.Equal(docs, anew) {
			t.Errorf("%s: indexed while it grew, the topic came to %v; from its start, to %v", to.name(), docs, anew)
		}
	}
}

// differ shows an index and a table that somebody else made.
func differ(ctx context.Context, t *testing.T, search *searchServer, db *database) {
	search.request(ctx, t, "PUT", "/theirs", []byte(`{"mappings": {"properties": {"location": {"properties": {"lat": {"type": "float"}}}, "revision": {"type": "keyword"}}}}`), nil)
	db.query(ctx, t, "CREATE TABLE theirs (photo_id text, lat text, deleted boolean)", func(pgx.Rows) error { return nil })
	cfg := pipeline.DefaultConfig().Index
	cfg.OpenSearch.Addresses, cfg.OpenSearch.Index = []string{search.url}, "theirs"
	cfg.PostGIS.URL, cfg.PostGIS.Table = db.url, "theirs"
	_, ofSearch := opensearch.Open(ctx, cfg, true)
	_, ofDB := postgis.Open(ctx, cfg.PostGIS, false)
	cfg.OpenSearch.Index, cfg.PostGIS.Table = "nobodys", "nobodys"
	_, noIndex := opensearch.Open(ctx, cfg, false)
	_, noTable := postgis.Open(ctx, cfg.PostGIS, false)
	for _, row := range []struct {
		err  error
		says []string
	}{
		{ofSearch, []string{"field location is an object, it must be geo_point", "field revision is keyword, it must be long", "field photo_id is missing"}},
		{ofDB, []string{"column lat is text, it must be double precision", "column photo_id is text, it must be text PRIMARY KEY", "column location is missing, it must be geography(Point,4326)"}},
		{noIndex, []string{"there is no index nobodys; --create makes it"}},
		{noTable, []string{"there is no table nobodys; --create makes it"}},
	} {
		for _, says := range row.says {
			if !errors.Is(row.err, pipeline.ErrConfig) || !strings.Contains(row.err.Error(), says) {
				t.Errorf("%v\nwant it to say %q", row.err, says)
			}
		}
	}
}
