// Package cells knows how a bundle divides the earth.
//
// A bundle's model does not answer with a coordinate. It answers with a row of
// cells.parquet, and each row is one S2 cell: small where many training photos
// were taken, large where few were (the adaptive division of PlaNet, arXiv
// 1602.05314 §3). This package reads that file, finds the cell of a point,
// climbs from a cell to its ancestors, and measures on the sphere.
//
// It promises:
//
//   - Every [Cells] is sorted by S2 id, its cells are valid and disjoint, each
//     mean location lies in its cell, and each cell has at least one photo. A
//     file that breaks one of these is refused with the row and the reason.
//   - [Cells.Find] agrees with S2's own containment for every point of the
//     earth, the antimeridian and the poles included.
//   - A mean of locations is a mean of directions, so it is right across the
//     antimeridian and near a pole.
//
// It refuses:
//
//   - Coordinates that are NaN or out of range: S2 would turn them into a
//     perfectly valid cell somewhere else ([Valid] first, always).
//   - Numbers as cell names: a 64-bit cell id does not survive JSON. Names are
//     tokens, and a token's prefix is not its ancestor, so ancestors are always
//     listed ([Ancestors]).
//   - Merging siblings into their parent: four classes are not one class.
//   - Bounding the memory that a damaged file may ask for: a page of a few
//     bytes can claim 4 GiB. A bundle's sums are checked before [Load].
//
// Units: latitudes and longitudes in degrees (WGS 84 read as a sphere),
// distances in metres on a sphere of radius [EarthRadius].
package cells
