package cells

import (
	"errors"
	"fmt"
	"math"
	"os"

	"github.com/golang/geo/s2"
	"github.com/parquet-go/parquet-go"
)

// ErrGallery says that a file is not a list of places on the earth. The message
// names the row and what is wrong with it.
var ErrGallery = errors.New("gallery is not usable")

// Spot is a point of the earth in degrees.
type Spot struct{ Lat, Lon float64 }

var spotColumns = []column[Spot]{
	{"lat", parquet.Double, func(s *Spot, v parquet.Value) { s.Lat = v.Double() }, false},
	{"lon", parquet.Double, func(s *Spot, v parquet.Value) { s.Lon = v.Double() }, false},
}

// LoadGallery reads gallery.parquet: columns lat and lon in degrees, in the
// order of the numbers a network answers with. Every refusal is ErrGallery with
// the row and the reason.
func LoadGallery(path string) ([]Spot, error) {
	spots, err := someRows("gallery", path, spotColumns, ErrGallery)
	if err != nil {
		return nil, err
	}
	for i, s := range spots {
		if !Valid(s.Lat, s.Lon) {
			return nil, fmt.Errorf("%w: row %d: %v, %v is not on the earth", ErrGallery, i, s.Lat, s.Lon)
		}
	}
	return spots, nil
}

// someRows reads a whole file that must not be empty, which is a what; a refusal of what is in it is wrong.
func someRows[T any](what, path string, columns []column[T], wrong error) ([]T, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", what, err)
	}
	defer file.Close()
	rows, err := readRows(file, columns)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", wrong, err)
	}
	if len(rows) == 0 {
		return nil, fmt.Errorf("%w: there is not a single row", wrong)
	}
	return rows, nil
}

// Assign says for each spot which row it belongs to: the one whose cell
// contains it, else the one whose mean location is nearest, the first of equals.
// Strays are the spots in no cell, and farthest how many metres the farthest of
// them lies from the location it was given to. Spots must be Valid.
func (c *Cells) Assign(spots []Spot) (rows []int, strays int, farthest float64) {
	rows = make([]int, len(spots))
	var middles []s2.Point
	for i, s := range spots {
		row, ok := c.Find(s.Lat, s.Lon)
		if !ok {
			if middles == nil {
				middles = c.middles()
			}
			row = nearest(middles, s)
			strays++
			farthest = max(farthest, DistanceMetres(s.Lat, s.Lon, c.rows[row].Lat, c.rows[row].Lon))
		}
		rows[i] = row
	}
	return rows, strays, farthest
}

func (c *Cells) middles() []s2.Point {
	points := make([]s2.Point, len(c.rows))
	for i, row := range c.rows {
		points[i] = s2.PointFromLatLng(s2.LatLngFromDegrees(row.Lat, row.Lon))
	}
	return points
}

// nearest looks at every point: strays are few, and a dot product is short.
func nearest(points []s2.Point, s Spot) int {
	p := s2.PointFromLatLng(s2.LatLngFromDegrees(s.Lat, s.Lon))
	best, greatest := 0, math.Inf(-1)
	for i, q := range points {
		if dot := p.Dot(q.Vector); dot > greatest {
			best, greatest = i, dot
		}
	}
	return best
}
