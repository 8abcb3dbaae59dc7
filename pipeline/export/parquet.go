package export

import (
	"encoding/binary"
	"encoding/json"
	"io"
	"math"
	"time"

	"github.com/parquet-go/parquet-go"

	"planetag/pipeline"
)

// rowGroup is how many photos one row group holds, and so what the writer keeps in memory.
const rowGroup = 50_000

// row is a photo in the file. Columns are only ever added.
type row struct {
	PhotoID     string   `parquet:"photo_id"`
	Geometry    []byte   `parquet:"geometry,optional"` // WKB point; null where the model abstained
	BBox        *bbox    `parquet:"bbox,optional"`
	Status      string   `parquet:"status,dict"`
	RadiusP50M  *int64   `parquet:"radius_p50_m,optional"` // null for a measured position
	RadiusP90M  *int64   `parquet:"radius_p90_m,optional"`
	Confidence  *float64 `parquet:"confidence,optional"`
	Source      *string  `parquet:"position_source,optional,dict"` // of a measured position: exif, or what the reference says
	Cell        *string  `parquet:"cell,optional"`
	CountryCode *string  `parquet:"country_code,optional,dict"`
	Country     *string  `parquet:"country,optional,dict"`
	Region      *string  `parquet:"region,optional,dict"`
	Album       *string  `parquet:"album,optional,dict"`
	Stage       string   `parquet:"stage,dict"`
	Revision    int64    `parquet:"revision"`
	Bundle      *string  `parquet:"model_bundle,optional,dict"`
	SHA256      *string  `parquet:"model_sha256,optional,dict"`
	Bucket      string   `parquet:"bucket,dict"`
	Key         string   `parquet:"key"`
	ETag        *string  `parquet:"etag,optional"`
	TakenAt     *int64   `parquet:"taken_at,optional,timestamp(millisecond)"`
	Time        int64    `parquet:"time,timestamp(millisecond)"`
}

// bbox lets readers skip row groups by place.
type bbox struct {
	XMin float64 `parquet:"xmin"`
	YMin float64 `parquet:"ymin"`
	XMax float64 `parquet:"xmax"`
	YMax float64 `parquet:"ymax"`
}

// geoParquet writes GeoParquet 1.1.
type geoParquet struct {
	to     *parquet.GenericWriter[row]
	bounds bbox
	points int64
}

func newParquet(w io.Writer) (sink, error) {
	to := parquet.NewGenericWriter[row](w, parquet.Compression(&parquet.Zstd), parquet.MaxRowsPerRowGroup(rowGroup),
		parquet.CreatedBy("planetag", "", ""))
	return &geoParquet{to: to, bounds: bbox{math.Inf(1), math.Inf(1), math.Inf(-1), math.Inf(-1)}}, nil
}

func (g *geoParquet) add(l pipeline.Location) error {
	r := rowOf(l)
	if b := r.BBox; b != nil {
		g.points++
		g.bounds = bbox{
			min(g.bounds.XMin, b.XMin), min(g.bounds.YMin, b.YMin), max(g.bounds.XMax, b.XMax), max(g.bounds.YMax, b.YMax),
		}
	}
	_, err := g.to.Write([]row{r})
	return err
}

// close writes the metadata that makes the file a GeoParquet: https://geoparquet.org/releases/v1.1.0/. Without a crs the
// coordinates are longitude and latitude on WGS 84 (OGC:CRS84).
func (g *geoParquet) close() error {
	geometry := map[string]any{
		"encoding": "WKB", "geometry_types": []string{"Point"},
		"covering": map[string]any{"bbox": map[string][]string{
			"xmin": {"bbox", "xmin"}, "ymin": {"bbox", "ymin"}, "xmax": {"bbox", "xmax"}, "ymax": {"bbox", "ymax"},
		}},
	}
	if g.points > 0 {
		geometry["bbox"] = []float64{g.bounds.XMin, g.bounds.YMin, g.bounds.XMax, g.bounds.YMax}
	}
	text, err := json.Marshal(map[string]any{
		"version": "1.1.0", "primary_column": "geometry", "columns": map[string]any{"geometry": geometry},
	})
	if err != nil {
		return err
	}
	g.to.SetKeyValueMetadata("geo", string(text))
	return g.to.Close()
}

func rowOf(l pipeline.Location) row {
	r := row{
		PhotoID: l.PhotoID, Status: l.Status, Stage: l.Stage, Revision: l.Revision, Confidence: l.Confidence, Cell: text(l.Cell),
		Bucket: l.Source.Bucket, Key: l.Source.Key, ETag: text(l.Source.ETag), TakenAt: millis(l.TakenAt), Time: l.Time.UnixMilli(),
	}
	if at := l.Location; at != nil {
		r.Geometry = wkbPoint(at.Lon, at.Lat)
		r.BBox = &bbox{at.Lon, at.Lat, at.Lon, at.Lat}
	}
	if l.Status == pipeline.StatusEstimated {
		r.RadiusP50M, r.RadiusP90M = &l.RadiusP50M, &l.RadiusP90M
	}
	if l.Given != nil {
		r.Source = text(l.Given.Source)
	}
	if p := l.Place; p != nil {
		r.CountryCode, r.Country, r.Region = text(p.CountryCode), text(p.Country), text(p.Region)
	}
	if l.Album != nil {
		r.Album = text(l.Album.ID)
	}
	if m := l.Model; m != nil {
		r.Bundle, r.SHA256 = text(m.Bundle), text(m.SHA256)
	}
	return r
}

// wkbPoint is a point as well-known binary: little-endian, longitude first.
func wkbPoint(lon, lat float64) []byte {
	const point = 1
	b := []byte{1}
	b = binary.LittleEndian.AppendUint32(b, point)
	b = binary.LittleEndian.AppendUint64(b, math.Float64bits(lon))
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(lat))
}

// text is nil for nothing.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func millis(t time.Time) *int64 {
	if t.IsZero() {
		return nil
	}
	ms := t.UnixMilli()
	return &ms
}
