package eval

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"planetag/enrich/cells"
)

// ErrSplit says that there is no such split, or that a manifest does not tell what the split needs.
var ErrSplit = errors.New("split")

// The splits: over which photos figures may be averaged as if over independent ones.
const (
	byAlbum   = "album"
	bySource  = "source"
	bySpatial = "spatial"
)

// Split says which photos count as one unit. Intervals draw whole units, and no unit may be both tested and in the gallery.
// The zero Split is that by album.
type Split struct {
	by string
	km float64
}

// ParseSplit reads
//
//   - "album": the photos of one album are a unit, a photo without one is a unit of its own;
//   - "source": those with one value of source_repo (or source) are;
//   - "spatial:KM": those in one S2 cell at least KM wide are, and no tested photo may lie within KM of a gallery photo.
func ParseSplit(text string) (Split, error) {
	switch by, km, found := strings.Cut(text, ":"); {
	case text == byAlbum, text == bySource:
		return Split{by: text}, nil
	case by == bySpatial && found:
		width, err := strconv.ParseFloat(km, 64)
		if err != nil || !(width > 0 && width <= 20_000) {
			return Split{}, fmt.Errorf("%w spatial:%s: want a number of kilometres, as in spatial:25", ErrSplit, km)
		}
		return Split{bySpatial, width}, nil
	}
	return Split{}, fmt.Errorf("%w %q: want album, source or spatial:KM", ErrSplit, text)
}

// String is what ParseSplit read.
func (s Split) String() string {
	switch s.by {
	case "":
		return byAlbum
	case bySpatial:
		return fmt.Sprintf("%s:%g", bySpatial, s.km)
	}
	return s.by
}

// check refuses a split of which the manifest knows nothing.
func (s Split) check(manifest string, rows []Row) error {
	if s.by != bySource {
		return nil
	}
	for _, row := range rows {
		if row.Source != "" {
			return nil
		}
	}
	return fmt.Errorf("%w by source: %s has no value in a column source_repo or source; add one, or split by album or spatial:KM", ErrSplit, manifest)
}

// units gives every photo the number of its unit.
func (s Split) units(rows []Row) (units []int, count int) {
	number := map[string]int{}
	units = make([]int, len(rows))
	for i, row := range rows {
		name, ok := s.unit(row)
		if !ok {
			name = "photo " + row.ID
		}
		if _, ok := number[name]; !ok {
			number[name] = len(number)
		}
		units[i] = number[name]
	}
	return units, len(number)
}

// unit is the name of a photo's unit; false for a photo that stands alone.
func (s Split) unit(row Row) (string, bool) {
	switch s.by {
	case bySource:
		return "source " + row.Source, row.Source != ""
	case bySpatial:
		leaf, ok := cells.Leaf(row.Lat, row.Lon)
		return "cell " + cells.Cap(leaf, cells.LevelOf(s.km*1000)).ToToken(), ok
	}
	return "album " + row.Album, row.Album != ""
}

// LeftOut is a photo that is not scored because the gallery holds its unit.
type LeftOut struct {
	ID         string   `json:"id"`
	File       string   `json:"file,omitempty"`
	Line       int      `json:"line"`
	Gallery    string   `json:"gallery"`               // id of a photo of the same unit there
	Unit       string   `json:"unit,omitempty"`        // album or source
	DistanceKm *float64 `json:"distance_km,omitempty"` // of a spatial split
}

// apart takes the photos whose unit is in the gallery out of rows.
func (s Split) apart(rows, gallery []Row) (kept []Row, out []LeftOut) {
	find := s.mates(gallery)
	for _, row := range rows {
		if left, shared := find(row); shared {
			left.ID, left.File, left.Line = row.ID, row.File, row.Line
			out = append(out, left)
			continue
		}
		kept = append(kept, row)
	}
	return kept, out
}

// mates finds the gallery photo that a photo may not be tested beside.
func (s Split) mates(gallery []Row) func(Row) (LeftOut, bool) {
	if s.by == bySpatial {
		near := newNeighbours(gallery)
		return func(row Row) (LeftOut, bool) {
			g, metres := near.nearest(row.Lat, row.Lon, s.km*1000)
			if g < 0 {
				return LeftOut{}, false
			}
			return LeftOut{Gallery: gallery[g].ID, DistanceKm: new(metres / 1000)}, true
		}
	}
	first := map[string]string{}
	for _, row := range gallery {
		if name, ok := s.unit(row); ok && first[name] == "" {
			first[name] = row.ID
		}
	}
	return func(row Row) (LeftOut, bool) {
		name, ok := s.unit(row)
		return LeftOut{Gallery: first[name], Unit: strings.TrimPrefix(name, s.String()+" ")}, ok && first[name] != ""
	}
}
