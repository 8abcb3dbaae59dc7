// Package chart draws a division of the earth on a map of the world: every cell
// as an outline filled by its level, over the outlines of land, as SVG or PNG.
//
// It promises that both formats show the same drawing, that the same cells give
// the same bytes, and that cells at the antimeridian and the poles are where they
// belong. The projection is plate carrée: longitude to the right, latitude up,
// a degree the same length everywhere.
//
// It refuses to show photos: what it draws is the division, not who was where.
package chart
