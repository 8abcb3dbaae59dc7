package enrich

import (
	"cmp"
	"maps"
	"slices"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// area is the finest part of the earth an answer may name: a class of the
// bundle, or the ancestor at the precision cap of classes finer than it. Its
// location and place are those of all training photos inside, so they tell
// nothing about a photo that the area itself does not.
type area struct {
	id       cells.ID
	lat, lon float64
	floor    float64 // least radius in metres, 0 unless the cap made it
	place    Place
}

// newPlacer works out once what the cap makes of every class.
func newPlacer(table *cells.Cells, calibration map[string]bundle.Calibration, precisionCap int) *placer {
	p := &placer{cells: table, calibration: calibration, precisionCap: precisionCap, areaOf: make([]int, table.Len())}
	for lo := 0; lo < table.Len(); {
		class := table.At(lo).ID
		a := area{id: cells.Cap(class, precisionCap)}
		hi := lo + 1
		if a.id != class {
			// Rows are sorted along S2's curve: an ancestor's are neighbours.
			_, hi = table.Within(a.id)
			a.floor = cells.HalfDiagonal(a.id)
		}
		a.lat, a.lon, _ = table.Mean(lo, hi)
		a.place = placeOf(table, lo, hi)
		for i := lo; i < hi; i++ {
			p.areaOf[i] = len(p.areas)
		}
		p.areas = append(p.areas, a)
		lo = hi
	}
	return p
}

// placeOf names the country and the region that hold at least half of the
// training photos of rows [lo, hi). A name that would be wrong more often than
// right is left out.
func placeOf(table *cells.Cells, lo, hi int) Place {
	countries, regions := map[Place]float64{}, map[Place]float64{}
	photos := 0.0
	for i := lo; i < hi; i++ {
		cell := table.At(i)
		photos += float64(cell.Photos)
		for _, p := range cell.Places {
			here := p.Share * float64(cell.Photos)
			countries[Place{CountryCode: p.CountryCode, Country: p.Country}] += here
			regions[Place{p.CountryCode, p.Country, p.Region}] += here
		}
	}
	if region, ok := majority(regions, photos); ok {
		return region
	}
	country, _ := majority(countries, photos)
	return country
}

func majority(counts map[Place]float64, photos float64) (Place, bool) {
	if len(counts) == 0 {
		return Place{}, false
	}
	greatest := slices.MinFunc(slices.Collect(maps.Keys(counts)), func(a, b Place) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]),
			cmp.Compare(a.CountryCode, b.CountryCode), cmp.Compare(a.Region, b.Region))
	})
	if counts[greatest] < photos/2 {
		return Place{}, false
	}
	return greatest, true
}
