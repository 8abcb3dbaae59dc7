package eval

import (
	"cmp"
	"slices"

	"planetag/enrich"
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
		slices.SortFunc(g, func(a, b int) int {
			return cmp.Or(enrich.CaptureOrder(rows[a].TakenAt, rows[b].TakenAt), cmp.Compare(rows[a].ID, rows[b].ID))
		})
	}
	return groups
}
