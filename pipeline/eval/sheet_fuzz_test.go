package eval

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// Whatever the text is: it is refused with a reason, or every row of it is a place on the earth with a name of its own.
func FuzzReadPredictions(f *testing.F) {
	f.Add(others)
	f.Add("\ufeffid,lat,lon,pred_lat,pred_lon\na,1,1,1,1\n")
	f.Add("id,lat,lon,pred_lat,pred_lon,confidence\na,NaN,1e400,0x1p3,-0,\n\"b\n")
	f.Add("id,id,lat,lon,pred_lat,pred_lon\na,b,1,1,1,1\n")
	f.Fuzz(func(t *testing.T, text string) {
		p, err := ReadPredictions(strings.NewReader(text), "p.csv")
		if err != nil {
			if !errors.Is(err, ErrPredictions) || strings.ContainsAny(err.Error(), "\r") {
				t.Fatalf("error %q", err)
			}
			return
		}
		seen := map[string]bool{}
		for _, r := range p.Rows {
			for _, v := range []float64{r.Lat / 90, r.PredLat / 90, r.Lon / 180, r.PredLon / 180} {
				if !(math.Abs(v) <= 1) {
					t.Fatalf("not on the earth: %+v", r)
				}
			}
			if r.ID == "" || seen[r.ID] || math.IsNaN(r.Confidence-r.Confidence) || r.Line < 2 {
				t.Fatalf("row %+v", r)
			}
			seen[r.ID] = true
		}
		if len(p.Rows) == 0 {
			t.Fatal("nothing was read and nothing said")
		}
	})
}
