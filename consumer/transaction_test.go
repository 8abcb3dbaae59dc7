package consumer

import (
	"context"
	"errors"
	"testing"

	"github.com/segmentio/kafka-go/protocol"

	"planetag/consumer/devbroker"
)

func TestCommitShowsRecordsAndOffsetTogether(t *testing.T) {
	b, c := newPair(t, 1)
	seed(t, c, input, 0, 10)
	a := take(t, c, 0)
	if a.Position() != 0 || a.Committed() != 0 {
		t.Fatalf("a group without offsets begins at %d (committed %d), want 0", a.Position(), a.Committed())
	}
	records := fetchAll(t, a)
	if err := a.Commit(t.Context(), toOutput(records[:4]), 4); err != nil {
		t.Fatal(err)
	}
	wantOnce(t, b.Addr(), output, 4)
	if next := take(t, c, 0); next.Position() != 4 || next.Committed() != 4 {
		t.Fatalf("the next owner begins at %d, want 4", next.Position())
	}
}

func TestUncommittedRecordsOfACrashAreNeverSeen(t *testing.T) {
	b, c := newPair(t, 1)
	seed(t, c, input, 0, 10)
	crashing := newClient(t, b.Addr())
	a := take(t, crashing, 0)
	records := fetchAll(t, a)
	goods, err := a.producer.load(t.Context(), toOutput(records))
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		func() error { return a.producer.addPartitions(t.Context(), goods) },
		func() error { return a.producer.send(t.Context(), goods) },
		func() error { return a.addOffsets(t.Context()) },
		func() error { return a.commitOffsetInTransaction(t.Context(), 10) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	crashing.Close() // without a word: everything but the commit was done

	next := take(t, c, 0)
	if next.Position() != 0 {
		t.Fatalf("the next owner begins at %d, want 0", next.Position())
	}
	if seen := read(t, b.Addr(), output); len(seen) != 0 {
		t.Fatalf("%d records of an open transaction are visible", len(seen))
	}
	if err := next.Commit(t.Context(), toOutput(fetchAll(t, next)), 10); err != nil {
		t.Fatal(err)
	}
	wantOnce(t, b.Addr(), output, 10)
}

func TestZombieCannotCommit(t *testing.T) {
	b, c := newPair(t, 1)
	seed(t, c, input, 0, 10)
	zombie := take(t, newClient(t, b.Addr()), 0)
	records := fetchAll(t, zombie)

	owner := take(t, c, 0)
	if err := owner.Commit(t.Context(), toOutput(fetchAll(t, owner)), 10); err != nil {
		t.Fatal(err)
	}
	err := zombie.Commit(t.Context(), toOutput(records[:5]), 5)
	if !errors.Is(err, ErrFenced) || errors.Is(err, ErrRestart) {
		t.Fatalf("zombie's commit: %v, want ErrFenced", err)
	}
	if again := zombie.Commit(t.Context(), nil, 6); !errors.Is(again, ErrFenced) {
		t.Fatalf("second commit after a failure: %v, want the same error", again)
	}
	if _, again := zombie.Fetch(t.Context()); !errors.Is(again, ErrFenced) {
		t.Fatalf("fetch after a failure: %v, want the same error", again)
	}
	wantOnce(t, b.Addr(), output, 10)
	if next := take(t, c, 0); next.Position() != 10 {
		t.Fatalf("the offset went to %d, want 10", next.Position())
	}
}

func TestZombieInTheMiddleOfATransactionLosesIt(t *testing.T) {
	b, c := newPair(t, 1)
	seed(t, c, input, 0, 10)
	zombie := take(t, newClient(t, b.Addr()), 0)
	goods, err := zombie.producer.load(t.Context(), toOutput(fetchAll(t, zombie)))
	if err != nil {
		t.Fatal(err)
	}
	if err := zombie.producer.addPartitions(t.Context(), goods); err != nil {
		t.Fatal(err)
	}
	if err := zombie.producer.send(t.Context(), goods); err != nil {
		t.Fatal(err)
	}
	owner := take(t, c, 0)
	if err := zombie.producer.end(t.Context(), true); !errors.Is(err, ErrFenced) {
		t.Fatalf("zombie's commit: %v, want ErrFenced", err)
	}
	if err := owner.Commit(t.Context(), toOutput(fetchAll(t, owner)), 10); err != nil {
		t.Fatal(err)
	}
	wantOnce(t, b.Addr(), output, 10)
}

func TestStaleGenerationCannotCommit(t *testing.T) {
	for _, delivery := range []Delivery{ExactlyOnce, AtLeastOnce} {
		t.Run(string(delivery), func(t *testing.T) {
			b, c := newPair(t, 1)
			seed(t, c, input, 0, 10)
			c = newClient(t, b.Addr(), func(cfg *Config) { cfg.Delivery = delivery })
			m := membership{client: c, group: "g", stage: "s", topic: input, generation: 7, member: "gone"}
			a, err := m.open(t.Context(), 0)
			if err != nil {
				t.Fatal(err)
			}
			if err := a.Commit(t.Context(), nil, 5); !errors.Is(err, ErrFenced) {
				t.Fatalf("commit of a member that never was: %v, want ErrFenced", err)
			}
			if err := m.stands(t.Context()); !errors.Is(err, ErrFenced) {
				t.Fatalf("membership of a member that never was: %v, want ErrFenced", err)
			}
		})
	}
}

func TestCommitOfOffsetAlone(t *testing.T) {
	for _, delivery := range []Delivery{ExactlyOnce, AtLeastOnce} {
		t.Run(string(delivery), func(t *testing.T) {
			b, c := newPair(t, 1)
			seed(t, c, input, 0, 10)
			a := take(t, newClient(t, b.Addr(), func(cfg *Config) { cfg.Delivery = delivery }), 0)
			if err := a.Commit(t.Context(), nil, 7); err != nil {
				t.Fatal(err)
			}
			if next := take(t, c, 0); next.Position() != 7 {
				t.Fatalf("the next owner begins at %d, want 7", next.Position())
			}
		})
	}
}

func TestLargeTransactionKeepsOrder(t *testing.T) {
	b, c := newPair(t, 1)
	a := take(t, c, 0)
	var records []Record
	want := 64
	for i := range want { // 64 × 100 kB: several batches of one partition
		value := make([]byte, 100_000)
		value[0] = byte(i)
		records = append(records, Record{Topic: output, Partition: 0, Value: value})
	}
	if err := a.Commit(t.Context(), records, 0); err != nil {
		t.Fatal(err)
	}
	got := read(t, b.Addr(), output)
	if len(got) != want {
		t.Fatalf("%d records, want %d", len(got), want)
	}
	for i, r := range got {
		if len(r.Value) != 100_000 || r.Value[0] != byte(i) {
			t.Fatalf("record %d is number %d with %d bytes", i, r.Value[0], len(r.Value))
		}
	}
	if a.producer.sequences[topicPartition{output, 0}] != int32(want) {
		t.Fatalf("sequence is %d after %d records", a.producer.sequences[topicPartition{output, 0}], want)
	}
}

func TestCommitOutlivesItsContext(t *testing.T) {
	b, c := newPair(t, 1)
	seed(t, c, input, 0, 3)
	a := take(t, c, 0)
	records := fetchAll(t, a)
	ctx, cancel := context.WithCancel(t.Context())
	b.OnRequest(func(key int16) devbroker.Fault {
		if key == int16(protocol.AddPartitionsToTxn) {
			cancel() // told to stop in the middle
		}
		return devbroker.Fault{}
	})
	if err := a.Commit(ctx, toOutput(records), 3); err != nil {
		t.Fatal(err)
	}
	if err := a.Commit(ctx, nil, 3); !errors.Is(err, context.Canceled) {
		t.Fatalf("a transaction begun after the end: %v", err)
	}
	wantOnce(t, b.Addr(), output, 3)
}
