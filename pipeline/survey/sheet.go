package survey

import (
	"encoding/csv"
	"io"
	"math"
	"strconv"
	"time"

	"planetag/enrich/cells/table"
)

// sheet takes the photos of a manifest one by one.
type sheet struct {
	add func(p Photo, setAside string) error
	end func() error
}

// row is a photo in the manifest. The first six columns are those that `planetag
// eval` and the training read.
type row struct {
	ID       string   `parquet:"id"`
	File     string   `parquet:"file"`
	Lat      *float64 `parquet:"lat,optional"`
	Lon      *float64 `parquet:"lon,optional"`
	TakenAt  string   `parquet:"taken_at"` // RFC 3339, as in the CSV: the clock's own offset is kept
	Album    string   `parquet:"album"`
	Source   string   `parquet:"source"`
	Camera   string   `parquet:"camera"`
	Size     int64    `parquet:"size"`
	ETag     string   `parquet:"etag"`
	Modified string   `parquet:"modified"`
	PHash    string   `parquet:"phash"`
	SetAside string   `parquet:"set_aside"`
	Problem  string   `parquet:"problem"`
}

func rowOf(p Photo, setAside string) row {
	r := row{
		ID: p.Key, File: p.Key, Album: p.Album(), Camera: p.Camera, Size: p.Size, ETag: p.ETag,
		Modified: p.Modified.Format(time.RFC3339), PHash: p.PHash, SetAside: setAside, Problem: p.Problem,
	}
	if p.Lat != nil {
		r.Lat, r.Lon, r.Source = new(rounded(*p.Lat)), new(rounded(*p.Lon)), "exif"
	}
	if !p.TakenAt.IsZero() {
		r.TakenAt = p.TakenAt.Format(time.RFC3339)
	}
	return r
}

// rounded leaves degrees seven decimals, a centimetre.
func rounded(degrees float64) float64 { return math.Round(degrees*1e7) / 1e7 }

// asParquet writes the manifest as Parquet.
func asParquet(w io.Writer) sheet {
	out := table.NewWriter[row](w)
	return sheet{func(p Photo, setAside string) error { return out.Write(rowOf(p, setAside)) }, out.Close}
}

// asCSV writes the manifest as CSV, with the same columns.
func asCSV(w io.Writer) sheet {
	out := csv.NewWriter(w)
	// What is wrong with the file comes to light in end.
	_ = out.Write([]string{
		"id", "file", "lat", "lon", "taken_at", "album", "source", "camera", "size", "etag", "modified", "phash", "set_aside", "problem",
	})
	return sheet{func(p Photo, setAside string) error { return out.Write(rowOf(p, setAside).texts()) }, func() error {
		out.Flush()
		return out.Error()
	}}
}

func (r row) texts() []string {
	return []string{
		r.ID, r.File, decimal(r.Lat), decimal(r.Lon), r.TakenAt, r.Album, r.Source, r.Camera,
		strconv.FormatInt(r.Size, 10), r.ETag, r.Modified, r.PHash, r.SetAside, r.Problem,
	}
}

func decimal(degrees *float64) string {
	if degrees == nil {
		return ""
	}
	return strconv.FormatFloat(*degrees, 'f', -1, 64)
}
