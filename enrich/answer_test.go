package enrich

import (
	"cmp"
	"math"
	"reflect"
	"slices"
	"testing"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// steps is a calibration like a real one: sure answers are closer.
func steps() map[string]bundle.Calibration {
	table := bundle.Calibration{
		AbstainBelow: 0.2,
		Radius:       []bundle.Radius{{Confidence: 0, P50: 3e6, P90: 9e6}, {Confidence: 0.3, P50: 1e5, P90: 1e6}, {Confidence: 0.7, P50: 2000, P90: 20000}},
	}
	return map[string]bundle.Calibration{"single": table, "average": table, "lstm": table, "lstm_repeat": table}
}

// cellAt is the class of the given level around a place.
func cellAt(lat, lon float64, level int, photos int64, places ...cells.Place) cells.Cell {
	leaf, ok := cells.Leaf(lat, lon)
	if !ok {
		panic("not on the earth")
	}
	return cells.Cell{ID: cells.Cap(leaf, level), Lat: lat, Lon: lon, Photos: photos, Places: places}
}

func placerOf(t testing.TB, precisionCap int, rows ...cells.Cell) *placer {
	t.Helper()
	slices.SortFunc(rows, func(a, b cells.Cell) int { return cmp.Compare(a.ID, b.ID) })
	table, err := cells.New(rows)
	if err != nil {
		t.Fatal(err)
	}
	return newPlacer(table, steps(), precisionCap)
}

// classAt is the row of the class around a place.
func classAt(t testing.TB, p *placer, lat, lon float64) int {
	t.Helper()
	row, ok := p.cells.Find(lat, lon)
	if !ok {
		t.Fatalf("no class at %v, %v", lat, lon)
	}
	return row
}

// italy has two classes in Rome, one in Milan, one in Paris.
func italy(t testing.TB, precisionCap int) *placer {
	lazio := cells.Place{CountryCode: "IT", Country: "Italy", Region: "Lazio", Share: 1}
	return placerOf(t, precisionCap,
		cellAt(41.8902, 12.4922, 13, 30, lazio), // the Colosseum
		cellAt(41.9022, 12.4539, 13, 10, lazio), // St Peter's
		cellAt(45.4641, 9.1919, 10, 20, cells.Place{CountryCode: "IT", Country: "Italy", Region: "Lombardy", Share: 1}),
		cellAt(48.8566, 2.3522, 10, 40, cells.Place{CountryCode: "FR", Country: "France", Region: "Île-de-France", Share: 1}),
	)
}

func TestAnswerWithoutCap(t *testing.T) {
	p := italy(t, 30)
	colosseum, peter := classAt(t, p, 41.8902, 12.4922), classAt(t, p, 41.9022, 12.4539)
	got := p.answer("lstm", []Candidate{{colosseum, 0.4}, {peter, 0.35}, {classAt(t, p, 45.4641, 9.1919), 0.1}})
	if got.Abstained || got.Level != 13 || got.Cell != p.cells.At(colosseum).ID.ToToken() {
		t.Errorf("answered %+v", got)
	}
	if got.Lat != 41.8902 || got.Lon != 12.4922 || got.Confidence != 0.4 || got.RadiusP50 != 1e5 || got.RadiusP90 != 1e6 {
		t.Errorf("located %+v", got)
	}
	if want := (Place{"IT", "Italy", "Lazio"}); got.Place != want {
		t.Errorf("place %+v, want %+v", got.Place, want)
	}
	if want := []string{"13", "133", "132f", "132f7", "132f61", "132f61b"}; !slices.Equal(got.Ancestors, want) {
		t.Errorf("ancestors %v", got.Ancestors)
	}
	// Neither class has half of the probability, both together have.
	if r := got.Rollup; math.Abs(r.P-0.75) > 1e-9 || r.Level >= 13 || r.Level < 8 || cells.DistanceMetres(r.Lat, r.Lon, 41.8932, 12.4826) > 500 {
		t.Errorf("rolled up to %+v", r)
	}
	want := -(0.4*math.Log(0.4) + 0.35*math.Log(0.35) + 0.1*math.Log(0.1) + 0.15*math.Log(0.15))
	if math.Abs(got.Entropy-want) > 1e-9 {
		t.Errorf("entropy %v, want %v", got.Entropy, want)
	}
}

func TestAnswerWithCap(t *testing.T) {
	p := italy(t, 8)
	if len(p.areas) != 3 {
		t.Fatalf("%d areas, want Rome, Milan, Paris", len(p.areas))
	}
	// Paris is the likeliest class, Rome the likeliest area.
	paris, colosseum, peter := classAt(t, p, 48.8566, 2.3522), classAt(t, p, 41.8902, 12.4922), classAt(t, p, 41.9022, 12.4539)
	got := p.answer("single", []Candidate{{paris, 0.4}, {colosseum, 0.3}, {peter, 0.3}})
	if got.Level != 8 || got.Cell != "132f7" || got.Place.Region != "Lazio" {
		t.Errorf("answered %+v", got)
	}
	// Thirty photos at the Colosseum pull three times as hard as ten.
	if d := cells.DistanceMetres(got.Lat, got.Lon, 41.8932, 12.4826); d > 100 {
		t.Errorf("located at %v, %v, %.0f m from the mean", got.Lat, got.Lon, d)
	}
	if got.Confidence != 0.4 {
		t.Errorf("confidence %v, want that of the likeliest class, which was calibrated", got.Confidence)
	}
	sure := p.answer("single", []Candidate{{colosseum, 0.9}})
	if half := cells.HalfDiagonal(p.areas[p.areaOf[colosseum]].id); sure.RadiusP50 != half || sure.RadiusP90 != max(20000, half) {
		t.Errorf("radii %v and %v in a cell with half diagonal %v", sure.RadiusP50, sure.RadiusP90, half)
	}
	if len(got.Candidates) != 2 || math.Abs(got.Candidates[0].P-0.6) > 1e-9 || got.Candidates[1].P != 0.4 {
		t.Errorf("candidates %+v", got.Candidates)
	}
}

func TestAnswerAbstains(t *testing.T) {
	p := italy(t, 30)
	thin := []Candidate{{0, 0.19}, {1, 0.18}}
	if got := p.answer("single", thin); !got.Abstained || got.Entropy == 0 || len(got.Candidates) != 2 {
		t.Errorf("thin evidence: %+v", got)
	}
	if got := p.answer("none", []Candidate{{0, 0.2}}); got.Abstained {
		t.Errorf("just enough evidence: %+v", got)
	}
	tests := []struct {
		name string
		mode string
		top  []Candidate
	}{
		{"no classes at all", "single", nil},
		{"a probability that is no number", "single", []Candidate{{0, math.NaN()}}},
		{"a second that is no number", "single", []Candidate{{0, 0.5}, {1, math.NaN()}}},
		{"a negative probability", "single", []Candidate{{0, -0.5}}},
		{"more than certainty", "single", []Candidate{{0, 1.5}}},
		{"more than certainty together", "single", []Candidate{{0, 0.8}, {1, 0.8}}},
		{"infinity", "single", []Candidate{{0, math.Inf(1)}}},
		{"a class the bundle does not have", "single", []Candidate{{4, 0.5}}},
		{"a class before the first", "single", []Candidate{{-1, 0.5}}},
		{"the greatest last", "single", []Candidate{{0, 0.1}, {1, 0.5}}},
		{"a mode without calibration", "lstm_thrice", []Candidate{{0, 0.9}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := p.answer(tt.mode, tt.top); !reflect.DeepEqual(got, Answer{Abstained: true}) {
				t.Errorf("got %+v, want an empty abstention", got)
			}
		})
	}
}

func TestPlaceOf(t *testing.T) {
	italian := cells.Place{CountryCode: "IT", Country: "Italy", Region: "Lazio"}
	with := func(p cells.Place, region string, share float64) cells.Place {
		p.Region, p.Share = region, share
		return p
	}
	french := cells.Place{CountryCode: "FR", Country: "France"}
	tests := []struct {
		name   string
		places [][]cells.Place // of classes with 10, 20, … photos
		want   Place
	}{
		{"nothing is known", [][]cells.Place{nil}, Place{}},
		{"one region", [][]cells.Place{{with(italian, "Lazio", 1)}}, Place{"IT", "Italy", "Lazio"}},
		{"half is enough", [][]cells.Place{{with(italian, "Lazio", 0.5), with(french, "Corse", 0.3)}}, Place{"IT", "Italy", "Lazio"}},
		{"a country of many regions", [][]cells.Place{{with(italian, "Lazio", 0.4), with(italian, "Umbria", 0.35), with(french, "Corse", 0.25)}}, Place{"IT", "Italy", ""}},
		{"a border", [][]cells.Place{{with(italian, "Liguria", 0.4), with(french, "Var", 0.3)}}, Place{}},
		{"the busier class decides", [][]cells.Place{{with(french, "Var", 1)}, {with(italian, "Liguria", 1)}}, Place{"IT", "Italy", "Liguria"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var rows []cells.Cell
			for i, places := range tt.places {
				rows = append(rows, cellAt(10, 11.5+float64(i)/10, 10, int64(10*(i+1)), places...))
			}
			p := placerOf(t, 3, rows...)
			if len(p.areas) != 1 || p.areas[0].place != tt.want {
				t.Errorf("got %+v, want one area in %+v", p.areas, tt.want)
			}
		})
	}
}
