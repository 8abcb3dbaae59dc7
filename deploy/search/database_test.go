package search

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"planetag/pipeline"
	"planetag/pipeline/index"
	"planetag/pipeline/index/postgis"
)

type database struct {
	url, table string
	as         func(*pipeline.PostGISConfig) // how planetag gets in, where not like those who ask
}

func (d *database) name() string  { return "postgis" }
func (d *database) index() string { return d.table }

func (d *database) open(ctx context.Context, t *testing.T, cfg pipeline.Config) index.Sink {
	t.Helper()
	cfg.Index.PostGIS.URL, cfg.Index.PostGIS.Table = d.url, d.table
	if d.as != nil {
		d.as(&cfg.Index.PostGIS)
	}
	x, err := postgis.Open(ctx, cfg.Index.PostGIS, true)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(x.Close)
	return x
}

func (d *database) query(ctx context.Context, t *testing.T, sql string, each func(pgx.Rows) error) {
	t.Helper()
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(ctx)
	rows, err := conn.Query(ctx, sql)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}

func (d *database) ask(ctx context.Context, t *testing.T, question string) map[string]int {
	t.Helper()
	names := make(map[string]int)
	sql := strings.ReplaceAll(string(read(t, "postgis/"+question+".sql")), "planetag_locations", d.table)
	d.query(ctx, t, sql, func(rows pgx.Rows) error {
		values, err := rows.Values()
		if err != nil {
			return err
		}
		count := 1
		if i := slices.IndexFunc(rows.FieldDescriptions(), func(f pgconn.FieldDescription) bool { return f.Name == "photos" }); i >= 0 {
			count = int(values[i].(int64))
		}
		names[values[0].(string)] = count
		return nil
	})
	return names
}

func (d *database) count(ctx context.Context) (n int) {
	conn, err := pgx.Connect(ctx, d.url)
	if err != nil {
		return -1
	}
	defer conn.Close(ctx)
	if err := conn.QueryRow(ctx, "SELECT count(*) FROM "+d.table).Scan(&n); err != nil {
		return -1
	}
	return n
}

func (d *database) all(ctx context.Context, t *testing.T) map[string]document {
	t.Helper()
	docs := make(map[string]document)
	d.query(ctx, t, `SELECT photo_id, deleted, status, coalesce(stage, ''), revision, coalesce(lat, 0), coalesce(lon, 0), coalesce(radius_p90_m, 0), coalesce(cell, ''),
		coalesce(country_code, ''), coalesce(array_to_string(s2_ancestors, ' '), ''), coalesce(album_id, ''), coalesce(album_moved_m, 0), taken_at, coalesce(bundle, ''),
		shape IS NOT NULL, record_partition, record_offset FROM `+d.table, func(rows pgx.Rows) error {
		var id string
		var c document
		var taken *time.Time
		err := rows.Scan(&id, &c.Deleted, &c.Status, &c.Stage, &c.Revision, &c.Lat, &c.Lon, &c.Radius, &c.Cell, &c.Country, &c.Ancestors, &c.Album, &c.MovedM, &taken,
			&c.Model, &c.Shape, &c.Partition, &c.Offset)
		if taken != nil {
			c.TakenAt = taken.UnixMilli()
		}
		docs[id] = c
		return err
	})
	return docs
}
