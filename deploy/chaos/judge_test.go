package chaos

import (
	"strings"
	"testing"
)

// ended is a small world in which everything ended as it must: two photos of one album, a reference that cannot succeed, and a removal.
func ended() (*ledger, []*reference) {
	sent := []*reference{
		{kind: good, id: "a", album: "x", offset: 0, at: 10},
		{kind: good, id: "b", album: "x", offset: 1, at: 11},
		{kind: deadly, id: "d", offset: 2},
		{kind: removal, id: "g", offset: 3},
	}
	l := newLedger()
	for i, r := range sent[:2] {
		l.photos[seat{0, r.offset}], l.revisions[seat{0, r.offset}] = 1, r.at
		l.answers[r.id] = []answer{{stage: "photo", revision: r.at}, {stage: "album", revision: 20, album: "x", size: 2, position: i}}
	}
	sent[1].positioned = true
	l.answers["b"][1].given, l.answers["a"][1].anchors = true, 1
	l.dead[seat{0, 2}], l.tombstones["g"] = 1, 1
	l.albums["x"] = []event{{offset: 0}, {offset: 1}, {offset: 2, closes: true, upTo: 1, revision: 20, photos: 2}}
	l.finals["x"] = map[int64]int{20: 2}
	return l, sent
}

// TestTheJudgeFindsWhatAWorkerMustNotDo gives the judge the records of workers that are broken on purpose.
func TestTheJudgeFindsWhatAWorkerMustNotDo(t *testing.T) {
	closed := func(upTo, revision int64, photos int) func(*ledger) {
		return func(l *ledger) {
			l.albums["x"] = append(l.albums["x"], event{offset: 9, closes: true, upTo: upTo, revision: revision, photos: photos})
			l.finals["x"][revision] = photos
		}
	}
	for _, row := range []struct {
		story string
		harm  func(l *ledger)
		says  string // "" = all is well
	}{
		{"all well", func(*ledger) {}, ""},
		{"a photo without an answer", func(l *ledger) { delete(l.photos, seat{0, 1}) }, "lost: location b has no photo-level"},
		{"a photo answered twice", func(l *ledger) { l.photos[seat{0, 1}]++ }, "twice: location b"},
		{"a revision that is not the reference's", func(l *ledger) { l.revisions[seat{0, 1}]++ }, "wrong: b: revision 12"},
		{"no dead letter", func(l *ledger) { delete(l.dead, seat{0, 2}) }, "lost: dead letter d"},
		{"two dead letters", func(l *ledger) { l.dead[seat{0, 2}]++ }, "twice: dead letter d"},
		{"a dead letter for a good photo", func(l *ledger) { l.dead[seat{0, 0}]++ }, "twice: location a"},
		{"a dead letter for nothing", func(l *ledger) { l.dead[seat{5, 0}]++ }, "wrong: a dead letter holds input 5/0"},
		{"an answer to nothing", func(l *ledger) { l.photos[seat{5, 0}]++ }, "wrong: a location answers input 5/0"},
		{"no tombstone", func(l *ledger) { delete(l.tombstones, "g") }, "lost: tombstone g"},
		{"two tombstones", func(l *ledger) { l.tombstones["g"]++ }, "twice: tombstone g"},
		{"a tombstone for nothing", func(l *ledger) { l.tombstones["a"]++ }, "wrong: 2 photos have tombstones"},
		{"an album without an answer", func(l *ledger) { l.answers["a"], l.answers["b"] = nil, nil }, "lost: album x"},
		{"a photo left out of its album", func(l *ledger) { l.answers["b"] = l.answers["b"][:1] }, "lost: b is not in the final answer"},
		{"an album answered from half of it", func(l *ledger) { l.answers["b"][1].size = 1 }, "is from 1 photos, want 2"},
		{"two photos in one place", func(l *ledger) { l.answers["b"][1].position = 0 }, "wrong: album x has two photos at position 0"},
		{"a position that was not believed", func(l *ledger) { l.answers["b"][1].given = false }, "wrong: b: its own position was given: true, its answer says false"},
		{"a position that is no evidence", func(l *ledger) { l.answers["a"][1].anchors = 0 }, "wrong: a: 0 anchors in the final answer"},
		{"a revision again", func(l *ledger) { l.answers["a"] = append(l.answers["a"], l.answers["a"][1]) }, "twice: a: album revision 20 again"},
		{"a revision that goes back", func(l *ledger) {
			l.answers["a"] = append(l.answers["a"], answer{stage: "album", revision: 19, album: "x", size: 2})
		}, "wrong: a: album revision 19 after 20"},
		{"a close with nothing new", closed(1, 21, 2), "twice: album x is closed at offset 9"},
		{"a close for a late photo", func(l *ledger) {
			l.albums["x"] = append(l.albums["x"], event{offset: 8})
			closed(8, 21, 2)(l)
		}, ""},
		{"a close for a copy", func(l *ledger) {
			l.albums["x"] = append(l.albums["x"], event{offset: 8, copied: true})
			closed(8, 21, 2)(l)
		}, "twice: album x is closed at offset 9"},
		{"a close that goes back", func(l *ledger) {
			l.albums["x"] = append(l.albums["x"], event{offset: 8})
			closed(8, 19, 2)(l)
		}, "wrong: album x is closed with revision 19 after 20"},
		{"a marker without its answers", func(l *ledger) { l.finals["x"][20] = 1 }, "its CLOSE marker says 2"},
		{"a record that cannot be read", func(l *ledger) { l.complain("nonsense") }, "wrong: nonsense"},
	} {
		l, sent := ended()
		row.harm(l)
		f := l.judge(sent)
		if text := strings.Join(f.Texts, "; "); f.clean() != (row.says == "") || !strings.Contains(text, row.says) {
			t.Errorf("%s: the judge says %q, want %q", row.story, text, row.says)
		}
	}
}
