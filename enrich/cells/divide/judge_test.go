package divide

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"

	"planetag/enrich/cells"
)

func TestJudge(t *testing.T) {
	leaf, _ := cells.Leaf(41.9, 12.5)
	at := leaf.Parent(8).LatLng()
	lat, lon := at.Lat.Degrees(), at.Lng.Degrees()
	table, err := cells.New([]cells.Cell{{ID: leaf.Parent(8), Lat: lat, Lon: lon, Photos: 1}})
	if err != nil {
		t.Fatal(err)
	}
	text := "lat,lon\n"
	for range 3 {
		text += "41.9,12.5\n"
	}
	text += "10,10\n" // in no cell
	source, err := Open([]string{write(t, "j.csv", text)}, Columns{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := Judge(context.Background(), table, source, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := cells.DistanceMetres(41.9, 12.5, lat, lon) / 1000
	if got.Photos != 4 || got.Outside != 0.25 || got.Within25km != 1 || math.Abs(got.MedianKm/want-1) > 0.005 {
		t.Errorf("%+v, the distance is %.3f km", got, want)
	}
	bad, err := Open([]string{write(t, "j.csv", "lat,lon\n1,1\n95,1\n")}, Columns{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Judge(context.Background(), table, bad, 0.1); !errors.Is(err, ErrRows) || !strings.Contains(err.Error(), "row 3") {
		t.Errorf("a bad row: %v", err)
	}
}
