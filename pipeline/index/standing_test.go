package index

import (
	"testing"

	"pgregory.net/rapid"

	"planetag/pipeline"
)

func answer(stage string, revision int64) Standing {
	return Standing{Stage: stage, Revision: revision}
}

func removal(revision int64) Standing { return Standing{Deleted: true, Revision: revision} }

// TestTheNewestStands tells what becomes of one photo, record by record.
func TestTheNewestStands(t *testing.T) {
	const photo, album = pipeline.StagePhoto, pipeline.StageAlbum
	const hour = 3_600_000
	for _, row := range []struct {
		name    string
		records []Standing
		last    int // index of the record that stands in the end
	}{
		{"the album improves the photo's answer", []Standing{answer(photo, 100), answer(album, 130)}, 1},
		{"the photo's answer is repeated after the album's", []Standing{answer(photo, 100), answer(album, 130), answer(photo, 100)}, 1},
		{"the photo was sent again after the album's answer", []Standing{answer(photo, 100), answer(album, 130), answer(photo, 200)}, 2},
		{"a removal", []Standing{answer(photo, 100), removal(200)}, 1},
		{"an older answer comes again after a removal", []Standing{answer(photo, 100), removal(200), answer(photo, 100)}, 1},
		{"the same, of an album, a day later", []Standing{answer(photo, 100), answer(album, 150), removal(200), answer(album, 150)}, 2},
		{"the photo comes back after a removal", []Standing{answer(photo, 100), removal(200), answer(photo, 300)}, 2},
		{"and its album with it", []Standing{answer(album, 100), removal(200), answer(photo, 300), answer(album, 301)}, 3},
		{"an album that was being closed when the removal came", []Standing{answer(photo, 100), removal(200), answer(album, 5_000)}, 1},
		{"an album that was closed hours later by a worker that had not read of it yet", []Standing{answer(photo, 100), removal(200), answer(album, 5*hour)}, 1},
		{"which it answers again", []Standing{answer(photo, 100), answer(album, 150), removal(200), answer(album, 5*hour), answer(album, 6*hour)}, 2},
		{"and the photo given free again, before that", []Standing{answer(photo, 100), removal(200), answer(album, 5*hour), answer(photo, hour)}, 3},
		{"and then its album", []Standing{answer(photo, 100), removal(200), answer(album, 5*hour), answer(photo, hour), answer(album, 6*hour)}, 4},
		// The worker is hours behind: references are old, albums are closed now.
		{"an opt-out from before the album's closing, read after it", []Standing{answer(photo, 100), answer(album, 5*hour), removal(hour)}, 2},
		{"and the album's answer again", []Standing{answer(album, 5*hour), removal(hour), answer(album, 5*hour)}, 1},
		{"and the photo given free again, still before the closing", []Standing{answer(album, 5*hour), removal(hour), answer(photo, 2*hour)}, 2},
		{"and then its album", []Standing{answer(album, 5*hour), removal(hour), answer(photo, 2*hour), answer(album, 5*hour+40_000)}, 3},
		{"a removal that is repeated", []Standing{answer(photo, 100), removal(200), removal(200)}, 1},
		{"a removal long before the photo came again", []Standing{answer(photo, 2*hour), removal(hour)}, 0},
	} {
		stands, last := Standing{}, -1
		for i, next := range row.records {
			next.Offset = int64(i)
			if now, newer := stands.after(next); newer {
				if now.Version <= stands.Version {
					t.Errorf("%s: record %d replaces version %d by %d", row.name, i, stands.Version, now.Version)
				}
				stands, last = now, i
			}
		}
		if last != row.last {
			t.Errorf("%s: record %d stands, want %d", row.name, last, row.last)
		}
	}
}

// history draws records of one photo. References come in the order of their times, so a removal is never older than one that came
// before it; an answer may be, where somebody published it again.
type history struct{ reference int64 }

func (h *history) next(t *rapid.T) Standing {
	revision := rapid.OneOf(rapid.Int64Range(1, 20), rapid.Int64Range(grace-20, grace+40), rapid.Int64Range(1, 4*grace)).Draw(t, "revision")
	kind := rapid.IntRange(0, 2).Draw(t, "kind")
	if kind == 2 {
		return answer(pipeline.StageAlbum, revision)
	}
	if kind == 1 {
		h.reference = max(h.reference, revision)
		return answer(pipeline.StagePhoto, revision)
	}
	h.reference += revision % 50
	return removal(max(h.reference, 1))
}

// TestAGreaterVersionIsAlwaysNewer is what allows an index to decide by the version alone.
func TestAGreaterVersionIsAlwaysNewer(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var stands Standing
		var h history
		for i := range rapid.IntRange(1, 12).Draw(t, "records") {
			next := h.next(t)
			next.Offset = int64(i)
			now, newer := stands.after(next)
			if !next.Deleted && next.ownVersion() > stands.Version && !newer {
				t.Fatalf("%+v of version %d is not newer than %+v", next, next.ownVersion(), stands)
			}
			stands = now
		}
	})
}

// heart is a standing without its version, which may be one more or less where a batch was folded.
func heart(s Standing) Standing {
	s.Version = 0
	return s
}

// TestABatchIsItsRecords: what a batch comes to by itself, and is greater than what the index holds, is what its records come to
// one after the other.
func TestABatchIsItsRecords(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var held Standing
		var all chain
		var h history
		read := rapid.IntRange(0, 6).Draw(t, "records before")
		for i := range read + rapid.IntRange(1, 6).Draw(t, "records") {
			s := h.next(t)
			s.Offset = int64(i)
			all = append(all, &Document{Deleted: s.Deleted, Stage: s.Stage, Revision: s.Revision, Record: Record{Offset: s.Offset}})
			if i < read {
				held, _ = held.after(s)
			}
		}
		c := all[rapid.IntRange(0, read).Draw(t, "read again from"):]
		alone, by := c.standing(Standing{})
		after, now := c.standing(held)
		if !c.removes() && by.Version > held.Version && (alone != after || heart(by) != heart(now)) {
			t.Fatalf("after %+v the batch comes to %+v, alone to %+v", held, now, by)
		}
	})
}
