package divide

import (
	"cmp"
	"maps"
	"math"
	"slices"

	"github.com/golang/geo/s2"

	"planetag/enrich/cells"
	"planetag/enrich/cells/gazetteer"
)

const (
	// radiusSample is from how many of a cell's spots its radii are taken, at
	// least, where there are more.
	radiusSample = 2000
	// nameSample is how many of a cell's spots are looked up to name it, at
	// most. They are taken in even steps along S2's curve.
	nameSample = 32
)

// Row is a cell with what is known of the photos in it.
type Row struct {
	cells.Cell
	Counted              int64   // photos as the limits count them: see package comment
	RadiusP50, RadiusP90 float64 // metres from the mean location that hold half and nine tenths of them
	Near                 gazetteer.Place
	NearMetres           float64 // from the mean location to Near
}

// measurer turns the spots of one cell after the other into rows. It belongs to
// one goroutine.
type measurer struct {
	keys   keys
	names  *gazetteer.Gazetteer
	oracle oracle
	points []s2.Point // scratch
}

// measure is the row of a cell.
func (m *measurer) measure(id cells.ID, spots []spot) Row {
	row := Row{Cell: cells.Cell{ID: id}}
	m.points = m.points[:0]
	var sum s2.Point
	for _, s := range spots {
		p := m.keys.leaf(s.key).Point()
		w := m.keys.weight(s)
		sum = s2.Point{Vector: sum.Add(p.Mul(float64(w)))}
		row.Counted += w
		row.Photos += s.photos
		m.points = append(m.points, p)
	}
	mean := s2.Point{Vector: sum.Normalize()}
	at := s2.LatLngFromPoint(mean)
	row.Lat, row.Lon = at.Lat.Degrees(), at.Lng.Degrees()
	row.RadiusP50, row.RadiusP90 = m.radii(mean, spots, row.Counted)
	row.Places = m.places(spots)
	row.Near, row.NearMetres = m.names.Nearest(row.Lat, row.Lon)
	return row
}

// far is a distance and how many photos are that far away.
type far struct {
	metres float64
	weight int64
}

// radii are the distances from the mean that hold half and nine tenths of the
// photos, in metres.
func (m *measurer) radii(mean s2.Point, spots []spot, total int64) (p50, p90 float64) {
	step := max(len(spots)/radiusSample, 1)
	sample := make([]far, 0, len(spots)/step+1)
	weight := int64(0)
	for i, p := range m.points {
		metres := cells.ChordMetres(mean.Sub(p.Vector).Norm())
		m.oracle.add(metres, spots[i].photos)
		if i%step == 0 {
			sample = append(sample, far{metres, m.keys.weight(spots[i])})
			weight += m.keys.weight(spots[i])
		}
	}
	slices.SortFunc(sample, func(a, b far) int { return cmp.Compare(a.metres, b.metres) })
	return within(sample, weight, 0.5), within(sample, weight, 0.9)
}

// within is the smallest distance that holds a share of the weight.
func within(sample []far, total int64, share float64) float64 {
	sum := int64(0)
	for _, f := range sample {
		if sum += f.weight; float64(sum) >= share*float64(total) {
			return f.metres
		}
	}
	return sample[len(sample)-1].metres
}

// places are the countries and regions of a cell's photos with their shares. The
// country is the one whose borders hold a photo, or at sea that of the nearest
// town; the region is that of the nearest town in that country.
func (m *measurer) places(spots []spot) []cells.Place {
	step := max((len(spots)+nameSample-1)/nameSample, 1)
	counts := map[cells.Place]int64{}
	total := int64(0)
	for i := 0; i < len(spots); i += step {
		at := m.keys.leaf(spots[i].key).LatLng()
		place := m.place(at.Lat.Degrees(), at.Lng.Degrees())
		counts[place] += m.keys.weight(spots[i])
		total += m.keys.weight(spots[i])
	}
	shares := slices.Collect(maps.Keys(counts))
	for i := range shares {
		count := counts[shares[i]]
		shares[i].Share = math.Round(1e4*float64(count)/float64(total)) / 1e4
	}
	shares = slices.DeleteFunc(shares, func(p cells.Place) bool { return p.Share == 0 })
	slices.SortFunc(shares, func(a, b cells.Place) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(a.CountryCode, b.CountryCode), cmp.Compare(a.Region, b.Region))
	})
	return shares
}

func (m *measurer) place(lat, lon float64) cells.Place {
	town, _ := m.names.Nearest(lat, lon)
	code, ok := m.names.Country(lat, lon)
	if !ok {
		code = town.CountryCode
	}
	if code != town.CountryCode {
		town, _ = m.names.NearestIn(code, lat, lon)
	}
	return cells.Place{CountryCode: code, Country: gazetteer.CountryName(code), Region: town.Region}
}
