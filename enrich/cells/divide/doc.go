// Package divide makes the cells of a bundle: it reads where photos were taken
// and cuts PlaNet's adaptive division of the earth (arXiv 1602.05314 §3).
//
// The way of a coordinate: a source hands out its rows in units that workers
// read side by side ([Source]); each point becomes one number that sorts along
// S2's curve; workers sort runs of a few million numbers, which go to disk when
// memory is spent; the runs are merged; and one pass over the merged points cuts
// the cells, because the points of a cell are neighbours on the curve. Each cell
// is then measured (mean location, radii) and named (countries, regions, the
// nearest town).
//
// The rule: descend from level MinLevel until a cell holds at most MaxPhotos
// photos, and drop the cells with fewer than MinPhotos. Two things are added to
// the paper's rule, because real collections need them. A cell whose photos are
// all at one spot is not divided further, as no division would part them. And
// where the photographer is known, photos of one photographer at one spot (an S2
// cell of level 22, some two metres) count once, so that one person's 5,000
// photos do not look like a landmark.
//
// It promises:
//
//   - Cells are disjoint and hold every point but those counted as dropped.
//   - The same points in any order, in any number of files, on any number of
//     cores, give the same bytes.
//   - Memory is bounded by Options.Memory and the sizes of a few buffers; 100
//     million points need 0.8 GB of it, or a disk.
//   - A row that is not a position is counted, the first few are named by file
//     and row, and too many of them are an error ([ErrRows]).
//
// It refuses to guess which column is which, to swap latitude and longitude
// silently, and to name anything at run time: the names are part of the file.
package divide
