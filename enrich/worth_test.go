package enrich

import (
	"encoding/json"
	"math"
	"os"
	"testing"

	"github.com/golang/geo/s2"
	"pgregory.net/rapid"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
)

// byExpectedError is the calibration of a bundle that judges by expected error:
// up to 100 km, up to 1000 km, and what is beyond is not answered.
func byExpectedError() bundle.Calibration {
	table := steps()["single"]
	table.Expected = &bundle.Expected{Tables: []bundle.ExpectedTable{
		{
			AbstainAbove: 2e6,
			Radius:       []bundle.ExpectedRadius{{From: 0, P50: 3000, P90: 30000}, {From: 1e5, P50: 1e5, P90: 9e5}, {From: 1e6, P50: 8e5, P90: 5e6}},
		},
		{CellRadius: 25000, AbstainAbove: 3e5, Radius: []bundle.ExpectedRadius{{From: 0, P50: 2e5, P90: 6e5}}},
	}}
	return table
}

func TestExpectedError(t *testing.T) {
	p := italy(t, 30)
	colosseum, peter := classAt(t, p, 41.8902, 12.4922), classAt(t, p, 41.9022, 12.4539)
	milan, paris := classAt(t, p, 45.4641, 9.1919), classAt(t, p, 48.8566, 2.3522)
	const rome, toMilan, toParis = 3436.8, 477.78e3, 1105.78e3 // metres from the Colosseum
	tests := []struct {
		name string
		top  []Candidate
		want float64
	}{
		{"sure", []Candidate{{colosseum, 1}}, 0},
		{"sure of the town, not of the house", []Candidate{{colosseum, 0.6}, {peter, 0.4}}, 0.4 * rome},
		{"sure of the country", []Candidate{{colosseum, 0.6}, {milan, 0.4}}, 0.4 * toMilan},
		{"two countries", []Candidate{{colosseum, 0.5}, {milan, 0.25}, {paris, 0.25}}, 0.25*toMilan + 0.25*toParis},
		{"half of it anywhere", []Candidate{{colosseum, 0.5}}, 0.5 * anywhere},
		{"float32 sums a little beyond one", []Candidate{{colosseum, 1.0004}}, 0},
	}
	for _, tt := range tests {
		if got := p.expectedError(tt.top); math.Abs(got-tt.want) > 0.002*tt.want {
			t.Errorf("%s: expected error %.0f m, want %.0f", tt.name, got, tt.want)
		}
	}
}

func TestExpectedErrorJudges(t *testing.T) {
	p := italy(t, 30)
	p.calibration = map[string]bundle.Calibration{"single": byExpectedError()}
	colosseum, peter := classAt(t, p, 41.8902, 12.4922), classAt(t, p, 41.9022, 12.4539)
	milan, paris := classAt(t, p, 45.4641, 9.1919), classAt(t, p, 48.8566, 2.3522)
	tests := []struct {
		name      string
		top       []Candidate
		abstained bool
		p50, p90  float64
	}{
		// By confidence the first would have been refused and the last answered.
		{"low confidence, one town", []Candidate{{colosseum, 0.19}, {peter, 0.19}, {milan, 0}}, true, 8e5, 5e6},
		{"one town", []Candidate{{colosseum, 0.5}, {peter, 0.5}}, false, 3000, 30000},
		{"one country", []Candidate{{colosseum, 0.55}, {milan, 0.45}}, false, 1e5, 9e5},
		{"two countries and a rest", []Candidate{{paris, 0.6}, {colosseum, 0.3}}, false, 8e5, 5e6},
		{"a third is anywhere", []Candidate{{paris, 0.66}}, true, 8e5, 5e6},
	}
	for _, tt := range tests {
		got := p.answer("single", tt.top)
		if got.Abstained != tt.abstained || got.RadiusP50 != tt.p50 || got.RadiusP90 != tt.p90 {
			t.Errorf("%s: expected error %.0f m, abstained %v, radii %v and %v", tt.name, got.ExpectedError, got.Abstained, got.RadiusP50, got.RadiusP90)
		}
	}
}

// A cell whose photos are spread over a country is calibrated apart, and its
// spread counts as expected error.
func TestExpectedErrorKnowsBroadCells(t *testing.T) {
	rome, france := cellAt(41.8902, 12.4922, 13, 30), cellAt(46.5, 2.5, 4, 40)
	rome.RadiusP50, france.RadiusP50 = 500, 250e3
	p := placerOf(t, 30, rome, france)
	p.calibration = map[string]bundle.Calibration{"single": byExpectedError()}
	in, around := classAt(t, p, 41.8902, 12.4922), classAt(t, p, 46.5, 2.5)
	building, country := p.answer("single", []Candidate{{in, 1}}), p.answer("single", []Candidate{{around, 1}})
	if building.ExpectedError != 500 || building.RadiusP90 != 30000 || building.Abstained {
		t.Errorf("a building: %+v", building)
	}
	if country.ExpectedError != 250e3 || country.RadiusP90 != 6e5 || country.Abstained {
		t.Errorf("a country: %+v", country)
	}
	if unsure := p.answer("single", []Candidate{{around, 0.95}, {in, 0.05}}); unsure.Abstained || unsure.ExpectedError < 250e3 {
		t.Errorf("a country, nearly sure: %+v", unsure)
	}
	if unsure := p.answer("single", []Candidate{{around, 0.9}}); !unsure.Abstained {
		t.Errorf("a country or anything else: %+v", unsure)
	}
}

// The likeliest of many cells may be a building's, too: that is no building seen.
func TestExpectedErrorKnowsUnsureAnswers(t *testing.T) {
	p := italy(t, 30)
	table := byExpectedError()
	table.Expected.UnsureBelow = 0.45
	p.calibration = map[string]bundle.Calibration{"single": table}
	colosseum, peter := classAt(t, p, 41.8902, 12.4922), classAt(t, p, 41.9022, 12.4539)
	sure, unsure := p.answer("single", []Candidate{{colosseum, 0.55}, {peter, 0.45}}), p.answer("single", []Candidate{{colosseum, 0.44}, {peter, 0.43}})
	if sure.RadiusP90 != 30000 {
		t.Errorf("sure of a building: %+v", sure)
	}
	if unsure.RadiusP50 != 2e5 || unsure.RadiusP90 != 6e5 || unsure.AbstainAbove != 2e6 || unsure.Abstained {
		t.Errorf("a building among others, with the radius of a region and the limit of its cell: %+v", unsure)
	}
}

func TestCountryProbability(t *testing.T) {
	border := []cells.Place{{CountryCode: "IT", Country: "Italy", Region: "Aosta", Share: 0.75}, {CountryCode: "FR", Country: "France", Region: "Savoy", Share: 0.25}}
	p := placerOf(t, 30,
		cellAt(41.8902, 12.4922, 10, 30, cells.Place{CountryCode: "IT", Country: "Italy", Region: "Lazio", Share: 1}),
		cellAt(45.7, 7.1, 8, 8, border...),
		cellAt(48.8566, 2.3522, 10, 40, cells.Place{CountryCode: "FR", Country: "France", Region: "Île-de-France", Share: 1}),
		cellAt(0, -30, 5, 3),
	)
	rome, aosta := classAt(t, p, 41.8902, 12.4922), classAt(t, p, 45.7, 7.1)
	paris, ocean := classAt(t, p, 48.8566, 2.3522), classAt(t, p, 0, -30)
	tests := []struct {
		name    string
		top     []Candidate
		country string
		want    float64
	}{
		{"one country is sure", []Candidate{{rome, 1}}, "IT", 1},
		{"a border counts by its shares", []Candidate{{aosta, 0.5}, {rome, 0.3}, {paris, 0.2}}, "IT", 0.5*0.75 + 0.3},
		{"the other side of the border helps Paris", []Candidate{{paris, 0.6}, {aosta, 0.4}}, "FR", 0.6 + 0.4*0.25},
		{"what is not listed counts for nobody", []Candidate{{rome, 0.4}}, "IT", 0.4},
		{"nobody's water", []Candidate{{ocean, 0.9}, {rome, 0.1}}, "", 0},
	}
	for _, tt := range tests {
		got := p.answer("single", tt.top)
		if got.Place.CountryCode != tt.country || math.Abs(got.CountryP-tt.want) > 1e-9 {
			t.Errorf("%s: %q with %v, want %q with %v", tt.name, got.Place.CountryCode, got.CountryP, tt.country, tt.want)
		}
	}
}

// More probability on the published class never makes the answer worth less.
func TestExpectedErrorFallsWithCertainty(t *testing.T) {
	p := italy(t, 30)
	rapid.Check(t, func(t *rapid.T) {
		first := rapid.Float64Range(0.4, 1).Draw(t, "p of the most probable class")
		rest := rapid.Float64Range(0, 1-first).Draw(t, "p of the second")
		more := rapid.Float64Range(0, rest).Draw(t, "moved to the first")
		a, b := rapid.IntRange(0, 3).Draw(t, "class"), rapid.IntRange(0, 3).Draw(t, "other class")
		if a == b || rest > first {
			t.Skip("not a list of two classes")
		}
		before := p.expectedError([]Candidate{{a, first}, {b, rest}})
		after := p.expectedError([]Candidate{{a, first + more}, {b, rest - more}})
		if after > before+1e-6 || before > math.Pi*cells.EarthRadius {
			t.Fatalf("expected error %v m became %v m", before, after)
		}
	})
}

// The same file is read by the test of training's function (train/tests):
// the calibration means what it says only if both compute one number.
func TestExpectedErrorIsTrainings(t *testing.T) {
	text, err := os.ReadFile("testdata/expected_error.json")
	if err != nil {
		t.Fatal(err)
	}
	var table struct {
		Cells []struct {
			Token    string
			Lat, Lon float64
			Radius   float64 `json:"radius_p50_m"`
		}
		Answers []struct {
			Name     string
			Prob     []float64
			Cell     []int
			Expected float64 `json:"expected_error_m"`
		}
	}
	if err := json.Unmarshal(text, &table); err != nil {
		t.Fatal(err)
	}
	rows := make([]cells.Cell, len(table.Cells))
	for i, c := range table.Cells {
		rows[i] = cells.Cell{ID: s2.CellIDFromToken(c.Token), Lat: c.Lat, Lon: c.Lon, Photos: 1, RadiusP50: c.Radius}
	}
	p := placerOf(t, 30, rows...)
	for _, a := range table.Answers {
		top := make([]Candidate, len(a.Prob))
		for i := range top {
			top[i] = Candidate{Cell: a.Cell[i], P: a.Prob[i]}
		}
		if got := p.expectedError(top); math.Abs(got-a.Expected) > 1 {
			t.Errorf("%s: %.1f m, training has %.1f", a.Name, got, a.Expected)
		}
	}
	if len(table.Answers) < 6 {
		t.Errorf("only %d answers compared", len(table.Answers))
	}
}
