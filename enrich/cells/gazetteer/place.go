package gazetteer

import (
	"encoding/csv"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/golang/geo/s2"
	"gonum.org/v1/gonum/spatial/kdtree"

	"planetag/enrich/cells"
)

// Place is a town and where it is.
type Place struct {
	Name        string
	Region      string // first administrative division, "" where there is none
	CountryCode string
	Lat, Lon    float64 // degrees
}

// town is a Place as a point of the tree: distances are squared chords through
// the unit sphere, which sort as distances on the sphere do.
type town struct {
	Place
	at s2.Point
}

// Compare is the signed distance to the plane through c in dimension d.
func (t town) Compare(c kdtree.Comparable, d kdtree.Dim) float64 {
	return axis(t.at, d) - axis(c.(town).at, d)
}

// Dims is the number of dimensions of the tree.
func (town) Dims() int { return 3 }

// Distance is the squared chord to c.
func (t town) Distance(c kdtree.Comparable) float64 {
	return t.at.Sub(c.(town).at.Vector).Norm2()
}

func axis(p s2.Point, d kdtree.Dim) float64 { return [3]float64{p.X, p.Y, p.Z}[d] }

// towns is what the tree is built from.
type towns []town

func (t towns) Index(i int) kdtree.Comparable         { return t[i] }
func (t towns) Len() int                              { return len(t) }
func (t towns) Slice(start, end int) kdtree.Interface { return t[start:end] }

func (t towns) Pivot(d kdtree.Dim) int {
	p := plane{t, d}
	return kdtree.Partition(p, kdtree.MedianOfMedians(p))
}

// plane is towns along one dimension.
type plane struct {
	towns
	kdtree.Dim
}

func (p plane) Less(i, j int) bool {
	return axis(p.towns[i].at, p.Dim) < axis(p.towns[j].at, p.Dim)
}

func (p plane) Swap(i, j int) { p.towns[i], p.towns[j] = p.towns[j], p.towns[i] }

func (p plane) Slice(start, end int) kdtree.SortSlicer {
	return plane{p.towns[start:end], p.Dim}
}

func pointOf(lat, lon float64) s2.Point { return s2.PointFromLatLng(s2.LatLngFromDegrees(lat, lon)) }

// readTowns reads what data/make.py writes: country code, region, name, lat,
// lon.
func readTowns(text io.Reader) (towns, error) {
	rows := csv.NewReader(text)
	rows.FieldsPerRecord = 5
	rows.ReuseRecord = true
	var all towns
	for {
		row, err := rows.Read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read: %w", err)
		}
		lat, errLat := strconv.ParseFloat(row[3], 64)
		lon, errLon := strconv.ParseFloat(row[4], 64)
		if errLat != nil || errLon != nil {
			return nil, fmt.Errorf("row %d: %q, %q is not a position", len(all)+1, row[3], row[4])
		}
		all = append(all, town{Place{row[2], row[1], row[0], lat, lon}, pointOf(lat, lon)})
	}
}

// Nearest is the place nearest to a point (degrees) and its distance in metres
// on the sphere of package cells.
func (g *Gazetteer) Nearest(lat, lon float64) (Place, float64) {
	found, squared := g.places.Nearest(town{at: pointOf(lat, lon)})
	return found.(town).Place, cells.ChordMetres(math.Sqrt(squared))
}

// NearestIn is the nearest place of one country among the few nearest to a
// point; false if none of those is of that country.
func (g *Gazetteer) NearestIn(code string, lat, lon float64) (Place, bool) {
	const few = 8
	near := kdtree.NewNKeeper(few)
	g.places.NearestSet(near, town{at: pointOf(lat, lon)})
	best, found := Place{}, false
	least := math.Inf(1)
	for _, c := range near.Heap {
		if t, ok := c.Comparable.(town); ok && t.CountryCode == code && c.Dist < least {
			best, least, found = t.Place, c.Dist, true
		}
	}
	return best, found
}

// shore is how far from a town a point off the coast may be and still belong to
// its country, in metres: borders on a small map cut off piers, beaches and
// small islands.
const shore = 25_000

// CountryNear is Country, and off the coast the country of the nearest town if
// that is within 25 km.
func (g *Gazetteer) CountryNear(lat, lon float64) (code string, ok bool) {
	if code, ok = g.Country(lat, lon); ok {
		return code, true
	}
	town, metres := g.Nearest(lat, lon)
	return town.CountryCode, metres <= shore
}
