package index

import (
	"slices"

	"planetag/pipeline"
)

// grace is by how many milliseconds a removal may be older than the photo's answer that it removes: clocks differ.
const grace = 60_000

// century is how far above its revision, in milliseconds, the version of a removal is: above those of all answers that may come.
// What brings the photo back is turned away at first, and then judged by yields.
const century = 100 * 365 * 24 * 3_600_000

// Standing is what is known of a photo: its last valid record, in brief. The zero value is a photo that nobody heard of.
type Standing struct {
	Deleted  bool
	Stage    string // of an answer: pipeline.StagePhoto or pipeline.StageAlbum
	Revision int64
	// Partition and Offset say which record it was.
	Partition int
	Offset    int64
	// Version is what an index compares: strictly greater replaces. It is at least the record's own (see ownVersion), and
	// above that of whatever the record replaced.
	Version int64
}

// chain is one photo's documents of a batch that nothing is settled of, in the order of their records.
type chain []*Document

// removes tells whether there is a removal in the chain. Its version would win over a photo that came again since, so the index is
// asked first what it holds.
func (c chain) removes() bool {
	return slices.ContainsFunc(c, func(d *Document) bool { return d.Deleted })
}

// standing is what stands when the chain comes after held, and the document of it; nil when held stands. From the zero
// Standing on, it is what is tried first of a chain without removals: where its version is greater than that of what the index
// holds, it is the same as from there on.
func (c chain) standing(held Standing) (*Document, Standing) {
	var stands *Document
	for _, doc := range c {
		if now, newer := held.after(doc.standing()); newer {
			stands, held = doc, now
		}
	}
	return stands, held
}

// after is the standing after next came, which is s itself where next is older. It alone decides what is newer: batches are
// folded with it, and where an index turns a version away, it is asked again with what the index holds.
//
// An answer of a greater version is always newer, so that an index may decide by the version alone; the other way round does not
// hold.
func (s Standing) after(next Standing) (Standing, bool) {
	if !s.yields(next) {
		return s, false
	}
	next.Version = max(next.ownVersion(), s.Version+1)
	return next, true
}

func (s Standing) yields(next Standing) bool {
	switch {
	case s == Standing{}:
		return true
	case next.Partition == s.Partition && next.Offset <= s.Offset:
		return false // read again, after what came later
	case next.Deleted && s.Deleted:
		return next.Revision > s.Revision
	case next.Deleted && s.Stage == pipeline.StageAlbum:
		return true // an album's revision is a wall clock's, and not to be compared with a reference's
	case next.Deleted:
		return next.Revision+grace > s.Revision
	case s.Deleted && next.Stage == pipeline.StageAlbum:
		return false // it was closed before it heard of the removal; the photo itself would have an answer first
	}
	return next.Revision > s.Revision
}

// ownVersion is the version of a record of which nothing else is known.
func (s Standing) ownVersion() int64 {
	if s.Deleted {
		return s.Revision + century
	}
	return s.Revision
}
