package index

import (
	"planetag/enrich/cells"
	"planetag/pipeline"
)

// Shape is a GeoJSON MultiPolygon (RFC 7946): longitude before latitude, outer rings counter-clockwise, cut at the
// antimeridian.
type Shape struct {
	Type        string           `json:"type"`
	Coordinates [][][][2]float64 `json:"coordinates"`
}

// shapeOf is the outline of an estimate: of the circle that holds nine photos out of ten, or of the answer's cell. A measured
// position has none, as it has no radius.
func shapeOf(kind string, l pipeline.Location) *Shape {
	if l.Status != pipeline.StatusEstimated {
		return nil
	}
	var rings [][][2]float64
	switch id := cells.FromToken(l.Cell); {
	case kind == "circle":
		rings = cells.Circle(l.Location.Lat, l.Location.Lon, float64(l.RadiusP90M))
	case kind == "cell" && id.IsValid():
		rings = cells.Outline(id)
	default:
		return nil
	}
	shape := &Shape{Type: "MultiPolygon"}
	for _, ring := range rings {
		shape.Coordinates = append(shape.Coordinates, [][][2]float64{ring})
	}
	return shape
}
