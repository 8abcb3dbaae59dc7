package demo

import (
	"reflect"
	"testing"

	"planetag/consumer"
)

func newLedger() *ledger {
	return &ledger{albums: true, settled: map[string]answer{}, sent: map[string]photo{
		"b/rome/1.jpg": {file: "rome/1.jpg", album: "rome"},
		"b/alone.jpg":  {file: "alone.jpg"},
	}}
}

func TestLedgerWaitsForTheFinalAnswer(t *testing.T) {
	inAlbum := func(status, stage string, revision int64) answer {
		return answer{PhotoID: "b/rome/1.jpg", Status: status, Stage: stage, Revision: revision}
	}
	for _, row := range []struct {
		story  string
		answer answer
		settle bool
	}{
		{"a photo of an album gets its first, photo-level answer", inAlbum("estimated", "photo", 1), false},
		{"abstained at photo level: the album may still know", inAlbum("abstained", "photo", 1), false},
		{"the album pass has seen it", inAlbum("estimated", "album", 2), true},
		{"a measured position does not wait for the album", inAlbum("given", "photo", 1), true},
		{"nobody looks at it", inAlbum("opted_out", "photo", 1), true},
		{"it can never succeed", inAlbum("dead_letter", "", 0), true},
		{"a photo without an album has one answer", answer{PhotoID: "b/alone.jpg", Status: "estimated", Stage: "photo"}, true},
		{"somebody else's photo", answer{PhotoID: "b/other.jpg", Status: "estimated", Stage: "album"}, false},
		{"a tombstone", answer{}, false},
	} {
		l := newLedger()
		if got := l.note(row.answer); got != row.settle {
			t.Errorf("%s: settled %v, want %v", row.story, got, row.settle)
		}
		if open := l.open(); row.settle && open != 1 || !row.settle && open != 2 {
			t.Errorf("%s: %d photos wait", row.story, open)
		}
	}
}

func TestLedgerKeepsTheGreatestRevision(t *testing.T) {
	l := newLedger()
	l.note(answer{PhotoID: "b/rome/1.jpg", Status: "given", Stage: "photo", Revision: 9})
	for _, row := range []struct {
		story    string
		answer   answer
		revision int64
	}{
		{"the album's word is greater, whatever its revision", answer{PhotoID: "b/rome/1.jpg", Status: "given", Stage: "album", Revision: 2}, 2},
		{"an older revision comes late", answer{PhotoID: "b/rome/1.jpg", Status: "estimated", Stage: "album", Revision: 1}, 2},
		{"a late album mate reopened the album", answer{PhotoID: "b/rome/1.jpg", Status: "given", Stage: "album", Revision: 3}, 3},
	} {
		if l.note(row.answer) {
			t.Errorf("%s: a photo settles once", row.story)
		}
		if got := l.settled["b/rome/1.jpg"].Revision; got != row.revision {
			t.Errorf("%s: revision %d, want %d", row.story, got, row.revision)
		}
	}
	if got := l.missing(5); !reflect.DeepEqual(got, []string{"alone.jpg"}) {
		t.Errorf("missing: %v", got)
	}
}

func TestWithoutAlbumPassThePhotoLevelAnswerIsFinal(t *testing.T) {
	l := newLedger()
	l.albums = false
	if !l.note(answer{PhotoID: "b/rome/1.jpg", Status: "estimated", Stage: "photo", Revision: 1}) {
		t.Error("nothing more will come")
	}
}

func TestParseDeadLetterFindsItsPhoto(t *testing.T) {
	rec := consumer.Record{
		Value:   []byte(`{"bucket":"b","key":"rome/1.jpg","album":"rome"}`),
		Headers: []consumer.Header{{Key: "error.type", Value: []byte("corrupt_photo")}, {Key: "error.message", Value: []byte("jpeg is truncated")}},
	}
	if a := parseDeadLetter(rec); a.PhotoID != "b/rome/1.jpg" || a.Status != statusDeadLetter || a.reason != "jpeg is truncated" {
		t.Errorf("got %+v", a)
	}
	if a := parseDeadLetter(consumer.Record{Value: []byte("not json")}); a.PhotoID != "" {
		t.Errorf("a stranger's dead letter became %+v", a)
	}
}

func TestParseAnswer(t *testing.T) {
	if _, err := parseAnswer(consumer.Record{Value: []byte("{")}); err == nil {
		t.Error("half a record was read")
	}
	a, err := parseAnswer(consumer.Record{Value: []byte(`{"photo_id":"b/x","status":"given","stage":"photo","revision":4,"given":{"source":"exif"},"location":{"lat":1,"lon":2}}`)})
	if err != nil || a.Revision != 4 || a.Location.Lon != 2 || a.Given.DistanceM != nil {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestSummarise(t *testing.T) {
	l := &ledger{albums: true, settled: map[string]answer{}, sent: map[string]photo{
		"near":    {album: "rome", truth: &point{41.9028, 12.4964}},
		"far":     {album: "rome", truth: &point{48.8566, 2.3522}},
		"unknown": {album: "oslo"},
		"shot":    {truth: &point{0, 0}},
		"exif":    {truth: &point{41.9, 12.5}},
		"broken":  {},
	}}
	rome := &struct {
		Lat float64 `json:"lat"`
		Lon float64 `json:"lon"`
	}{41.9028, 12.4964}
	for id, status := range map[string]string{
		"near": "estimated", "far": "estimated", "unknown": "estimated", "shot": "abstained", "exif": "given", "broken": "dead_letter",
	} {
		a := answer{PhotoID: id, Status: status, Stage: "album"}
		if status == "estimated" || status == "given" {
			a.Location = rome
		}
		l.note(a)
	}
	s := l.summarise()
	if s.Photos != 6 || s.Estimated != 3 || s.Abstained != 1 || s.Given != 1 || s.DeadLetters != 1 || s.Albums != 2 {
		t.Errorf("counts: %+v", s)
	}
	// Only estimates of known truth count: a given position would flatter the model. Rome to Paris is 1106 km.
	if s.KnownTruth != 2 || *s.Within25km != 0.5 || *s.MedianErrorKm < 550 || *s.MedianErrorKm > 556 {
		t.Errorf("errors: %d, %v, %v", s.KnownTruth, *s.Within25km, *s.MedianErrorKm)
	}
	if none := (&ledger{sent: map[string]photo{"a": {}}, settled: map[string]answer{}}).summarise(); none.MedianErrorKm != nil {
		t.Error("an error without any truth")
	}
}
