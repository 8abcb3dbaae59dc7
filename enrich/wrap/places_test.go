package wrap

import (
	"math"
	"path/filepath"
	"testing"

	"planetag/enrich/cells"
)

// TestCellsOfATableHaveASize: an answer that names a cell a hundred times as large is worth less, so the worker must know.
func TestCellsOfATableHaveASize(t *testing.T) {
	needRuntime(t)
	o := options(t, classifier(made{}), tokens)
	if _, err := Wrap(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	table, err := cells.Load(filepath.Join(o.Out, "cells.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range table.Len() {
		side := math.Sqrt(4 * math.Pi * cells.EarthRadius * cells.EarthRadius / 6 / math.Exp2(2*float64(table.At(i).ID.Level())))
		if r := table.At(i).RadiusP50; r < side/3 || r > side/2 {
			t.Errorf("cell %d, %.0f m wide: half of its photos are said to be within %.0f m", i, side, r)
		}
	}
}
