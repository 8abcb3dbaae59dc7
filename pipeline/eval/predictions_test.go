package eval

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// file writes text into a folder of its own.
func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// others is what somebody's system answered: on the spot, 15 km off, 344 km off, and Paris for New York.
const others = `model,id,lat,lon,pred_lat,pred_lon,confidence,album
x,spot,48.8566,2.3522,48.8566,2.3522,0.9,a
x,near,48.8566,2.3522,48.8566,2.5522,0.8,a
x,london,51.5074,-0.1278,48.8566,2.3522,0.3,
x,lost,40.7128,-74.0060,48.8566,2.3522,0.1,
`

func TestPredictionsAreScoredWithoutAModel(t *testing.T) {
	got, err := Run(context.Background(), Options{Predictions: file(t, "others.csv", others)})
	if err != nil {
		t.Fatal(err)
	}
	s := got.Modes["predictions"]
	if got.N != 4 || got.Photos != 4 || s.N != 4 || s.Within1km != 0.25 || s.Within25km != 0.5 || s.Within200km != 0.5 || s.Within750km != 0.75 || s.Within2500km != 0.75 {
		t.Errorf("scores: n %d, %+v", got.N, s.Figures)
	}
	if got.DefaultMode != "predictions" || len(got.Baselines) != 0 || got.Calibrated != nil {
		t.Errorf("there is one mode, no baseline and nothing that was calibrated: %+v", got)
	}
	// The confident half is within 25 km; so confidence tells something.
	if c := got.Risk["predictions"]; len(c.Points) != 4 || c.Points[1].Within25km != 1 || c.Area25km >= 0.5 {
		t.Errorf("risk and coverage: %+v", c)
	}
	if got.Split.Units != 3 || got.AlbumPhotos != 2 || s.Intervals == nil {
		t.Errorf("two photos of four share an album: %+v", got.Split)
	}
}

func TestPredictionsWithoutConfidenceHaveNoCurve(t *testing.T) {
	got, err := Run(context.Background(), Options{Predictions: file(t, "p.csv", "id,lat,lon,pred_lat,pred_lon\na,1,1,1,1\n")})
	if err != nil || got.Risk != nil || got.Modes["predictions"].Within1km != 1 || got.Modes["predictions"].Intervals != nil {
		t.Errorf("one photo, no confidence: %v, %+v", err, got)
	}
}

func TestReadPredictionsRefuses(t *testing.T) {
	const header = "id,lat,lon,pred_lat,pred_lon,confidence\n"
	for _, row := range []struct{ story, text, says string }{
		{"an empty file", "", "the file is empty"},
		{"a list of truths", "id,lat,lon\na,1,1\n", "missing column pred_lat, pred_lon (the header has: \"id\" \"lat\" \"lon\")"},
		{"nobody predicted", header, "no rows"},
		{"a word", header + "a,1,1,north,1,1\n", `line 2, column pred_lat: "north" is not a number; write degrees`},
		{"no answer", header + "a,1,1,1,1,1\nb,1,1,,,0\n", "line 3, column pred_lat: empty"},
		{"not a number", header + "a,1,1,1,nan,1\n", `line 2, column pred_lon: "nan" is not a place`},
		{"swapped prediction", header + "a,1,1,139.7,35.7,1\n", "line 2, column pred_lat: 139.7 is outside -90…90 and pred_lon is 35.7: they look swapped"},
		{"swapped truth", header + "a,139.7,35.7,1,1,1\n", "line 2, column lat: 139.7 is outside"},
		{"no confidence in one row", header + "a,1,1,1,1,\n", `line 2, column confidence: "" is not a number; fill the column in every row, or leave it out`},
		{"confidence NaN", header + "a,1,1,1,1,NaN\n", `line 2, column confidence: "NaN"`},
		{"confidence without end", header + "a,1,1,1,1,Inf\n", `line 2, column confidence: "Inf"`},
		{"two answers to one photo", header + "a,1,1,1,1,1\na,1,1,1,1,1\n", `line 3, column id: "a" was already used on line 2`},
	} {
		_, err := ReadPredictions(strings.NewReader(row.text), "p.csv")
		if !errors.Is(err, ErrPredictions) || !strings.Contains(err.Error(), row.says) || !strings.Contains(err.Error(), "p.csv") {
			t.Errorf("%s: error %v, want ErrPredictions saying %q", row.story, err, row.says)
		}
	}
	if _, err := ReadPredictionsFile("no/such/file.csv"); !errors.Is(err, ErrPredictions) || !strings.Contains(err.Error(), "no/such/file.csv") {
		t.Errorf("got %v", err)
	}
}

func TestSwappedColumnsAreSuspected(t *testing.T) {
	// Every number is possible, but all answers are right once latitude and longitude change places.
	var right, wrong strings.Builder
	right.WriteString("id,lat,lon,pred_lat,pred_lon\n")
	wrong.WriteString("id,lon,lat,pred_lat,pred_lon\n")
	for i := range 6 {
		line := fmt.Sprintf("p%d,%d,%d,%d.1,%d.1\n", i, 40+i, 2*i, 40+i, 2*i)
		right.WriteString(line)
		wrong.WriteString(line)
	}
	got, err := Run(context.Background(), Options{Predictions: file(t, "wrong.csv", wrong.String())})
	if err != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "look swapped") {
		t.Errorf("swapped: %v, notes %q", err, got.Notes)
	}
	if got, err = Run(context.Background(), Options{Predictions: file(t, "right.csv", right.String())}); err != nil || len(got.Notes) != 0 {
		t.Errorf("as it should be: %v, notes %q", err, got.Notes)
	}
}

func TestTwoFilesOfPredictionsAreCompared(t *testing.T) {
	better := strings.Replace(others, "48.8566,2.3522,0.3", "51.5074,-0.1278,0.3", 1)
	better = strings.Replace(better, "x,spot", "x,another", 1) // that photo the other system was not asked
	got, err := Run(context.Background(), Options{Predictions: file(t, "others.csv", others), Compare: file(t, "better.csv", better)})
	if err != nil || len(got.Comparisons) != 1 {
		t.Fatalf("%v, %+v", err, got.Comparisons)
	}
	c := got.Comparisons[0]
	if c.N != 3 || c.Within200km.Difference > -0.33 || c.Within200km.Difference < -0.34 || *c.Within200km.FirstBetter > 0.5 || c.Within25km.Difference < -0.34 {
		t.Errorf("the second is right about London: %+v", c)
	}
	if !strings.HasSuffix(c.First, "others.csv predictions") || !strings.HasSuffix(c.Second, "better.csv predictions") || len(got.Notes) != 1 {
		t.Errorf("names and notes: %q, %q, %q", c.First, c.Second, got.Notes)
	}
	_, err = Run(context.Background(), Options{
		Predictions: file(t, "others.csv", others),
		Compare:     file(t, "strangers.csv", "id,lat,lon,pred_lat,pred_lon\nz,1,1,1,1\n"),
	})
	if !errors.Is(err, ErrPhotos) || !strings.Contains(err.Error(), "no photo in common") {
		t.Errorf("strangers: %v", err)
	}
}
