// Package faults stands between a client and an S3 store and breaks what goes through, as a seeded plan says: refusals in
// S3's words, answers that are not S3's, bodies that trickle, stop, shrink or are reset, objects that are gone, locked or
// changed for a while or for ever, and outages of any length. It is for tests and for long runs with an eye on them, so it
// knows nothing of package testing.
//
// A [Proxy] is an http.Handler in front of another; [Start] serves one on the loopback in front of a store's address. What
// happens to a request depends only on the plan's seed, the object's key and how often that was asked for before: a run
// with the same plan breaks the same photos in the same way, in whatever order they come. [Plan.Fate] says beforehand which
// rule a key meets.
//
// A [Wire] breaks what lies below HTTP: connections that are refused, reset, cut or swallowed.
//
// It refuses to be a proxy for anything but tests: it verifies nothing and keeps no secret.
package faults
