package backfill

import (
	"fmt"
	"testing"
)

// TestWhatHasALocationIsKnown tells the standing of a photo from the records of the locations topic, in their order.
func TestWhatHasALocationIsKnown(t *testing.T) {
	record := func(status, stage, sha, etag string) string {
		return fmt.Sprintf(`{"photo_id":"b/x/1.jpg","status":%q,"stage":%q,"model":{"sha256":%q},"source":{"etag":%q},"time":"2026-01-01T00:00:00Z"}`, status, stage, sha, etag)
	}
	for _, row := range []struct {
		story   string
		records []string // "" is a tombstone
		want    standing
	}{
		{"nothing", nil, unknown},
		{"located", []string{record("estimated", "photo", "sha", "e")}, located},
		{"abstained is an answer, too", []string{record("abstained", "photo", "sha", "e")}, located},
		{"by another bundle", []string{record("estimated", "photo", "old", "e")}, unknown},
		{"by another bundle since", []string{record("estimated", "photo", "sha", "e"), record("estimated", "photo", "old", "e")}, unknown},
		{"other bytes", []string{record("estimated", "photo", "sha", "f")}, unknown},
		{"taken away", []string{record("estimated", "photo", "sha", "e"), ""}, unknown},
		{"opted out", []string{record("opted_out", "photo", "", "")}, optedOut},
		{"opted out, and its album published once more", []string{record("opted_out", "photo", "", ""), record("estimated", "album", "sha", "e")}, optedOut},
		{"opted in again", []string{record("opted_out", "photo", "", ""), record("estimated", "photo", "sha", "e")}, located},
		{"rubbish", []string{record("estimated", "photo", "sha", "e"), "{"}, unknown},
	} {
		k := newKnown("b/x/", "sha")
		for _, r := range row.records {
			var value []byte
			if r != "" {
				value = []byte(r)
			}
			k.add([]byte("b/x/1.jpg"), value)
			k.add([]byte("b/other/1.jpg"), value)
		}
		if got := k.of("b/x/1.jpg", "e"); got != row.want || k.of("b/other/1.jpg", "e") != unknown {
			t.Errorf("%s: standing %d, want %d", row.story, got, row.want)
		}
	}
}
