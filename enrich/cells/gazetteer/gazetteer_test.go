package gazetteer

import (
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"planetag/enrich/cells"
)

// opened is one for all tests.
var opened = sync.OnceValues(Open)

func open(t testing.TB) *Gazetteer {
	t.Helper()
	g, err := opened()
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestCountry(t *testing.T) {
	g := open(t)
	for _, row := range []struct {
		story    string
		lat, lon float64
		want     string // "" at sea
	}{
		{"the Colosseum", 41.8902, 12.4922, "IT"},
		{"a country inside another one", -29.6, 28.2, "LS"},
		{"the one around it", -29.1, 26.2, "ZA"},
		{"between the ends of the 49th parallel, on its southern side: a great circle would call it Canada", 48.95, -109, "US"},
		{"and on its northern side", 49.05, -109, "CA"},
		{"Chukotka, beyond the antimeridian", 66, -172, "RU"},
		{"Chukotka, before it", 68, 178, "RU"},
		{"on the antimeridian by one name", 68.5, 180, "RU"},
		{"and by the other", 68.5, -180, "RU"},
		{"Fiji", -17.8, 178, "FJ"},
		{"the South Pole", -90, 0, "AQ"},
		{"the North Pole is water", 90, 0, ""},
		{"no number in ISO 3166", 42.6, 21, "XK"},
		{"the Gulf of Guinea, where coordinates of zero end up", 0, 0, ""},
	} {
		if got, ok := g.Country(row.lat, row.lon); got != row.want || ok != (row.want != "") {
			t.Errorf("%s: %q %v, want %q", row.story, got, ok, row.want)
		}
	}
}

func TestCountryNear(t *testing.T) {
	g := open(t)
	for _, row := range []struct {
		story    string
		lat, lon float64
		want     string
	}{
		{"on land the borders count, even where the town, an enclave, is of another country", 47.697, 8.690, "CH"},
		{"a pier that the map cuts off", 54.43, 18.585, "PL"},
		{"an island that is not on the map", -27.1127, -109.3497, "CL"},
		{"the open sea", -45, -120, ""},
	} {
		if got, ok := g.CountryNear(row.lat, row.lon); ok != (row.want != "") || ok && got != row.want {
			t.Errorf("%s: %q %v, want %q", row.story, got, ok, row.want)
		}
	}
}

func TestNearestPlace(t *testing.T) {
	g := open(t)
	for _, row := range []struct {
		story         string
		lat, lon      float64
		name, country string
		km            float64 // at most
	}{
		{"in a town", 41.89, 12.49, "Rome", "IT", 3},
		{"across the antimeridian", -17, -179.99, "Lambasa", "FJ", 120},
		{"the nearest to the North Pole is in Svalbard", 90, 0, "Longyearbyen", "SJ", 1400},
	} {
		place, metres := g.Nearest(row.lat, row.lon)
		if place.Name != row.name || place.CountryCode != row.country || metres > row.km*1000 {
			t.Errorf("%s: %+v at %.1f km", row.story, place, metres/1000)
		}
		if want := cells.DistanceMetres(row.lat, row.lon, place.Lat, place.Lon); math.Abs(metres-want) > 1 {
			t.Errorf("%s: %.1f m, the sphere says %.1f m", row.story, metres, want)
		}
	}
}

// The tree must find what looking at every town finds.
func TestNearestIsTheNearest(t *testing.T) {
	g := open(t)
	text, err := unpack("data/places.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	all := everyTown(t, text)
	random := rand.New(rand.NewPCG(3, 4))
	for range 15 { // each looks at all towns
		lat, lon := 180*random.Float64()-90, 360*random.Float64()-180
		least := math.Inf(1)
		for _, a := range all {
			least = min(least, town{at: pointOf(lat, lon)}.Distance(a))
		}
		want := cells.ChordMetres(math.Sqrt(least))
		if _, metres := g.Nearest(lat, lon); math.Abs(metres-want) > 1e-3 {
			t.Fatalf("%v, %v: %.3f m, the nearest town is at %.3f m", lat, lon, metres, want)
		}
	}
}

func TestNearestInStaysInTheCountry(t *testing.T) {
	g := open(t)
	// Büsingen is a German town inside Switzerland.
	if place, ok := g.NearestIn("CH", 47.697, 8.690); !ok || place.CountryCode != "CH" {
		t.Errorf("beside Büsingen: %+v %v", place, ok)
	}
	if place, ok := g.NearestIn("NZ", 47.697, 8.690); ok {
		t.Errorf("no place of New Zealand is among the nearest here, got %+v", place)
	}
}

func TestEveryCountryHasANameAndAContinent(t *testing.T) {
	g := open(t)
	codes := map[string]bool{}
	for _, code := range g.borders.codes {
		codes[code] = true
	}
	text, err := unpack("data/places.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	for _, place := range everyTown(t, text) {
		codes[place.CountryCode] = true
	}
	if len(codes) < 240 {
		t.Fatalf("only %d countries", len(codes))
	}
	for code := range codes {
		if Continent(code) == "" || CountryName(code) == code {
			t.Errorf("%s: continent %q, name %q", code, Continent(code), CountryName(code))
		}
	}
}

func TestContinent(t *testing.T) {
	for code, want := range map[string]string{
		"EG": "Africa", "JP": "Asia", "RU": "Europe", "MX": "North America", "CU": "North America", "PE": "South America",
		"NZ": "Oceania", "AQ": "Antarctica", "XK": "Europe", "": "", "??": "", "001": "",
	} {
		if got := Continent(code); got != want {
			t.Errorf("%q: %q, want %q", code, got, want)
		}
	}
	if got := CountryName("no code"); got != "no code" {
		t.Errorf("a name for what is no code: %q", got)
	}
}

// Most towns lie inside their own country's borders; if they did not, the
// borders would be shifted or mixed up.
func TestTownsLieInTheirCountries(t *testing.T) {
	g := open(t)
	text, err := unpack("data/places.csv.gz")
	if err != nil {
		t.Fatal(err)
	}
	wrong, all := 0, everyTown(t, text)
	for _, place := range all {
		if code, ok := g.Country(place.Lat, place.Lon); ok && code != place.CountryCode {
			wrong++
		}
	}
	if share := float64(wrong) / float64(len(all)); share > 0.01 {
		t.Errorf("%.2f %% of towns are in another country", 100*share)
	}
}

func BenchmarkCountry(b *testing.B) {
	g := open(b)
	for i := range b.N {
		g.Country(float64(i%170)-85, float64(i%359)-179.5)
	}
}

func BenchmarkNearest(b *testing.B) {
	g := open(b)
	for i := range b.N {
		g.Nearest(float64(i%170)-85, float64(i%359)-179.5)
	}
}
