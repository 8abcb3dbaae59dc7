package consumer

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/segmentio/kafka-go/compress"
)

// answerOf joins batches to an answer.
func answerOf(list []aborted, batches ...[]byte) *fetched {
	f := &fetched{aborted: list}
	for _, b := range batches {
		f.data = append(f.data, b...)
	}
	return f
}

func TestVisible(t *testing.T) {
	const txn, control = transactionalBit, transactionalBit | controlBit
	data := func(base int64, producer int64, attributes int16, value byte) []byte {
		return rawBatch(base, 0, attributes, producer, 1, rawRecord(0, value))
	}
	marker := func(base, producer int64) []byte { return data(base, producer, control, 0) }
	corrupt := data(9, 1, 0, 'z')
	corrupt[len(corrupt)-1]++

	rows := []struct {
		story  string
		answer *fetched
		from   int64
		want   string
		next   int64
		broken bool
	}{
		{"plain records", answerOf(nil, data(0, -1, 0, 'a'), data(1, -1, 0, 'b')), 0, "ab", 2, false},
		{"nothing", answerOf(nil), 5, "", 5, false},
		{"a commit", answerOf(nil, data(0, 1, txn, 'a'), marker(1, 1)), 0, "a", 2, false},
		{"an abort", answerOf([]aborted{{1, 0}}, data(0, 1, txn, 'a'), marker(1, 1)), 0, "", 2, false},
		{"an abort, then a commit of the same producer", answerOf([]aborted{{1, 0}},
			data(0, 1, txn, 'a'), marker(1, 1), data(2, 1, txn, 'b'), marker(3, 1)), 0, "b", 4, false},
		{"a commit, then an abort of the same producer", answerOf([]aborted{{1, 2}},
			data(0, 1, txn, 'a'), marker(1, 1), data(2, 1, txn, 'b'), marker(3, 1)), 0, "a", 4, false},
		{"two aborts of one producer, listed backwards", answerOf([]aborted{{1, 3}, {1, 0}},
			data(0, 1, txn, 'a'), marker(1, 1), data(2, -1, 0, 'b'), data(3, 1, txn, 'c'), marker(4, 1)), 0, "b", 5, false},
		{"producers that interleave", answerOf([]aborted{{1, 0}},
			data(0, 1, txn, 'a'), data(1, 2, txn, 'b'), data(2, 1, txn, 'c'), marker(3, 2), marker(4, 1)), 0, "b", 5, false},
		{"an abort that began before the fetch", answerOf([]aborted{{1, 0}},
			data(7, 1, txn, 'a'), marker(8, 1), data(9, 1, txn, 'b')), 7, "b", 10, false},
		{"a plain batch of a producer with an abort", answerOf([]aborted{{1, 0}}, data(0, 1, 0, 'a'), marker(1, 1)), 0, "a", 2, false},
		{"a batch that compaction emptied", answerOf(nil, rawBatch(0, 4, 0, 1, 0, nil), data(5, -1, 0, 'a')), 0, "a", 6, false},
		{"only empty batches", answerOf(nil, rawBatch(0, 4, 0, 1, 0, nil), rawBatch(5, 9, 0, 1, 0, nil)), 0, "", 15, false},
		{"a batch from before the position", answerOf(nil, data(0, -1, 0, 'a'), data(1, -1, 0, 'b')), 1, "b", 2, false},
		{"the last batch is cut", answerOf(nil, data(0, -1, 0, 'a'), data(1, -1, 0, 'b')[:40]), 0, "a", 1, false},
		{"a corrupt batch after a good one", answerOf(nil, data(8, -1, 0, 'a'), corrupt), 8, "a", 9, false},
		{"a corrupt batch first", answerOf(nil, corrupt), 9, "", 9, true},
	}
	for _, row := range rows {
		t.Run(row.story, func(t *testing.T) {
			records, next, err := row.answer.visible(topicPartition{"t", 2}, row.from)
			var got []byte
			for _, r := range records {
				got = append(got, r.Value...)
			}
			if diff := cmp.Diff(row.want, string(got)); diff != "" || next != row.next || errors.Is(err, errCorrupt) != row.broken {
				t.Fatalf("saw %q, next %d, %v; want %q, next %d, broken %v", got, next, err, row.want, row.next, row.broken)
			}
		})
	}
}

func TestReadFetchedNeedsItsPartition(t *testing.T) {
	if _, err := readFetched(nil, 3); err == nil {
		t.Error("a version without transactions was accepted")
	}
	if _, err := readFetched([]byte{0, 0, 0, 0}, 11); !errors.Is(err, errCorrupt) {
		t.Errorf("a cut answer: %v", err)
	}
	refusedSession := append(make([]byte, 4), 0, 71, 0, 0, 0, 0, 0, 0, 0, 0)
	if f, err := readFetched(refusedSession, 11); err != nil || f.code != 71 {
		t.Errorf("an answer with a code and no partition: %+v, %v", f, err)
	}
}

func FuzzFetched(f *testing.F) {
	f.Add(rawBatch(0, 1, 0, -1, 2, append(rawRecord(0, 'a'), rawRecord(1, 'b')...)), int16(11))
	f.Add(rawBatch(0, 0, controlBit|transactionalBit, 7, 1, rawRecord(0, 'c')), int16(4))
	f.Add(rawBatch(3, 2, int16(compress.Lz4), 7, 0, nil), int16(7))
	f.Add([]byte{}, int16(11))
	f.Fuzz(func(t *testing.T, data []byte, version int16) {
		if answer, err := readFetched(data, version); err == nil {
			answer.data = data
		}
		answer := &fetched{data: data, aborted: []aborted{{7, 0}, {9, 4}}}
		records, next, err := answer.visible(topicPartition{"t", 0}, 0)
		if next < 0 || err != nil && next != 0 {
			t.Fatalf("next %d after %v", next, err)
		}
		for _, r := range records {
			if r.Topic != "t" {
				t.Fatalf("record %+v", r)
			}
		}
	})
}
