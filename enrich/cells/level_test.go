package cells

import "testing"

func TestLevelOf(t *testing.T) {
	for _, row := range []struct {
		story  string
		metres float64
		want   int
	}{
		{"a country: level 4 is 581 km wide", 500e3, 4},
		{"a city: level 8 is 36 km wide", 25e3, 8},
		{"a street: level 13 is 1.1 km wide", 1e3, 13},
		{"wider than a face", 20e6, 0},
		{"finer than a leaf", 1e-6, 30},
	} {
		if got := LevelOf(row.metres); got != row.want {
			t.Errorf("%s: level %d, want %d", row.story, got, row.want)
		}
	}
}
