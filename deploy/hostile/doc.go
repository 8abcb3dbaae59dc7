// Command hostile feeds a real worker with thousands of hostile files and wants exactly one verdict for each of them.
//
// It promises that the worker is the built binary in a process of its own, on an embedded broker and store; that what came out is read from the topics by
// franz-go (read_committed), a client that planetag does not use; that every file has exactly one photo-level location or one dead letter with a reason,
// that photos which nothing was done to are located in between, and that it ends non-zero when one of that does not hold, when the worker ended by itself,
// when a file took longer than the limit, or when memory went over its bound.
//
// The time of a file is from the moment that the worker asks the store for it to the moment that the worker wrote its verdict, so waiting for other files
// is part of it and it can only be too long. Therefore the slowest files are sent once more at the end, each alone; that time is the file's own. Memory is
// the sum of the resident memory of the worker and all of its children, ten times a second; pages that they share count once for each of them. The
// proportional share, which counts them once, is read at every new peak.
//
// It refuses to say which files are photos: see package forge.
package main
