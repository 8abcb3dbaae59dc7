package postgis

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"planetag/pipeline/index"
)

// row is a document as the database takes it.
type row struct {
	PhotoID     string          `json:"photo_id"`
	Version     int64           `json:"version"`
	Deleted     bool            `json:"deleted"`
	Status      string          `json:"status"`
	Stage       string          `json:"stage,omitempty"`
	Revision    int64           `json:"revision"`
	Barrier     int64           `json:"barrier,omitempty"`
	Partition   int             `json:"record_partition"`
	Offset      int64           `json:"record_offset"`
	Lat         *float64        `json:"lat,omitempty"`
	Lon         *float64        `json:"lon,omitempty"`
	Shape       json.RawMessage `json:"shape,omitempty"`
	RadiusP50M  int64           `json:"radius_p50_m,omitempty"`
	RadiusP90M  int64           `json:"radius_p90_m,omitempty"`
	Confidence  *float64        `json:"confidence,omitempty"`
	Cell        string          `json:"cell,omitempty"`
	S2Ancestors []string        `json:"s2_ancestors,omitempty"`
	CountryCode string          `json:"country_code,omitempty"`
	Country     string          `json:"country,omitempty"`
	Region      string          `json:"region,omitempty"`
	CountryP    float64         `json:"country_probability,omitempty"`
	AlbumID     string          `json:"album_id,omitempty"`
	AlbumMode   string          `json:"album_mode,omitempty"`
	AlbumSize   int             `json:"album_size,omitempty"`
	AlbumMovedM *float64        `json:"album_moved_m,omitempty"`
	Bundle      string          `json:"bundle,omitempty"`
	ModelSHA256 string          `json:"model_sha256,omitempty"`
	Bucket      string          `json:"bucket,omitempty"`
	ObjectKey   string          `json:"object_key,omitempty"`
	TakenAt     time.Time       `json:"taken_at,omitzero"`
	PublishedAt time.Time       `json:"published_at"`
}

// wanted is the type that each column must have.
func wanted() map[string]string {
	types := map[string]string{"location": "geography(Point,4326)"}
	for _, c := range columns() {
		types[c.name] = c.kind
	}
	types["photo_id"] += " PRIMARY KEY"
	types["shape"] = "geometry(MultiPolygon,4326)"
	return types
}

type column struct{ name, kind string }

// columns are those that are written, with the types that their JSON is read as.
func columns() []column {
	const text, integer, double, stamp = "text", "integer", "double precision", "timestamp with time zone"
	return []column{
		{"photo_id", text},
		{"version", "bigint"},
		{"deleted", "boolean"},
		{"status", text},
		{"stage", text},
		{"revision", "bigint"},
		{"barrier", "bigint"},
		{"record_partition", integer},
		{"record_offset", "bigint"},

		{"lat", double},
		{"lon", double},
		{"shape", "jsonb"},
		{"radius_p50_m", integer},
		{"radius_p90_m", integer},
		{"confidence", "real"},
		{"cell", text},
		{"s2_ancestors", "text[]"},
		{"country_code", text},
		{"country", text},
		{"region", text},
		{"country_probability", "real"},
		{"album_id", text},
		{"album_mode", text},
		{"album_size", integer},
		{"album_moved_m", double},
		{"bundle", text},
		{"model_sha256", text},
		{"bucket", text},
		{"object_key", text},
		{"taken_at", stamp},
		{"published_at", stamp},
	}
}

// upsert is the statement that writes rows, given as one JSON array, over older ones and returns the ids of those it wrote. Rows
// are in the order of their ids, so that two writers of the same photos wait for each other instead of locking each other out.
func upsert(table string) string {
	var names, values, types, sets []string
	for _, c := range columns() {
		value := "r." + c.name
		if c.name == "shape" {
			value = "ST_GeomFromGeoJSON(r.shape)"
		}
		names, values, types = append(names, c.name), append(values, value), append(types, c.name+" "+c.kind)
		sets = append(sets, c.name+" = excluded."+c.name)
	}
	return fmt.Sprintf(`INSERT INTO %s AS t (%s) SELECT %s FROM json_to_recordset($1::json) AS r (%s) ORDER BY r.photo_id
ON CONFLICT (photo_id) DO UPDATE SET %s WHERE excluded.version > t.version RETURNING photo_id`,
		table, strings.Join(names, ", "), strings.Join(values, ", "), strings.Join(types, ", "), strings.Join(sets, ", "))
}

func rowOf(d *index.Document) (row, error) {
	r := row{
		PhotoID: d.PhotoID, Version: d.Version(), Deleted: d.Deleted, Status: d.Status, Stage: d.Stage, Revision: d.Revision, Barrier: d.Barrier, Partition: d.Record.Partition, Offset: d.Record.Offset,
		RadiusP50M: d.RadiusP50M, RadiusP90M: d.RadiusP90M, Confidence: d.Confidence, Cell: d.Cell, S2Ancestors: d.S2Ancestors,
		TakenAt: d.TakenAt, PublishedAt: d.Time,
	}
	if d.Location != nil {
		r.Lat, r.Lon = &d.Location.Lat, &d.Location.Lon
	}
	if d.Place != nil {
		r.CountryCode, r.Country, r.Region, r.CountryP = d.Place.CountryCode, d.Place.Country, d.Place.Region, d.Place.CountryProbability
	}
	if d.Album != nil {
		r.AlbumID, r.AlbumMode, r.AlbumSize, r.AlbumMovedM = d.Album.ID, d.Album.Mode, d.Album.Size, &d.Album.MovedM
	}
	if d.Model != nil {
		r.Bundle, r.ModelSHA256 = d.Model.Bundle, d.Model.SHA256
	}
	if d.Source != nil {
		r.Bucket, r.ObjectKey = d.Source.Bucket, d.Source.Key
	}
	if d.Shape == nil {
		return r, nil
	}
	shape, err := json.Marshal(d.Shape)
	r.Shape = shape
	return r, err
}

// Write implements index.Sink by one statement, which is one transaction.
func (t *Table) Write(ctx context.Context, docs []*index.Document) ([]index.Outcome, error) {
	rows := make([]row, len(docs))
	for i, d := range docs {
		var err error
		if rows[i], err = rowOf(d); err != nil {
			return nil, fmt.Errorf("encode photo %q: %w", d.PhotoID, err)
		}
	}
	text, err := json.Marshal(rows)
	if err != nil {
		return nil, fmt.Errorf("encode %d photos: %w", len(docs), err)
	}
	wrote, err := t.write(ctx, string(text))
	switch {
	case err != nil && !bad(err):
		return nil, judged(err)
	case err != nil && len(docs) == 1:
		return []index.Outcome{{Result: index.Refused, Err: err}}, nil
	case err != nil:
		return t.halves(ctx, docs)
	}
	outcomes := make([]index.Outcome, len(docs))
	for i, d := range docs {
		if !wrote[d.PhotoID] {
			outcomes[i].Result = index.Newer
		}
	}
	return outcomes, nil
}

func (t *Table) write(ctx context.Context, rows string) (map[string]bool, error) {
	written, err := t.pool.Query(ctx, t.upsert, rows)
	if err != nil {
		return nil, err
	}
	defer written.Close()
	wrote := make(map[string]bool)
	for written.Next() {
		var photoID string
		if err := written.Scan(&photoID); err != nil {
			return nil, err
		}
		wrote[photoID] = true
	}
	return wrote, written.Err()
}

// bad says that the database refuses the data themselves: a data exception or a violated constraint.
func bad(err error) bool {
	var says *pgconn.PgError
	return errors.As(err, &says) && (strings.HasPrefix(says.Code, "22") || strings.HasPrefix(says.Code, "23"))
}

// halves finds the one that spoils the others.
func (t *Table) halves(ctx context.Context, docs []*index.Document) ([]index.Outcome, error) {
	first, err := t.Write(ctx, docs[:len(docs)/2])
	if err != nil {
		return nil, err
	}
	second, err := t.Write(ctx, docs[len(docs)/2:])
	return append(first, second...), err
}

// Standings implements index.Sink.
func (t *Table) Standings(ctx context.Context, photoIDs []string) (map[string]index.Standing, error) {
	rows, err := t.pool.Query(ctx,
		"SELECT photo_id, deleted, coalesce(stage, ''), revision, coalesce(barrier, 0), record_partition, record_offset, version FROM "+t.name+" WHERE photo_id = ANY($1)", photoIDs)
	if err != nil {
		return nil, judged(err)
	}
	defer rows.Close()
	held := make(map[string]index.Standing)
	for rows.Next() {
		var photoID string
		var s index.Standing
		if err := rows.Scan(&photoID, &s.Deleted, &s.Stage, &s.Revision, &s.Barrier, &s.Partition, &s.Offset, &s.Version); err != nil {
			return nil, judged(err)
		}
		held[photoID] = s
	}
	return held, judged(rows.Err())
}
