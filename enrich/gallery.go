package enrich

import (
	"fmt"
	"slices"

	"planetag/enrich/bundle"
	"planetag/enrich/cells"
	"planetag/enrich/infer"
)

// gallery turns rows of a gallery, which a network of image and place
// embeddings answers with, into the bundle's cells. Everything behind it knows
// cells only.
type gallery struct {
	cellOf []int // row of the gallery → row of the cells
}

// fold adds up the probabilities of rows in one cell: the most probable cells,
// greatest first, no more than there were rows. Nothing is lost, since every row
// belongs to a cell, and the order of the rows does not matter.
func (g *gallery) fold(rows []Candidate) []Candidate {
	// Sums of floats depend on their order, so there must be only one.
	ordered := slices.SortedFunc(slices.Values(rows), byProbability)
	at := make(map[int]int, len(ordered))
	var folded []Candidate
	for _, row := range ordered {
		cell := g.cellOf[row.Cell]
		i, known := at[cell]
		if !known {
			i = len(folded)
			at[cell] = i
			folded = append(folded, Candidate{Cell: cell})
		}
		folded[i].P += row.P
	}
	slices.SortFunc(folded, byProbability)
	return folded
}

// top is what the network says about cells.
func (m *Model) top(out infer.Output) ([]Candidate, error) {
	if m.gallery == nil {
		return topOf(out, m.info.Cells)
	}
	rows, err := topOf(out, len(m.gallery.cellOf))
	if err != nil {
		return nil, fmt.Errorf("row of the gallery for cell: %w", err)
	}
	return m.gallery.fold(rows), nil
}

// loadGallery says what it found, or nothing for a bundle without a gallery.
func (l *loading) loadGallery() (string, error) {
	m := l.bundle.Manifest
	if m.Head != bundle.HeadGallery {
		return "", nil
	}
	path := l.bundle.Path(m.Gallery.File)
	spots, err := cells.LoadGallery(path)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	if len(spots) != m.Gallery.Count {
		return "", fmt.Errorf("%w: %s has %d rows, %s says %d", cells.ErrGallery, path, len(spots), bundle.ManifestName, m.Gallery.Count)
	}
	rows, strays, farthest := l.model.cells.Assign(spots)
	l.model.gallery = &gallery{cellOf: rows}
	return fmt.Sprintf("; a gallery of %d places, %d of them in no cell and at most %.0f km from the one they count for",
		len(spots), strays, farthest/1000), nil
}
