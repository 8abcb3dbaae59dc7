package eval

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
)

// ErrPredictions marks a file of predictions that cannot be scored.
var ErrPredictions = errors.New("read predictions")

// Prediction is what somebody's system says about one photo, beside the truth.
type Prediction struct {
	Row
	PredLat, PredLon float64
	Confidence       float64 // what it claims; the scale is its own. 0 where Confident is false
}

// Predictions are those of one file.
type Predictions struct {
	Name      string
	Rows      []Prediction
	Confident bool // the file has a column confidence
}

// ReadPredictionsFile reads the predictions at path; see ReadPredictions.
func ReadPredictionsFile(path string) (Predictions, error) {
	f, err := os.Open(path)
	if err != nil {
		return Predictions{}, fmt.Errorf("%w: %w", ErrPredictions, err)
	}
	defer f.Close()
	return ReadPredictions(f, path)
}

// ReadPredictions reads a CSV with a header line that names at least id, lat, lon, pred_lat and pred_lon, in any order; of
// other columns confidence, album, source_repo (or source), file and taken_at are read and the rest is ignored. The error
// names the missing column, or the first bad rows by their line and column. The name is used in messages only.
func ReadPredictions(r io.Reader, name string) (Predictions, error) {
	p := Predictions{Name: name}
	s, err := openSheet(r, name, ErrPredictions, "id", "lat", "lon", "pred_lat", "pred_lon")
	if err != nil {
		return p, err
	}
	_, p.Confident = s.at["confidence"]
	seen := map[string]int{}
	err = s.read(func(line int, f fields) error {
		row, err := prediction(f, p.Confident)
		if err != nil {
			return err
		}
		if err := once(seen, row.ID, line); err != nil {
			return err
		}
		row.Line = line
		p.Rows = append(p.Rows, row)
		return nil
	})
	return p, err
}

func prediction(f fields, confident bool) (Prediction, error) {
	p := Prediction{Row: Row{ID: f("id"), File: f("file")}}
	if err := p.known(f); err != nil {
		return p, err
	}
	var err error
	if p.PredLat, p.PredLon, err = position(f, "pred_lat", "pred_lon"); err != nil || !confident {
		return p, err
	}
	text := f("confidence")
	if p.Confidence, err = strconv.ParseFloat(text, 64); err != nil || math.IsNaN(p.Confidence) || math.IsInf(p.Confidence, 0) {
		return p, wrong("confidence", "%q is not a number; fill the column in every row, or leave it out", text)
	}
	return p, nil
}
