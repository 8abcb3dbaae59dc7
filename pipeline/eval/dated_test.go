package eval

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"planetag/enrich"
)

// withDays is the tiny bundle with a diary whose owner was in Paris on the eighth of January 2022.
const withDays = "../../enrich/testdata/dated"

// days are two grey photos, which look like nothing: of Paris on the owner's day there, and of New York on a day of which nobody knows anything; and a red one of
// Rome without a day.
const days = `id,file,lat,lon,taken_at,album
paris,fog.jpg,48.8566,2.3522,2022-01-08T12:00:00Z,
york,fog.jpg,40.7128,-74.006,2019-05-01T12:00:00Z,
rome,r.jpg,41.9028,12.4964,,
`

func daysOptions(t *testing.T, bundle, manifest string) Options {
	t.Helper()
	needLibrary(t)
	csv, dir := write(t, manifest, map[string]string{"fog.jpg": "grey", "r.jpg": "red"})
	return Options{Model: enrich.Options{Bundle: bundle}, Manifest: csv, Photos: dir}
}

// TestSingleIsWhatAWorkerPublishes: told of the day, where the bundle knows it. Beside it is what the picture alone says.
func TestSingleIsWhatAWorkerPublishes(t *testing.T) {
	o := daysOptions(t, withDays, days)
	o.CompareModes = []string{"single", "picture"}
	o.Compare = tiny
	got, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if s, p := got.Modes["single"], got.Modes["picture"]; s.Within25km != 2.0/3 || p.Within25km != 1.0/3 || s.N != 3 {
		t.Errorf("single %+v, picture %+v", s, p)
	}
	// The photo of Paris has the radii of told photos, which it is within; the red one, of which nobody knows the day, those of pictures.
	if s, p := got.ByMode["single"], got.ByMode["picture"]; s.Answered != 2 || p.Answered != 1 {
		t.Errorf("answered: single %+v, picture %+v", s, p)
	}
	if want := []string{"prior", "single", "picture", "average"}; !slices.Equal(got.ModeOrder[:4], want) || strings.Contains(fmt.Sprint(got.ModeOrder), "picture (shuffled)") {
		t.Errorf("rows %v", got.ModeOrder)
	}
	if c := got.Comparisons[0]; c.First != "single" || c.Second != "picture" || c.Within25km.Difference != 1.0/3 {
		t.Errorf("%+v", c)
	}
	for _, c := range got.Comparisons[1:] {
		if strings.HasSuffix(c.First, " picture") || strings.HasSuffix(c.First, " single") && c.Within25km.Difference != 1.0/3 {
			t.Errorf("against a bundle without days: %+v", c)
		}
	}
}

// TestWithoutDaysThereIsOneRow: of a bundle that knows none, and of photos of which it knows none.
func TestWithoutDaysThereIsOneRow(t *testing.T) {
	for _, o := range []Options{daysOptions(t, tiny, days), daysOptions(t, withDays, strings.ReplaceAll(days, "2022", "2002"))} {
		got, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		if _, has := got.Modes["picture"]; has || slices.Contains(got.ModeOrder, "picture") || got.Modes["single"].Within25km != 1.0/3 {
			t.Errorf("%s: %v, single %+v", o.Model.Bundle, got.ModeOrder, got.Modes["single"])
		}
	}
}

// TestAnchorsStandBesideWhatAWorkerSays of a photo alone.
func TestAnchorsStandBesideWhatAWorkerSays(t *testing.T) {
	o := daysOptions(t, withDays, `id,file,lat,lon,taken_at,album
a,fog.jpg,48.8566,2.3522,2022-01-08T12:00:00Z,trip
b,fog.jpg,48.8566,2.3522,2022-01-08T13:00:00Z,trip
`)
	o.Anchors, o.Seed = 0.5, 1
	got, err := Run(t.Context(), o)
	if err != nil || got.Anchored.All["single"].Within25km != 1 {
		t.Errorf("%v, %+v", err, got.Anchored)
	}
}
