package eval

import (
	"fmt"
	"slices"

	"planetag/enrich"
	"planetag/pipeline/eval/score"
)

// Comparison is two answers to the same photos.
type Comparison struct {
	First  string `json:"first"`
	Second string `json:"second"`
	score.Difference
}

// compareModes compares the first of the modes asked for with each of the others.
func (t *task) compareModes(s *subject) error {
	if len(t.CompareModes) == 0 {
		return nil
	}
	if err := known(t.CompareModes, s.order()); err != nil {
		return err
	}
	units, _ := t.Split.units(s.rows)
	first := t.CompareModes[0]
	for _, second := range t.CompareModes[1:] {
		t.result.Comparisons = append(t.result.Comparisons, Comparison{first, second, score.Compare(units, s.metres(first), s.metres(second))})
	}
	return nil
}

// compare compares what the two would publish, and every mode that both have, on the photos that both could read.
func (t *task) compare(first, second *subject) error {
	rows, at, beside := shared(first, second)
	if len(rows) == 0 {
		return fmt.Errorf("%w: %s and %s have no photo in common; ids must be the same in both", ErrPhotos, first.name, second.name)
	}
	if len(rows) < len(first.rows) {
		t.result.Notes = append(t.result.Notes, fmt.Sprintf("%d of the photos were answered by both %s and %s; only these are compared", len(rows), first.name, second.name))
	}
	units, _ := t.Split.units(rows)
	pairs := [][2]string{{first.published, second.published}}
	for _, mode := range first.modes {
		if slices.Contains(second.modes, mode) && pairs[0] != [2]string{mode, mode} {
			pairs = append(pairs, [2]string{mode, mode})
		}
	}
	for _, pair := range pairs {
		t.result.Comparisons = append(t.result.Comparisons, Comparison{
			first.name + " " + pair[0], second.name + " " + pair[1],
			score.Compare(units, taken(first.metres(pair[0]), at), taken(second.metres(pair[1]), beside)),
		})
	}
	return nil
}

// shared is the photos of both, and where they are in each. The places are the first's: two files of predictions should
// not differ in them, and one truth must judge both.
func shared(first, second *subject) (rows []Row, at, beside []int) {
	index := make(map[string]int, len(second.rows))
	for i, row := range second.rows {
		index[row.ID] = i
	}
	for i, row := range first.rows {
		if j, ok := index[row.ID]; ok {
			rows, at, beside = append(rows, row), append(at, i), append(beside, j)
		}
	}
	return rows, at, beside
}

func taken(list []float64, at []int) []float64 {
	picked := make([]float64, len(at))
	for k, i := range at {
		picked[k] = list[i]
	}
	return picked
}

// fewest photos from which a suspicion about all of them may be drawn.
const fewest = 5

// swapped says so when the answers would be far better with latitude and longitude of the truth exchanged: then one of the
// two has them in the wrong columns, although every number is possible.
func swapped(s *subject) string {
	metres := s.metres(s.published)
	turned := make([]float64, len(metres))
	for i, row := range s.rows {
		turned[i] = metres[i]
		if row.Lon >= -90 && row.Lon <= 90 {
			a := s.answers[s.published][i]
			turned[i] = enrich.DistanceMetres(row.Lon, row.Lat, a.lat, a.lon)
		}
	}
	is, would := score.Median(metres)/1000, score.Median(turned)/1000
	if len(metres) < fewest || would >= is/4 {
		return ""
	}
	return fmt.Sprintf("latitude and longitude look swapped, in the true or in the predicted positions: exchanged, the median error would be %.0f km, not %.0f km", would, is)
}
