package enrich

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/parquet-go/parquet-go"
	"pgregory.net/rapid"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
	"planetag/enrich/infer"
)

const withGallery = "testdata/gallery"

func loadGallery(t testing.TB) *Model {
	t.Helper()
	return loadTiny(t, func(o *Options) { o.Bundle = withGallery })
}

// TestPlacesAddUpToCells has many weak places win over one strong place.
func TestPlacesAddUpToCells(t *testing.T) {
	g := &gallery{cellOf: []int{1, 0, 0, 0, 2}}
	got := g.fold([]Candidate{{0, 0.375}, {2, 0.25}, {1, 0.125}, {3, 0.125}, {4, 0.0625}})
	if want := []Candidate{{0, 0.5}, {1, 0.375}, {2, 0.0625}}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := g.fold(nil); len(got) != 0 {
		t.Errorf("nothing becomes %v", got)
	}
}

func TestFoldingKeepsTheMassInAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		places := rapid.SliceOfN(rapid.IntRange(0, 7), 1, 40).Draw(t, "cells of the places")
		g := &gallery{cellOf: places}
		rows := rapid.Permutation(rowNumbers(len(places))).Draw(t, "rows")[:rapid.IntRange(1, len(places)).Draw(t, "k")]
		weights := rapid.SliceOfN(rapid.Float64Range(0, 1), len(rows), len(rows)).Draw(t, "weights")
		top := make([]Candidate, len(rows))
		sum, least := 0.0, map[int]float64{}
		for i, row := range rows {
			top[i] = Candidate{row, weights[i] / float64(len(rows))}
			sum += top[i].P
			least[places[row]] += top[i].P
		}
		folded := g.fold(top)
		after := 0.0
		for i, c := range folded {
			after += c.P
			if math.Abs(c.P-least[c.Cell]) > 1e-12 {
				t.Fatalf("cell %d has %v, its places %v", c.Cell, c.P, least[c.Cell])
			}
			if i > 0 && byProbability(folded[i-1], c) >= 0 {
				t.Fatalf("not sorted, or a cell twice: %v", folded)
			}
		}
		if len(folded) != len(least) || math.Abs(after-sum) > 1e-12 {
			t.Fatalf("%v becomes %v", top, folded)
		}
		if again := g.fold(rapid.Permutation(top).Draw(t, "another order")); !slices.Equal(again, folded) {
			t.Fatalf("another order makes %v of %v", again, folded)
		}
	})
}

func TestAPhotoOfPlacesIsAnsweredWithCells(t *testing.T) {
	m := loadGallery(t)
	sights := see(t, m, red, green, blue, white, grey)
	for i, want := range []string{"Italy", "France", "United States", "Australia"} {
		got := m.Answer("single", sights[i].Top)
		if got.Place.Country != want || got.Abstained || len(sights[i].Top) >= m.Info().TopK {
			t.Errorf("photo %d is in %+v, want %s", i, got, want)
		}
	}
	if got := m.Answer("single", sights[4].Top); !got.Abstained {
		t.Errorf("grey is somewhere: %+v", got)
	}
	tops, err := m.Album(context.Background(), bundle.Average, membersOf(sights[:2]))
	if err != nil || len(tops) != 2 || math.Abs(tops[0].Top[0].P-0.5) > 0.01 {
		t.Errorf("Rome and Paris alike: %v, %v", tops, err)
	}
	if _, err := m.Album(context.Background(), bundle.LSTM, membersOf(sights)); !errors.Is(err, ErrMode) {
		t.Errorf("a mode that needs an album model: %v", err)
	}
}

func TestNumbersThatAreNoPlaceAreRefused(t *testing.T) {
	m := &Model{gallery: &gallery{cellOf: []int{0, 0, 1}}, info: Info{Cells: 2}}
	for name, out := range map[string]infer.Output{
		"beyond the gallery": {Prob: []float32{0.5}, Cell: []int64{3}},
		"negative":           {Prob: []float32{0.5}, Cell: []int64{-1}},
		"too much":           {Prob: []float32{0.9, 0.8}, Cell: []int64{0, 1}},
	} {
		if _, err := m.top(out); !errors.Is(err, ErrOutput) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// A row may be greater than the number of cells.
	if top, err := m.top(infer.Output{Prob: []float32{0.5, 0.25}, Cell: []int64{2, 0}}); err != nil || top[0] != (Candidate{1, 0.5}) {
		t.Errorf("got %v, %v", top, err)
	}
}

// spoil is a copy of the bundle with a gallery, in which one step of its maker
// went wrong.
func spoil(t *testing.T, sealed bool, change func(rows []place) []place) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(withGallery)); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "gallery.parquet")
	rows, err := parquet.ReadFile[place](path)
	if err != nil {
		t.Fatal(err)
	}
	if err := parquet.WriteFile(path, change(rows)); err != nil {
		t.Fatal(err)
	}
	if sealed {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		reseal(t, dir, "gallery.parquet", data)
	}
	return dir
}

type place struct {
	Lat float64 `parquet:"lat"`
	Lon float64 `parquet:"lon"`
}

func TestVerifyFindsATamperedGallery(t *testing.T) {
	swapped := func(rows []place) []place { slices.Reverse(rows); return rows }
	for _, tt := range []struct {
		name        string
		sealed      bool
		change      func([]place) []place
		check, want string
		kind        error
	}{
		{"other places", false, swapped, "files", "gallery.parquet: has ", bundle.ErrBundle},
		{"other places, and the sums to match", true, swapped, "golden", "red.jpg: cell 0", ErrGolden},
		{"a place too few", true, func(rows []place) []place { return rows[1:] }, "cells", "has 8 rows, bundle.yaml says 9", cells.ErrGallery},
		{"a place nowhere", true, func(rows []place) []place { rows[3].Lat = -91; return rows }, "cells", "row 3: -91, 12.4833 is not on the earth", cells.ErrGallery},
	} {
		t.Run(tt.name, func(t *testing.T) {
			report, err := Verify(context.Background(), Options{Library: library(t), Bundle: spoil(t, tt.sealed, tt.change)})
			if !errors.Is(err, tt.kind) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), ": "+tt.check+": ") {
				t.Errorf("got %v\nwant %v with %q\n%s", err, tt.kind, tt.want, report)
			}
		})
	}
}

func TestVerifyHoldsTheNetworkAgainstTheGallery(t *testing.T) {
	dir := spoil(t, true, func(rows []place) []place { return append(rows, place{1, 2}) })
	path := filepath.Join(dir, bundle.ManifestName)
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(strings.ReplaceAll(string(text), "count: 9", "count: 10")), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Verify(context.Background(), Options{Library: library(t), Bundle: dir})
	if !errors.Is(err, infer.ErrGraph) || !strings.Contains(err.Error(), "made for 9 classes, the bundle has 10") {
		t.Errorf("got %v", err)
	}
}

func TestVerifyAcceptsAGallery(t *testing.T) {
	report, err := Verify(context.Background(), Options{Library: library(t), Bundle: withGallery})
	if err != nil || !report.OK() || !strings.Contains(report.String(), "a gallery of 9 places, 1 of them in no cell") || !strings.Contains(report.String(), "no album model") {
		t.Errorf("%v\n%s", err, report)
	}
}

func BenchmarkFold(b *testing.B) {
	g := &gallery{cellOf: make([]int, 100_000)}
	for i := range g.cellOf {
		g.cellOf[i] = i * 7919 % 5000
	}
	top := make([]Candidate, 256)
	for i := range top {
		top[i] = Candidate{i * 331 % 100_000, 1 / float64(256+i)}
	}
	for b.Loop() {
		g.fold(top)
	}
}
