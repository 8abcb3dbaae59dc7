package pipeline

import (
	"context"
	"errors"
	"fmt"
)

// failure is why one part of a record, or all of it, can never succeed.
type failure struct {
	part, of int       // from 1; 0 of 0 when the record as a whole cannot be understood
	album    Reference // whose album misses the photo
	attempt  int
	err      error
}

// fail remembers what can never succeed, and tells whether the flight goes on: one photo of several that is corrupt is no
// reason to leave the others. Any other error ends the flight without an outcome.
func (f *flight) fail(ctx context.Context, why failure) bool {
	if ctx.Err() != nil || Judge(why.err) != DeadLetter {
		f.err = why.err
		f.hold.set(outcomeReserve)
		return false
	}
	f.failed = append(f.failed, why)
	return true
}

// land adds what one part led to, unless it failed.
func (f *flight) land(out outcome, failed error) {
	switch f.parts++; {
	case failed != nil:
	case len(f.outcome.records) == 0:
		f.outcome = out
	default:
		f.outcome.records = append(f.outcome.records, out.records...)
		f.outcome.statuses = append(f.outcome.statuses, out.statuses...)
	}
	f.hold.kept += outcomeReserve
	f.hold.set(0)
}

// bury adds the one dead letter of a record of which anything failed. It holds the whole record, and says which parts of
// it; when it is played back, the others are answered again, with a higher revision.
func (s *photoStage) bury(f *flight) {
	if len(f.failed) == 0 {
		f.hold.set(0)
		return
	}
	attempt, reasons := 0, make([]error, 0, len(f.failed))
	for _, why := range f.failed {
		attempt = max(attempt, why.attempt)
		if why.of > 1 {
			why.err = fmt.Errorf("part %d of %d: %w", why.part, why.of, why.err)
		}
		reasons = append(reasons, why.err)
	}
	cause := reasons[0]
	if len(reasons) > 1 {
		cause = errors.Join(reasons...)
	}
	f.outcome.records = append(f.outcome.records, deadLetter(s.cfg.Topics.DeadLetters, f.record, "photos", attempt, cause))
	f.outcome.dead = errorType(f.failed[0].err)
	for _, why := range f.failed { // a record that names no photo is missed by no album
		if with, err := s.withoutEmbedding(f.outcome, why.album); err == nil {
			f.outcome = with
		}
	}
	f.hold.kept += outcomeReserve
	f.hold.set(0)
}
