// Package eval measures how well a bundle locates photos whose place is known.
//
// It reads a manifest of photos with their true positions, runs every photo through the same decoder, the same model
// and the same placing as the worker does, and reports per mode (single, average, lstm, lstm_repeat, blstm, hmm) how far
// the answers are from the truth; for albums in an order of chance, too. Two baselines stand beside them: prior-only
// (always the cell with most training photos) and, with a gallery, the position of the gallery photo with the nearest
// embedding. With Options.Anchors it also shows the model the positions of some photos of each album and scores the others,
// beside the position of the nearest photo in time.
//
// Promises: the result is a function of the bundle, the manifest and the photos, nothing else; running it twice prints
// the same figures. Every photo that could not be read is named. Distances are great-circle metres, shares are 0 to 1.
//
// Refusals: a manifest with a missing column or a row that cannot be understood is not scored at all, because figures
// over the rows that happened to parse would be figures over something else.
package eval
