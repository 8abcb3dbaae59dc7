package divide

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"planetag/enrich/cells"
	"planetag/enrich/cells/gazetteer"
)

// names are opened once for all tests: that is most of the time of a small build.
var names = sync.OnceValues(gazetteer.Open)

func rules(most, least int64) Options {
	opened, err := names()
	if err != nil {
		panic(err)
	}
	return Options{Rules: Rules{MaxPhotos: most, MinPhotos: least, MinLevel: 2, MaxLevel: 16}, Memory: 1 << 30, Names: opened}
}

// write puts text into a file of the test.
func write(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// build divides by files.
func build(t testing.TB, o Options, columns Columns, paths ...string) (Result, error) {
	t.Helper()
	source, err := Open(paths, columns)
	if err != nil {
		t.Fatal(err)
	}
	return Build(context.Background(), source, o)
}

// world is a CSV of n points around a few places, the antimeridian and a pole
// among them.
func world(n int) []string {
	random := rand.New(rand.NewPCG(7, 7))
	centres := [][2]float64{{41.9, 12.5}, {-17, 179.99}, {89.99, 0}, {48.85, 2.35}, {-33.9, 18.4}}
	rows := make([]string, n)
	for i := range rows {
		at := centres[random.IntN(len(centres))]
		lat := min(max(at[0]+random.NormFloat64(), -90), 90)
		lon := at[1] + 2*random.NormFloat64()
		if lon > 180 {
			lon -= 360
		}
		rows[i] = fmt.Sprintf("%d,%.6f,%.6f,%d", i, lat, lon, random.IntN(40))
	}
	return rows
}

const header = "id,lat,lon,user\n"

// bytesOf is the file that a build writes.
func bytesOf(t testing.TB, o Options, r Result) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encode(&out, r.Rows, r.Recipe(o, Recipe{})); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestTheSamePointsGiveTheSameBytes(t *testing.T) {
	rows := world(30_000)
	for _, who := range []string{"", "user"} {
		o := rules(300, 5)
		o.Photographers = who != ""
		columns := Columns{Photographer: who}
		whole := write(t, "whole.csv", header+strings.Join(rows, "\n"))
		first, err := build(t, o, columns, whole)
		if err != nil {
			t.Fatal(err)
		}
		want := bytesOf(t, o, first)

		shuffled := slices.Clone(rows)
		rand.New(rand.NewPCG(1, 2)).Shuffle(len(shuffled), func(i, j int) { shuffled[i], shuffled[j] = shuffled[j], shuffled[i] })
		parts := []string{
			write(t, "a.csv", header+strings.Join(shuffled[:9000], "\n")+"\n"),
			write(t, "b.csv", header+strings.Join(shuffled[9000:], "\r\n")),
		}
		spilled := o
		spilled.Memory, spilled.TempDir = 1, t.TempDir()
		for story, again := range map[string]func() (Result, error){
			"in another order, from two files": func() (Result, error) { return build(t, o, columns, parts...) },
			"with no memory for points":        func() (Result, error) { return build(t, spilled, columns, parts...) },
			"on one core": func() (Result, error) {
				defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
				return build(t, o, columns, whole)
			},
		} {
			got, err := again()
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(bytesOf(t, o, got), want) {
				t.Errorf("photographer %q, %s: other cells", who, story)
			}
		}
		if left, _ := os.ReadDir(spilled.TempDir); len(left) > 0 {
			t.Errorf("%d files were left behind", len(left))
		}
	}
}

func TestBuiltCellsAreGoodForABundle(t *testing.T) {
	o := rules(300, 5)
	result, err := build(t, o, Columns{}, write(t, "w.csv", header+strings.Join(world(20_000), "\n")))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "cells.parquet")
	if err := Write(path, result.Rows, result.Recipe(o, Recipe{Inputs: []string{"w.csv"}})); err != nil {
		t.Fatal(err)
	}
	table, err := cells.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	kept := int64(0)
	for i := range table.Len() {
		row := table.At(i)
		kept += row.Photos
		if row.Photos < 5 || len(row.Places) == 0 {
			t.Errorf("row %d: %+v", i, row)
		}
	}
	if kept+result.Dropped.Photos != 20_000 || result.Photos != 20_000 {
		t.Errorf("%d kept and %d dropped of %d", kept, result.Dropped.Photos, result.Photos)
	}
	recipe, ok, err := ReadRecipe(path)
	if err != nil || !ok || recipe.Cells != table.Len() || recipe.Rules != o.Rules || recipe.Inputs[0] != "w.csv" {
		t.Errorf("recipe %+v, %v, %v", recipe, ok, err)
	}
}

func TestARowTellsWhereItsPhotosAre(t *testing.T) {
	// Two towns of Fiji on either side of the antimeridian, one three times as busy.
	text := header
	for i := range 40 {
		lon := []float64{179.95, 179.95, 179.95, -179.95}[i%4]
		text += fmt.Sprintf("%d,-16.8,%v,x\n", i, lon)
	}
	o := rules(100, 1)
	o.Rules.MinLevel = 0
	result, err := build(t, o, Columns{}, write(t, "fiji.csv", text))
	if err != nil {
		t.Fatal(err)
	}
	// The antimeridian runs through the middle of a face of the cube: at level 0 it is one cell.
	if len(result.Rows) != 1 || result.Rows[0].Photos != 40 {
		t.Fatalf("%+v", result.Rows)
	}
	row := result.Rows[0]
	if math.Abs(row.Lat+16.8) > 1e-4 || math.Abs(row.Lon-179.975) > 1e-6 {
		t.Errorf("the mean of Fiji is at %v, %v", row.Lat, row.Lon)
	}
	if len(row.Places) != 1 || row.Places[0].CountryCode != "FJ" || row.Places[0].Country != "Fiji" || row.Near.CountryCode != "FJ" {
		t.Errorf("places %+v, near %+v", row.Places, row.Near)
	}
	// A degree of longitude has 106 km here: the busy town is 2.7 km away, the other 8.
	if math.Abs(row.RadiusP50-2661) > 10 || math.Abs(row.RadiusP90-7984) > 30 {
		t.Errorf("radii %v and %v m", row.RadiusP50, row.RadiusP90)
	}
}

func TestAMillionCopiesOfOnePoint(t *testing.T) {
	source := &simulated{Simulation{Points: 1_000_000}, [][2]float64{{51.5, -0.1}}}
	for _, photographers := range []bool{false, true} {
		o := rules(10_000, 1)
		o.Photographers = photographers
		result, err := Build(context.Background(), source, o)
		if err != nil {
			t.Fatal(err)
		}
		row := result.Rows[0]
		if len(result.Rows) != 1 || row.Photos != 1_000_000 || row.ID.Level() != 2 || row.RadiusP90 > 2 {
			t.Errorf("photographers %v: %d cells, %+v", photographers, len(result.Rows), row)
		}
		if counted := row.Counted; photographers && counted != 1 || !photographers && counted != 1_000_000 {
			t.Errorf("photographers %v: counted %d", photographers, counted)
		}
	}
}

func TestRadiiHoldTheirShare(t *testing.T) {
	source := &simulated{Simulation{Points: 50_000, JitterKm: 30, Seed: 3}, [][2]float64{{10, 20}}}
	o := rules(100_000, 1)
	o.Rules.MinLevel = 0
	result, err := Build(context.Background(), source, o)
	if err != nil || len(result.Rows) != 1 {
		t.Fatal(err, len(result.Rows))
	}
	// Of a normal distribution in two dimensions half lies within 1.1774 σ, nine tenths within 2.1460 σ.
	row := result.Rows[0]
	if math.Abs(row.RadiusP50/30e3-1.1774) > 0.05 || math.Abs(row.RadiusP90/30e3-2.1460) > 0.1 {
		t.Errorf("radii %.0f m and %.0f m", row.RadiusP50, row.RadiusP90)
	}
	if math.Abs(result.Oracle.MedianKm/(1.1774*30)-1) > 0.02 {
		t.Errorf("median %.2f km", result.Oracle.MedianKm)
	}
	if want := 1 - math.Exp(-25.0*25/2/30/30); math.Abs(result.Oracle.Within25km-want) > 0.01 {
		t.Errorf("%.3f within 25 km, want %.3f", result.Oracle.Within25km, want)
	}
}

func TestAnEndedContextEndsTheBuild(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	o := rules(1000, 1)
	o.Progress = func(string, int64, int64) { cancel() }
	_, err := Build(ctx, &simulated{Simulation{Points: 1 << 30}, [][2]float64{{0, 0}}}, o)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestNoRoomOnDisk(t *testing.T) {
	o := rules(1000, 1)
	o.Memory, o.TempDir = 1, filepath.Join(t.TempDir(), "no such folder")
	_, err := build(t, o, Columns{}, write(t, "w.csv", header+"1,1,1,x\n"))
	if err == nil || !strings.Contains(err.Error(), "make room for points") {
		t.Errorf("got %v", err)
	}
}
