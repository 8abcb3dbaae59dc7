package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"math"
	"testing"

	"planetag/enrich/cells"
	"planetag/enrich/cells/gazetteer"
)

func world(t *testing.T) (*cells.Cells, *gazetteer.Gazetteer) {
	t.Helper()
	table, _, err := cells.Open("../testdata/wherml_excerpt.tsv")
	if err != nil {
		t.Fatal(err)
	}
	names, err := gazetteer.Open()
	if err != nil {
		t.Fatal(err)
	}
	return table, names
}

func TestSVGHasEveryCell(t *testing.T) {
	table, names := world(t)
	var out bytes.Buffer
	if err := SVG(&out, table, names, 800); err != nil {
		t.Fatal(err)
	}
	paths := 0
	for reader := xml.NewDecoder(&out); ; {
		token, err := reader.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("not well-formed: %v", err)
		}
		if start, ok := token.(xml.StartElement); ok && start.Name.Local == "path" {
			paths++
		}
	}
	want := 1 + len(table.Summary().Levels) // land, and the legend
	for i := range table.Len() {
		want += len(cells.Outline(table.At(i).ID))
	}
	if paths != want {
		t.Errorf("%d paths, want %d", paths, want)
	}
}

func TestPNGHasCellsWhereTheyAre(t *testing.T) {
	const width = 720
	table, names := world(t)
	var out, again bytes.Buffer
	if err := errors.Join(PNG(&out, table, names, width), PNG(&again, table, names, width)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(out.Bytes(), again.Bytes()) {
		t.Error("drawing twice gave other bytes")
	}
	picture, err := png.Decode(&out)
	if err != nil {
		t.Fatal(err)
	}
	coloured := func(lat, lon float64) bool {
		r, g, b, _ := picture.At(int((lon+180)*width/360), int((90-lat)*width/360)).RGBA()
		return max(r, g, b)-min(r, g, b) > 0x1800
	}
	drawn := 0
	for i := range table.Len() {
		if cell := table.At(i); cell.ID.Level() < 7 {
			at := cell.ID.LatLng()
			drawn++
			if !coloured(at.Lat.Degrees(), at.Lng.Degrees()) {
				t.Errorf("cell %s at %v has no colour", cell.ID.ToToken(), at)
			}
		}
	}
	if drawn == 0 {
		t.Error("no cell is large enough to look at")
	}
	// A point of the sea and one of land that no cell holds.
	for _, p := range [][2]float64{{-50, -120}, {-80, 60}} {
		if _, ok := table.Find(p[0], p[1]); !ok && coloured(p[0], p[1]) {
			t.Errorf("%v has the colour of a cell", p)
		}
	}
}

func TestShadesGoFromTheFirstLevelToTheLast(t *testing.T) {
	if a, b := shade(2, 2, 16), shade(16, 2, 16); a == b || a.R > a.B || b.R < b.B {
		t.Errorf("coarse %v, fine %v", a, b)
	}
	if math.Abs(float64(shade(9, 2, 16).G)-float64(shade(10, 2, 16).G)) > 40 {
		t.Error("neighbouring levels must look alike")
	}
	if only := shade(5, 5, 5); only.A == 0 {
		t.Errorf("a single level has the colour %v", only)
	}
}
