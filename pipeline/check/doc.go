// Package check says before the first photo whether a worker could do its work, what keeps it from it, and what to do.
//
// It promises to change nothing: no topic, no group, no offset, no object, no file. A check that depends on another is
// skipped when that one failed, with the reason; all others are made. What fails carries a remedy.
//
// It does not promise that the worker will work: a right that is lost, a disk that fills, a broker that dies a minute
// later is the business of the worker's own metrics and probes.
package check
