package chaos

import "fmt"

// findings is what the ledger says of what was sent.
type findings struct {
	References, Albums, Records int
	Lost, Twice, Wrong          int
	Texts                       []string // the first few, for people
}

func (f *findings) lost(format string, args ...any)  { f.Lost++; f.say("lost: "+format, args...) }
func (f *findings) twice(format string, args ...any) { f.Twice++; f.say("twice: "+format, args...) }
func (f *findings) wrong(format string, args ...any) { f.Wrong++; f.say("wrong: "+format, args...) }

func (f *findings) say(format string, args ...any) {
	if len(f.Texts) < 20 {
		f.Texts = append(f.Texts, fmt.Sprintf(format, args...))
	}
}

func (f *findings) clean() bool { return f.Lost == 0 && f.Twice == 0 && f.Wrong == 0 }

// judge compares what was published with what was sent.
func (l *ledger) judge(sent []*reference) findings {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := findings{References: len(sent), Albums: len(l.albums), Records: l.records}
	for _, text := range l.broken {
		f.wrong("%s", text)
	}
	l.judgeReferences(&f, sent)
	l.judgeRevisions(&f)
	l.judgeAlbums(&f, sent)
	for album, events := range l.albums {
		l.judgeCloses(&f, album, events)
	}
	return f
}

// judgeReferences looks for the one outcome of every input record, and for outcomes that nobody asked for.
func (l *ledger) judgeReferences(f *findings, sent []*reference) {
	known, removed := make(map[seat]bool, len(sent)), 0
	for _, r := range sent {
		at := seat{r.partition, r.offset}
		known[at] = true
		located, died, gone := l.photos[at], l.dead[at], l.tombstones[r.id]
		want := map[string][3]int{good: {1, 0, gone}, optedOut: {1, 0, gone}, deadly: {0, 1, gone}, removal: {0, 0, 1}, deletedUnread: {0, 0, gone}, complete: {0, 0, gone}}[r.kind]
		if r.kind == removal {
			removed++
		}
		for i, got := range []int{located, died, gone} {
			what := []string{"photo-level locations", "dead letters", "tombstones"}[i]
			switch {
			case got < want[i]:
				f.lost("%s %s has no %s", r.kind, r.id, what)
			case got > want[i]:
				f.twice("%s %s, input %d/%d, has %d %s, want %d: %v", r.kind, r.id, at.partition, at.offset, got, what, want[i], l.writers[at])
			}
		}
		if located > 0 && l.revisions[at] != r.at {
			f.wrong("%s: revision %d, want the time of its reference, %d", r.id, l.revisions[at], r.at)
		}
	}
	for at := range l.photos {
		if !known[at] {
			f.wrong("a location answers input %d/%d, which nobody sent", at.partition, at.offset)
		}
	}
	for at := range l.dead {
		if !known[at] {
			f.wrong("a dead letter holds input %d/%d, which nobody sent", at.partition, at.offset)
		}
	}
	if len(l.tombstones) > removed {
		f.wrong("%d photos have tombstones, %d were removed", len(l.tombstones), removed)
	}
}

// judgeRevisions follows each photo through its topic: of one stage, no revision may come back or come again.
func (l *ledger) judgeRevisions(f *findings) {
	for id, list := range l.answers {
		last := map[string]int64{}
		for _, a := range list {
			switch before := last[a.stage]; {
			case a.revision == before:
				f.twice("%s: %s revision %d again", id, a.stage, a.revision)
			case a.revision < before:
				f.wrong("%s: %s revision %d after %d", id, a.stage, a.revision, before)
			}
			last[a.stage] = max(last[a.stage], a.revision)
		}
	}
}

// judgeAlbums wants the last answer of every album to be whole: one location for each of its photos, from all of them, and
// with the positions of those that have one as evidence for the others.
func (l *ledger) judgeAlbums(f *findings, sent []*reference) {
	positioned := map[string]bool{}
	for _, r := range sent {
		if r.positioned {
			positioned[r.id] = true
		}
	}
	for album, members := range membersOf(sent) {
		anchors := 0
		for id := range members {
			if positioned[id] {
				anchors++
			}
		}
		var final int64
		for id := range members {
			for _, a := range l.answers[id] {
				if a.album == album {
					final = max(final, a.revision)
				}
			}
		}
		if final == 0 {
			f.lost("album %s of %d photos has no answer", album, len(members))
			continue
		}
		positions := map[int]bool{}
		for id := range members {
			a, ok := l.answerAt(id, album, final)
			switch {
			case !ok:
				f.lost("%s is not in the final answer of album %s", id, album)
			case a.size != len(members):
				f.wrong("%s: final answer of album %s is from %d photos, want %d", id, album, a.size, len(members))
			case positions[a.position]:
				f.wrong("album %s has two photos at position %d", album, a.position)
			case a.given != positioned[id]:
				f.wrong("%s: its own position was given: %v, its answer says %v", id, positioned[id], a.given)
			case positioned[id] && a.anchors != anchors-1, !positioned[id] && a.anchors != anchors:
				f.wrong("%s: %d anchors in the final answer, album %s has %d photos with a position", id, a.anchors, album, anchors)
			}
			positions[a.position] = true
		}
	}
}

func (l *ledger) answerAt(id, album string, revision int64) (answer, bool) {
	for _, a := range l.answers[id] {
		if a.album == album && a.revision == revision {
			return a, true
		}
	}
	return answer{}, false
}

// membersOf are the photos of every album that can be answered.
func membersOf(sent []*reference) map[string]map[string]bool {
	albums := map[string]map[string]bool{}
	for _, r := range sent {
		if r.kind != good || r.album == "" {
			continue
		}
		if albums[r.album] == nil {
			albums[r.album] = map[string]bool{}
		}
		albums[r.album][r.id] = true
	}
	return albums
}

// judgeCloses reads the album's own log: every CLOSE must have something new to say, say it once, and go beyond the last.
func (l *ledger) judgeCloses(f *findings, album string, events []event) {
	var revision int64
	fresh := 0
	behind := -1 // index of the last event that a CLOSE has covered
	for i, e := range events {
		if !e.closes {
			continue
		}
		for j := behind + 1; j < i; j++ {
			if events[j].offset <= e.upTo {
				behind = j
				if !events[j].copied && !events[j].closes {
					fresh++
				}
			}
		}
		switch {
		case fresh == 0:
			f.twice("album %s is closed at offset %d with nothing new since its last close", album, e.offset)
		case e.revision <= revision:
			f.wrong("album %s is closed with revision %d after %d", album, e.revision, revision)
		}
		if n := l.finals[album][e.revision]; n != e.photos {
			f.wrong("album %s revision %d: %d locations, its CLOSE marker says %d", album, e.revision, n, e.photos)
		}
		revision, fresh = e.revision, 0
	}
}
