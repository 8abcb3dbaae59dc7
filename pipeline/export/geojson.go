package export

import (
	"encoding/json"
	"io"
	"time"

	"planetag/pipeline"
)

// geoJSON writes a FeatureCollection after RFC 7946, one feature a line.
type geoJSON struct {
	to    io.Writer
	begun bool
}

type feature struct {
	Type       string     `json:"type"`
	ID         string     `json:"id"`
	Geometry   *geometry  `json:"geometry"` // null where the model abstained
	Properties properties `json:"properties"`
}

type geometry struct {
	Type        string     `json:"type"`
	Coordinates [2]float64 `json:"coordinates"` // longitude, latitude
}

type properties struct {
	Status         string    `json:"status"`
	RadiusP50M     *int64    `json:"radius_p50_m,omitempty"`
	RadiusP90M     *int64    `json:"radius_p90_m,omitempty"`
	Confidence     *float64  `json:"confidence,omitempty"`
	PositionSource *string   `json:"position_source,omitempty"`
	Cell           *string   `json:"cell,omitempty"`
	CountryCode    *string   `json:"country_code,omitempty"`
	Country        *string   `json:"country,omitempty"`
	Region         *string   `json:"region,omitempty"`
	Album          *string   `json:"album,omitempty"`
	Stage          string    `json:"stage"`
	Revision       int64     `json:"revision"`
	Bundle         *string   `json:"model_bundle,omitempty"`
	SHA256         *string   `json:"model_sha256,omitempty"`
	TakenAt        time.Time `json:"taken_at,omitzero"`
	Time           time.Time `json:"time"`
}

func newGeoJSON(w io.Writer) (sink, error) {
	_, err := io.WriteString(w, `{"type":"FeatureCollection","features":[`)
	return &geoJSON{to: w}, err
}

func (g *geoJSON) add(l pipeline.Location) error {
	r := rowOf(l)
	f := feature{Type: "Feature", ID: l.PhotoID, Properties: properties{
		Status: r.Status, RadiusP50M: r.RadiusP50M, RadiusP90M: r.RadiusP90M, Confidence: r.Confidence, PositionSource: r.Source, Cell: r.Cell,
		CountryCode: r.CountryCode, Country: r.Country, Region: r.Region, Album: r.Album, Stage: r.Stage, Revision: r.Revision,
		Bundle: r.Bundle, SHA256: r.SHA256, TakenAt: l.TakenAt, Time: l.Time,
	}}
	if at := l.Location; at != nil {
		f.Geometry = &geometry{"Point", [2]float64{at.Lon, at.Lat}}
	}
	line, err := json.Marshal(f)
	if err != nil {
		return err
	}
	begin := ",\n"
	if !g.begun {
		begin, g.begun = "\n", true
	}
	_, err = g.to.Write(append([]byte(begin), line...))
	return err
}

func (g *geoJSON) close() error {
	_, err := io.WriteString(g.to, "\n]}\n")
	return err
}
