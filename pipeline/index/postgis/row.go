package postgis

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"

	"planetag/pipeline"
	"planetag/pipeline/index"
)

// column is one that is written: its name, the type it must have, and what of a document stands in it; nil is NULL.
type column struct {
	name, kind string
	of         func(*index.Document) any
}

// shapeColumn comes last and is written as GeoJSON, which only a function of PostGIS makes a geometry of.
const shapeColumn = "shape"

// The types that columns have.
const (
	text, stamp    = "text", "timestamp with time zone"
	integer, long  = "integer", "bigint"
	single, double = "real", "double precision"
)

// columns are those that are written, but for the shape.
func columns() []column { return slices.Concat(ofAnswer(), ofSurroundings()) }

// ofAnswer are the columns of the answer and of the record that it comes from.
func ofAnswer() []column {
	return []column{
		{"photo_id", text, func(d *index.Document) any { return d.PhotoID }},
		{"version", long, func(d *index.Document) any { return d.Version() }},
		{"deleted", "boolean", func(d *index.Document) any { return d.Deleted }},
		{"status", text, func(d *index.Document) any { return d.Status }},
		{"stage", text, func(d *index.Document) any { return known(d.Stage) }},
		{"revision", long, func(d *index.Document) any { return d.Revision }},
		{"record_partition", integer, func(d *index.Document) any { return int64(d.Record.Partition) }},
		{"record_offset", long, func(d *index.Document) any { return d.Record.Offset }},
		{"lat", double, func(d *index.Document) any { return part(d.Location, func(p *pipeline.Point) any { return p.Lat }) }},
		{"lon", double, func(d *index.Document) any { return part(d.Location, func(p *pipeline.Point) any { return p.Lon }) }},
		{"radius_p50_m", integer, func(d *index.Document) any { return known(d.RadiusP50M) }},
		{"radius_p90_m", integer, func(d *index.Document) any { return known(d.RadiusP90M) }},
		{"confidence", single, func(d *index.Document) any { return part(d.Confidence, func(c *float64) any { return float32(*c) }) }},
		{"cell", text, func(d *index.Document) any { return known(d.Cell) }},
		{"s2_ancestors", "text[]", func(d *index.Document) any { return d.S2Ancestors }},
	}
}

// ofSurroundings are those of the place, the album, the model and the object.
func ofSurroundings() []column {
	return []column{
		{"country_code", text, func(d *index.Document) any {
			return part(d.Place, func(p *pipeline.Place) any { return known(p.CountryCode) })
		}},
		{"country", text, func(d *index.Document) any {
			return part(d.Place, func(p *pipeline.Place) any { return known(p.Country) })
		}},
		{"region", text, func(d *index.Document) any {
			return part(d.Place, func(p *pipeline.Place) any { return known(p.Region) })
		}},
		{"country_probability", single, func(d *index.Document) any {
			return part(d.Place, func(p *pipeline.Place) any { return known(float32(p.CountryProbability)) })
		}},
		{"album_id", text, func(d *index.Document) any { return part(d.Album, func(a *index.Album) any { return known(a.ID) }) }},
		{"album_mode", text, func(d *index.Document) any { return part(d.Album, func(a *index.Album) any { return known(a.Mode) }) }},
		{"album_size", integer, func(d *index.Document) any {
			return part(d.Album, func(a *index.Album) any { return known(int64(a.Size)) })
		}},
		{"album_moved_m", double, func(d *index.Document) any { return part(d.Album, func(a *index.Album) any { return a.MovedM }) }},
		{"bundle", text, func(d *index.Document) any { return part(d.Model, func(m *index.Model) any { return known(m.Bundle) }) }},
		{"model_sha256", text, func(d *index.Document) any { return part(d.Model, func(m *index.Model) any { return known(m.SHA256) }) }},
		{"bucket", text, func(d *index.Document) any {
			return part(d.Source, func(s *index.Source) any { return known(s.Bucket) })
		}},
		{"object_key", text, func(d *index.Document) any { return part(d.Source, func(s *index.Source) any { return known(s.Key) }) }},
		{"taken_at", stamp, func(d *index.Document) any { return known(d.TakenAt) }},
		{"published_at", stamp, func(d *index.Document) any { return d.Time }},
	}
}

// known is NULL for what a document does not say.
func known[T comparable](v T) any {
	if v == *new(T) {
		return nil
	}
	return v
}

// part is of a part of the document, NULL where it has none.
func part[T any](of *T, what func(*T) any) any {
	if of == nil {
		return nil
	}
	return what(of)
}

// wanted is the type that each column of the table must have.
func wanted() map[string]string {
	types := map[string]string{"location": "geography(Point,4326)", shapeColumn: "geometry(MultiPolygon,4326)"}
	for _, c := range columns() {
		types[c.name] = c.kind
	}
	types["photo_id"] += " PRIMARY KEY"
	return types
}

// row is a document as it is copied, with a place for the shape at its end. The error is of a document that no row can hold.
func (t *Table) row(d *index.Document) ([]any, error) {
	row := make([]any, len(t.columns)+1)
	for i, c := range t.columns {
		row[i] = c.of(d)
		// Beyond this the copying would break off without a word about the row.
		if n, is := row[i].(int64); is && c.kind == "integer" && (n > math.MaxInt32 || n < math.MinInt32) {
			return nil, fmt.Errorf("%s is %d, more than the column holds", c.name, n)
		}
	}
	if d.Shape == nil {
		return row, nil
	}
	shape, err := json.Marshal(d.Shape)
	if err != nil {
		return nil, fmt.Errorf("encode the shape: %w", err)
	}
	row[len(t.columns)] = string(shape)
	return row, nil
}
