package demo

import (
	"cmp"
	"encoding/json"
	"fmt"

	"planetag/consumer"
)

// answer is the part of a published location that the demo shows. It is read from the JSON, not from the worker's own
// types: what the demo can show, every consumer of the topic can.
type answer struct {
	PhotoID  string `json:"photo_id"`
	Status   string `json:"status"`
	Stage    string `json:"stage"`
	Revision int64  `json:"revision"`
	Location *struct {
		Lat float64 `json:"lat"`
		Lon float64 `json:"lon"`
	} `json:"location"`
	RadiusP90  float64 `json:"radius_p90_m"`
	Confidence float64 `json:"confidence"`
	Place      *struct {
		Country string `json:"country"`
		Region  string `json:"region"`
	} `json:"place"`
	Album *struct {
		MovedM float64 `json:"moved_m"`
	} `json:"album"`
	Given *struct {
		Source    string   `json:"source"`
		DistanceM *float64 `json:"distance_m"` // nil when the model abstained
	} `json:"given"`
	reason string // of a dead letter: why
}

// The statuses of a location, and the demo's own one for a reference that ended on the dead-letter topic.
const (
	statusEstimated  = "estimated"
	statusAbstained  = "abstained"
	statusGiven      = "given"
	statusOptedOut   = "opted_out"
	statusDeadLetter = "dead_letter"
)

// stageAlbum is the stage of an answer that the album pass has seen.
const stageAlbum = "album"

func parseAnswer(rec consumer.Record) (answer, error) {
	var a answer
	if rec.Value == nil { // a tombstone: the photo was removed
		return a, nil
	}
	if err := json.Unmarshal(rec.Value, &a); err != nil {
		return a, fmt.Errorf("read location at offset %d of %s/%d: %w", rec.Offset, rec.Topic, rec.Partition, err)
	}
	return a, nil
}

// parseDeadLetter finds the photo of a dead letter in the reference, which a dead letter leaves untouched.
func parseDeadLetter(rec consumer.Record) answer {
	var ref struct{ Bucket, Key string }
	if json.Unmarshal(rec.Value, &ref) != nil {
		return answer{} // somebody else's: the demo publishes only JSON
	}
	a := answer{PhotoID: ref.Bucket + "/" + ref.Key, Status: statusDeadLetter}
	for _, h := range rec.Headers {
		if h.Key == "error.message" {
			a.reason = string(h.Value)
		}
	}
	return a
}

// ledger knows which photos still wait for their final answer.
type ledger struct {
	sent    map[string]photo // by photo id
	settled map[string]answer
	albums  bool // an album pass follows the photo-level answers
}

// note takes an answer in and reports whether it settled its photo. An answer is final when it is a dead letter, comes
// from the album pass, or will never be seen by one: the photo has no album, or the answer is not an estimate at all.
// Later answers (a late album mate, a higher revision) replace the settled one, but settle nothing again.
func (l *ledger) note(a answer) bool {
	p, ours := l.sent[a.PhotoID]
	if !ours {
		return false
	}
	final := a.Stage == stageAlbum || p.album == "" || !l.albums ||
		a.Status == statusGiven || a.Status == statusOptedOut || a.Status == statusDeadLetter
	before, settled := l.settled[a.PhotoID]
	if !final || settled && !newer(a, before) {
		return false
	}
	l.settled[a.PhotoID] = a
	return !settled
}

// newer is the rule for consumers of the topic: the greatest (stage, revision) counts. "photo" is greater than "album"
// only in the alphabet.
func newer(a, b answer) bool {
	rank := func(x answer) int {
		if x.Stage == stageAlbum {
			return 1
		}
		return 0
	}
	return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.Revision, b.Revision)) > 0
}

// open is the number of photos that still wait.
func (l *ledger) open() int { return len(l.sent) - len(l.settled) }

// missing names photos that still wait, at most n.
func (l *ledger) missing(n int) []string {
	var names []string
	for id, p := range l.sent {
		if _, ok := l.settled[id]; !ok {
			names = append(names, p.file)
		}
	}
	return firstSorted(names, n)
}
