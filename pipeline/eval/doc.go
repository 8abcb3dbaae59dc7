// Package eval measures how well a bundle locates photos whose place is known, or scores what another system predicted.
//
// It reads a manifest of photos with their true positions, runs every photo through the same decoder, the same model
// and the same placing as the worker does, and reports per mode of the bundle how far the answers are from the truth;
// of albums, in an order of chance too. With Options.Anchors it also shows the model the positions of some photos of each
// album and scores the others, beside the position of the nearest photo in time.
// Baselines stand beside them: prior (always the cell with most training photos) and, with a gallery, nearest (the
// position of the gallery photo with the nearest embedding). Package score computes the figures, package report prints them.
//
// Promises: the result is a function of the bundle, the manifest and the photos, nothing else; running it twice prints
// the same figures. (One note may come with the years: photos dated after Options.Now.) Every photo that could not be read
// or scored is named. Figures carry 95 % intervals that draw whole units, albums unless [ParseSplit] said otherwise, because
// photos of one album are not independent. Distances are great-circle metres, shares are 0 to 1.
//
// Refusals: a list with a missing column or a row that cannot be understood is not scored at all, because figures
// over the rows that happened to parse would be figures over something else. With a gallery, which stands for the training
// photos, no unit is scored that the gallery holds too, and photos that are in the gallery under whatever name (same bytes,
// same perceptual hash, same embedding) are an error ([ErrOverlap]) unless the overlap is allowed.
package eval
