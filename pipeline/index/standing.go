package index

import "planetag/pipeline"

// grace is for how many milliseconds of revisions a removal holds against answers of albums that were being closed when it
// came, and against workers whose clocks differ.
const grace = 60_000

// Standing is what is known of a photo: its last valid record, in brief. The zero value is a photo that nobody heard of.
type Standing struct {
	Deleted  bool
	Stage    string // of an answer: pipeline.StagePhoto or pipeline.StageAlbum
	Revision int64
	// Version is what an index compares: strictly greater replaces. It is at least the record's own (see ownVersion), and
	// above that of whatever the record replaced.
	Version int64
}

// after is the standing after next came, which is s itself where next is older. It alone decides what is newer: batches are
// folded with it, and where an index turns a version away, it is asked again with what the index holds.
//
// A greater version is always newer, so that an index may decide by the version alone; the other way round does not hold.
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
	case next.Deleted && s.Deleted:
		return next.Revision > s.Revision
	case next.Deleted && s.Stage == pipeline.StageAlbum:
		return true // an album's revision is a wall clock's, and not to be compared with a reference's
	case next.Deleted:
		return next.Revision+grace > s.Revision
	case s.Deleted && next.Stage == pipeline.StageAlbum:
		return next.Revision > s.Version // it may have been closed before it heard of the removal
	}
	return next.Revision > s.Revision
}

// ownVersion is the version of a record of which nothing else is known.
func (s Standing) ownVersion() int64 {
	if s.Deleted {
		return s.Revision + grace
	}
	return s.Revision
}
