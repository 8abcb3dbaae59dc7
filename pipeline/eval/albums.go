package eval

import (
	"cmp"
	"slices"
)

// albums groups the photos (indices into rows) into albums in capture order. A photo without an album, or whose album
// mates could all not be read, is an album of one. Photos without a time come after those with one; ties go by id, so
// the order never depends on the manifest's.
func albums(rows []Row) [][]int {
	var groups [][]int
	group := map[string]int{}
	for i, row := range rows {
		name := row.Album
		if g, ok := group[name]; ok && name != "" {
			groups[g] = append(groups[g], i)
			continue
		}
		group[name] = len(groups)
		groups = append(groups, []int{i})
	}
	for _, g := range groups {
		slices.SortFunc(g, func(a, b int) int { return captureOrder(rows[a], rows[b]) })
	}
	return groups
}

func captureOrder(a, b Row) int {
	if a.TakenAt.IsZero() != b.TakenAt.IsZero() {
		if a.TakenAt.IsZero() {
			return 1
		}
		return -1
	}
	return cmp.Or(a.TakenAt.Compare(b.TakenAt), cmp.Compare(a.ID, b.ID))
}
