package eval

import (
	"context"
	"testing"

	"planetag/enrich/cells/gazetteer"
)

func TestTablesByContinentAndCountry(t *testing.T) {
	names, err := gazetteer.Open()
	if err != nil {
		t.Fatal(err)
	}
	got, err := Run(context.Background(), Options{
		Gazetteer: names,
		Predictions: file(t, "p.csv", `id,lat,lon,pred_lat,pred_lon
paris,48.8566,2.3522,48.8566,2.3522
lyon,45.7640,4.8357,48.8566,2.3522
tokyo,35.6762,139.6503,48.8566,2.3522
venice lagoon,45.4300,12.3600,45.4300,12.3600
pacific,-40,-130,48.8566,2.3522
`),
	})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		n      int
		within float64
	}{"Europe": {3, 2.0 / 3}, "Asia": {1, 0}, "at sea": {1, 0}} {
		g := got.Continents[name]
		if g.N != want.n || g.Modes["predictions"].N != want.n || g.Modes["predictions"].Within25km != want.within {
			t.Errorf("%s: %+v, want %+v", name, g, want)
		}
	}
	// The border of a small map leaves the lagoon to the sea; the nearest town does not.
	if it := got.Countries["IT"]; it.N != 1 || it.Name != "Italy" || it.Modes["predictions"].Within1km != 1 {
		t.Errorf("Italy: %+v", it)
	}
	if len(got.Countries) != 4 || len(got.Continents) != 3 || got.Countries["FR"].N != 2 {
		t.Errorf("countries %+v", got.Countries)
	}
}
