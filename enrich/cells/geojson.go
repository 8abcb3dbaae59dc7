package cells

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math"
)

// feature is a cell in GeoJSON.
type feature struct {
	Type       string     `json:"type"`
	ID         string     `json:"id"`
	Properties properties `json:"properties"`
	Geometry   geometry   `json:"geometry"`
}

type properties struct {
	Cell    string  `json:"cell"`
	Level   int     `json:"level"`
	Lat     float64 `json:"lat"`
	Lon     float64 `json:"lon"`
	Photos  int64   `json:"photos"`
	Country string  `json:"country,omitempty"`
	Region  string  `json:"region,omitempty"`
	Share   float64 `json:"share,omitempty"` // of the photos that are there
}

type geometry struct {
	Type        string            `json:"type"`
	Coordinates [][][][2]decimals `json:"coordinates"`
}

// decimals is a coordinate with seven decimals, a centimetre (RFC 7946 §11.2).
type decimals float64

// MarshalJSON writes no more digits than mean something.
func (d decimals) MarshalJSON() ([]byte, error) {
	return json.Marshal(math.Round(float64(d)*1e7) / 1e7)
}

// GeoJSON writes the cells as one FeatureCollection (RFC 7946). Identifiers are
// S2 tokens.
func (c *Cells) GeoJSON(w io.Writer) error {
	out := bufio.NewWriter(w)
	io.WriteString(out, `{"type":"FeatureCollection","features":[`) //nolint:errcheck // Flush says it
	for i, row := range c.rows {
		if i > 0 {
			out.WriteByte(',') //nolint:errcheck // Flush says it
		}
		text, err := json.Marshal(featureOf(row))
		if err != nil {
			return fmt.Errorf("encode cell %s: %w", row.ID.ToToken(), err)
		}
		out.WriteByte('\n') //nolint:errcheck // Flush says it
		out.Write(text)     //nolint:errcheck // Flush says it
	}
	io.WriteString(out, "\n]}\n") //nolint:errcheck // Flush says it
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write GeoJSON: %w", err)
	}
	return nil
}

func featureOf(row Cell) feature {
	f := feature{
		Type: "Feature", ID: row.ID.ToToken(), Geometry: geometry{Type: "MultiPolygon"},
		Properties: properties{Cell: row.ID.ToToken(), Level: row.ID.Level(), Lat: row.Lat, Lon: row.Lon, Photos: row.Photos},
	}
	if len(row.Places) > 0 {
		first := row.Places[0]
		f.Properties.Country, f.Properties.Region, f.Properties.Share = first.Country, first.Region, first.Share
	}
	for _, ring := range Outline(row.ID) {
		line := make([][2]decimals, len(ring))
		for i, p := range ring {
			line[i] = [2]decimals{decimals(p[0]), decimals(p[1])}
		}
		f.Geometry.Coordinates = append(f.Geometry.Coordinates, [][][2]decimals{line})
	}
	return f
}
