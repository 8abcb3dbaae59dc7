package gazetteer

import (
	"encoding/json"
	"fmt"
	"math"
	"math/bits"

	"golang.org/x/text/language"
	"golang.org/x/text/language/display"
)

// borders are the edges of all countries, sorted into bands of one degree of
// latitude, so that a question looks at one band.
//
// The lines between two points are straight in latitude and longitude, as on
// the map they come from. That is why this is not S2: a great circle between
// the ends of the 49th parallel would give Canada a strip of the United States.
type borders struct {
	codes []string // ISO 3166-1 alpha-2 of each country
	bands [180][]edge
}

// edge is a piece of the border of one country, in degrees.
type edge struct {
	x1, y1, x2, y2 float64
	country        int
}

// mostCountries is what the bit set of Country has room for.
const mostCountries = 256

// readBorders reads what data/make.py writes: rings in thousandths of a degree.
func readBorders(text []byte) ([]Ring, borders, error) {
	var file struct {
		Countries []struct {
			ID    string    `json:"id"`
			Rings [][]int32 `json:"rings"`
		} `json:"countries"`
		Land [][]int32 `json:"land"`
	}
	if err := json.Unmarshal(text, &file); err != nil {
		return nil, borders{}, fmt.Errorf("decode: %w", err)
	}
	if n := len(file.Countries); n > mostCountries {
		return nil, borders{}, fmt.Errorf("%d countries, there is room for %d", n, mostCountries)
	}
	var b borders
	for i, c := range file.Countries {
		region, err := language.ParseRegion(c.ID)
		if err != nil {
			return nil, borders{}, fmt.Errorf("country %q: %w", c.ID, err)
		}
		b.codes = append(b.codes, region.String())
		for _, r := range flat(c.Rings) {
			b.add(r, i)
		}
	}
	return flat(file.Land), b, nil
}

func (b *borders) add(ring Ring, country int) {
	for i, from := range ring {
		to := ring[(i+1)%len(ring)]
		e := edge{from[0], from[1], to[0], to[1], country}
		if e.y1 > e.y2 {
			e = edge{e.x2, e.y2, e.x1, e.y1, country}
		}
		if e.y1 == e.y2 {
			continue // a line to the east never crosses it
		}
		for band := bandOf(e.y1); band <= bandOf(e.y2); band++ {
			b.bands[band] = append(b.bands[band], e)
		}
	}
}

func bandOf(lat float64) int { return min(max(int(math.Floor(lat))+90, 0), 179) }

// Country is the ISO 3166-1 alpha-2 code of the country in whose borders the
// point (degrees) lies; false at sea. Kosovo is XK, as GeoNames has it.
func (g *Gazetteer) Country(lat, lon float64) (code string, ok bool) {
	if lon == 180 {
		lon = -180
	}
	// A line to the east leaves a country it started in: it crosses that
	// country's borders an odd number of times.
	var odd [mostCountries / 64]uint64
	for _, e := range g.borders.bands[bandOf(lat)] {
		if e.y1 <= lat && lat < e.y2 && lon < e.x1+(lat-e.y1)/(e.y2-e.y1)*(e.x2-e.x1) {
			odd[e.country/64] ^= 1 << (e.country % 64)
		}
	}
	for i, word := range odd {
		if word != 0 {
			return g.borders.codes[64*i+bits.TrailingZeros64(word)], true
		}
	}
	return "", false
}

// CountryName is the English name of a country; of what is no code, the code.
func CountryName(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil {
		return code
	}
	return display.English.Regions().Name(region)
}

// Continent is "Africa", "Antarctica", "Asia", "Europe", "North America",
// "Oceania" or "South America"; "" if the code is no country's. Central America
// and the Caribbean belong to North America, Russia and Cyprus to where the
// United Nations (M49) put them.
func Continent(code string) string {
	region, err := language.ParseRegion(code)
	if err != nil || !region.IsCountry() {
		return ""
	}
	if code == "AQ" { // M49 has no group for it, CLDR has it in Oceania
		return "Antarctica"
	}
	for _, c := range []struct{ group, name string }{
		{"002", "Africa"}, {"142", "Asia"}, {"150", "Europe"}, {"003", "North America"}, {"005", "South America"}, {"009", "Oceania"},
	} {
		if language.MustParseRegion(c.group).Contains(region) {
			return c.name
		}
	}
	return ""
}
