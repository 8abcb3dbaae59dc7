// Package export writes the locations topic, as it stands, into one file, GeoParquet 1.1 or GeoJSON, or into one XMP sidecar for
// each photo.
//
// For each photo the record with the greatest (stage, revision) counts. A tombstone takes the photo out, and so does an
// opt-out, whatever an album says afterwards.
//
// The topic is read twice: first to find out which record of each photo counts, which takes about 80 bytes of memory for
// each photo, then to write those. Photos are told apart by 64 bits of their ids: among a hundred million photos the
// chance that any two are taken for one is 1 in 3700.
//
// Sidecars are brought up to date: those of photos that have a record are merged, then the folder is walked, and whatever it holds
// of photos that were removed, retracted or opted out is taken out again. One that is not understood, that lies outside of the folder
// or that somebody else writes is named in the log and left alone; the run goes on.
//
// It refuses to hide what a location is: status, radius, confidence and model go with every position.
package export
