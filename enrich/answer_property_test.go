package enrich

import (
	"cmp"
	"math"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"planetag/enrich/cells"
)

// question is a random bundle and a random, valid model output.
type question struct {
	placer       *placer
	precisionCap int
	top          []Candidate
}

func drawQuestion(t *rapid.T) question {
	ids := rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) cells.ID {
		// Close together, so that the cap has something to merge.
		leaf, _ := cells.Leaf(rapid.Float64Range(40, 50).Draw(t, "lat"), rapid.Float64Range(5, 20).Draw(t, "lon"))
		return cells.Cap(leaf, rapid.IntRange(1, 16).Draw(t, "level"))
	}), 1, 30, rapid.ID).Draw(t, "cells")
	slices.Sort(ids)
	var rows []cells.Cell
	for _, id := range ids {
		if len(rows) > 0 && id.RangeMin() <= rows[len(rows)-1].ID.RangeMax() {
			continue
		}
		ll := id.LatLng()
		rows = append(rows, cells.Cell{ID: id, Lat: ll.Lat.Degrees(), Lon: ll.Lng.Degrees(), Photos: rapid.Int64Range(1, 1000).Draw(t, "photos")})
	}
	table, err := cells.New(rows)
	if err != nil {
		t.Fatal(err)
	}
	precisionCap := rapid.IntRange(1, 16).Draw(t, "cap")
	// Few different weights, so that equals are frequent.
	weights := rapid.SliceOfN(rapid.IntRange(0, 4), 1, len(rows)).Draw(t, "weights")
	total := rapid.IntRange(1, 20).Draw(t, "rest")
	for _, w := range weights {
		total += w
	}
	top := make([]Candidate, len(weights))
	for i, row := range rapid.Permutation(rowNumbers(len(rows))).Draw(t, "rows")[:len(weights)] {
		top[i] = Candidate{Cell: row, P: float64(weights[i]) / float64(total)}
	}
	slices.SortFunc(top, byProbability)
	return question{newPlacer(table, steps(), precisionCap), precisionCap, top}
}

func rowNumbers(n int) []int {
	numbers := make([]int, n)
	for i := range numbers {
		numbers[i] = i
	}
	return numbers
}

func TestNothingIsFinerThanTheCap(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		a := q.placer.answer("single", q.top)
		cell := parse(t, a.Cell)
		for _, l := range append([]Located{a.Rollup, {Token: a.Cell, Level: a.Level}}, a.Candidates...) {
			if l == (Located{}) {
				continue // no roll-up
			}
			if id := parse(t, l.Token); id.Level() != l.Level || l.Level > q.precisionCap {
				t.Fatalf("%+v with a cap of %d", l, q.precisionCap)
			}
		}
		for i, token := range a.Ancestors {
			if ancestor := parse(t, token); ancestor.Level() != 2*(i+1) || ancestor == cell || !ancestor.Contains(cell) {
				t.Fatalf("ancestors %v of %s", a.Ancestors, a.Cell)
			}
		}
		if made := q.placer.cells.FindID; a.RadiusP50 < cells.HalfDiagonal(cell) {
			if i, ok := made(cell); !ok || q.placer.cells.At(i).ID != cell {
				t.Fatalf("radius %v in a capped cell with half diagonal %v", a.RadiusP50, cells.HalfDiagonal(cell))
			}
		}
		leaf, ok := cells.Leaf(a.Lat, a.Lon)
		if !ok || !cell.Contains(leaf) {
			t.Fatalf("located at %v, %v outside %s", a.Lat, a.Lon, a.Cell)
		}
	})
}

func TestAnswersAreDistributions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		a := q.placer.answer("single", q.top)
		total, last := 0.0, 1.0
		for _, c := range a.Candidates {
			if !(c.P >= 0 && c.P <= last) {
				t.Fatalf("candidates %+v", a.Candidates)
			}
			total, last = total+c.P, c.P
		}
		if total > 1+1e-9 || len(a.Candidates) == 0 || len(a.Candidates) > 5 || a.Candidates[0].Token != a.Cell {
			t.Fatalf("candidates %+v add up to %v", a.Candidates, total)
		}
		if a.Confidence != q.top[0].P || a.Abstained != (a.Confidence < 0.2) {
			t.Fatalf("confidence %v, abstained %v, likeliest class %v", a.Confidence, a.Abstained, q.top[0].P)
		}
		if most := math.Log(float64(len(q.top) + 1)); !(a.Entropy >= 0 && a.Entropy <= most+1e-9) {
			t.Fatalf("entropy %v of %d classes and a rest", a.Entropy, len(q.top))
		}
		if !(a.RadiusP50 > 0 && a.RadiusP50 <= a.RadiusP90) {
			t.Fatalf("radii %v and %v", a.RadiusP50, a.RadiusP90)
		}
	})
}

func TestRollupAgreesWithAddingUpEveryAncestor(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		held := func(id cells.ID) float64 {
			sum := 0.0
			for _, c := range q.top {
				if id.Contains(cells.Cap(q.placer.cells.At(c.Cell).ID, q.precisionCap)) {
					sum += c.P
				}
			}
			return sum
		}
		finest, most := -1, 0.0
		for _, c := range q.top {
			id := cells.Cap(q.placer.cells.At(c.Cell).ID, q.precisionCap)
			for level := id.Level(); level > finest; level-- {
				if p := held(id.Parent(level)); p >= 0.5-1e-9 { // a half, in whatever order it is added up
					finest, most = level, p
				}
			}
		}
		got := q.placer.answer("single", q.top).Rollup
		if finest < 0 {
			if got != (Located{}) {
				t.Fatalf("rolled up to %+v, no cell holds half", got)
			}
			return
		}
		if got.Level != finest || math.Abs(got.P-most) > 1e-9 || math.Abs(held(parse(t, got.Token))-got.P) > 1e-9 {
			t.Fatalf("rolled up to %+v, want level %d with %v", got, finest, most)
		}
	})
}

func TestAnswersDependOnNothingElse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := drawQuestion(t)
		given := slices.Clone(q.top)
		first := q.placer.answer("lstm", q.top)
		fresh := newPlacer(q.placer.cells, steps(), q.precisionCap)
		if again := fresh.answer("lstm", q.top); !reflect.DeepEqual(first, again) {
			t.Fatalf("first %+v\nthen %+v", first, again)
		}
		turned := slices.Clone(q.top) // equals in another order
		slices.SortFunc(turned, func(a, b Candidate) int {
			return cmp.Or(cmp.Compare(b.P, a.P), cmp.Compare(b.Cell, a.Cell))
		})
		if other := fresh.answer("lstm", turned); !reflect.DeepEqual(first, other) {
			t.Fatalf("first %+v\nturned %+v", first, other)
		}
		if !slices.Equal(given, q.top) {
			t.Fatal("the question was changed")
		}
	})
}

func parse(t *rapid.T, token string) cells.ID {
	id, err := cells.ParseToken(token)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func BenchmarkAnswer(b *testing.B) {
	var rows []cells.Cell
	for lat := 40.0; lat < 50; lat += 0.5 {
		for lon := 0.0; lon < 20; lon += 0.5 {
			rows = append(rows, cellAt(lat, lon, 9, 10))
		}
	}
	p := placerOf(b, 12, rows...)
	var top []Candidate
	for i := range 32 {
		top = append(top, Candidate{Cell: i * 20, P: 0.03 - float64(i)*0.0005})
	}
	b.ReportAllocs()
	for b.Loop() {
		p.answer("single", top)
	}
}
