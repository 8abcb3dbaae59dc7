// Package score turns the errors of answers into figures, with no model and no file in sight.
//
// [Score] gives one row of a table: the shares within the distances of the literature, median, mean and geoscore.
// [Sample] puts 95 % intervals beside them, [Compare] one on the difference of two answers to the same photos, [Calibrate]
// says whether confidences and radii keep their word, [Reliability] where they do not, and [RiskCoverage] what could be
// gained by answering less.
//
// Intervals are percentiles of a cluster bootstrap: whole units (an album, a source, a part of the earth) are drawn with
// replacement, 1000 times, because the photos of one unit resemble each other and are not so many independent witnesses.
// The draws are seeded, so the same errors give the same intervals on every machine. With a single unit there is no
// interval; with fewer than about twenty it is too narrow, as any bootstrap is.
//
// Distances come in metres and go out in kilometres; shares are 0 to 1. Figures of nothing are zero or absent, never NaN,
// which JSON could not hold.
package score
