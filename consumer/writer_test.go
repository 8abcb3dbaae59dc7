package consumer

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"planetag/consumer/devbroker"
)

func numbered(from, n int) (list []Record) {
	for i := from; i < from+n; i++ {
		list = append(list, Record{Topic: output, Partition: -1, Key: fmt.Appendf(nil, "k%d", i), Value: fmt.Appendf(nil, "%d", i)})
	}
	return list
}

// A Writer that sleeps through the beginning of the next one writes nothing more, and what it left open is never seen.
func TestTheNextWriterFencesTheOneBefore(t *testing.T) {
	b, c := newPair(t, 3)
	old, err := c.NewWriter(t.Context(), "lister")
	if err != nil {
		t.Fatal(err)
	}
	if err := old.Write(t.Context(), numbered(0, 10)); err != nil {
		t.Fatal(err)
	}
	// Killed in the middle of a transaction: it is begun and never ended.
	goods, err := old.producer.load(t.Context(), numbered(500, 5))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(old.producer.addPartitions(t.Context(), goods), old.producer.send(t.Context(), goods)); err != nil {
		t.Fatal(err)
	}
	next, err := c.NewWriter(t.Context(), "lister")
	if err != nil {
		t.Fatal(err)
	}
	var seen []string
	ends, err := c.Read(t.Context(), output, nil, func(r Record) error { seen = append(seen, string(r.Value)); return nil })
	if err != nil || len(seen) != 10 {
		t.Fatalf("read back %v, %v, want the ten that were committed", seen, err)
	}
	if err := old.Write(t.Context(), numbered(900, 1)); !errors.Is(err, ErrFenced) {
		t.Errorf("the old writer: %v, want ErrFenced", err)
	}
	if err := next.Write(t.Context(), numbered(10, 10)); err != nil {
		t.Fatal(err)
	}
	if err := old.Write(t.Context(), numbered(901, 1)); !errors.Is(err, ErrFenced) {
		t.Errorf("the old writer once more: %v, want ErrFenced", err)
	}
	wantOnce(t, b.Addr(), output, 20)
	seen = nil
	if _, err := c.Read(t.Context(), output, ends, func(r Record) error { seen = append(seen, string(r.Value)); return nil }); err != nil || len(seen) != 10 {
		t.Errorf("read on: %v, %v, want the ten behind", seen, err)
	}
}

// When the answer to the commit is lost, nobody may go on as if it were known.
func TestAWriterSaysWhenItDoesNotKnow(t *testing.T) {
	b, c := newPair(t, 1)
	w, err := c.NewWriter(t.Context(), "lister")
	if err != nil {
		t.Fatal(err)
	}
	const endTxn = 26
	b.OnRequest(func(key int16) devbroker.Fault {
		return devbroker.Fault{LoseAnswer: key == endTxn}
	})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := w.Write(ctx, numbered(0, 3)); !errors.Is(err, ErrRestart) {
		t.Fatalf("%v, want ErrRestart", err)
	}
	b.OnRequest(nil)
	if err := w.Write(ctx, numbered(3, 3)); !errors.Is(err, ErrRestart) {
		t.Errorf("the same writer again: %v, want ErrRestart", err)
	}
	if w, err = c.NewWriter(ctx, "lister"); err != nil {
		t.Fatal(err)
	}
	have := 0
	if _, err := c.Read(ctx, output, nil, func(Record) error { have++; return nil }); err != nil || have != 0 && have != 3 {
		t.Fatalf("%d records, %v, want all three or none", have, err)
	}
	if err := w.Write(ctx, numbered(have, 6-have)); err != nil {
		t.Fatal(err)
	}
	wantOnce(t, b.Addr(), output, 6)
}

func TestAWriterNeedsTransactions(t *testing.T) {
	b := newBroker(t)
	c := newClient(t, b.Addr(), func(c *Config) { c.Delivery = AtLeastOnce })
	if _, err := c.NewWriter(t.Context(), "lister"); !errors.Is(err, ErrDelivery) {
		t.Errorf("%v, want ErrDelivery", err)
	}
}

// Committed tells how far a group is, and that a group which never was has no offsets.
func TestCommittedTellsHowFarAGroupIs(t *testing.T) {
	_, c := newPair(t, 2)
	if got, err := c.Committed(t.Context(), "nobody", input); err != nil || got[0] != -1 || got[1] != -1 {
		t.Fatalf("no group: %v, %v", got, err)
	}
	seed(t, c, input, 0, 40)
	ends, err := c.Ends(t.Context(), input)
	if err != nil || ends[0]+ends[1] != 40 {
		t.Fatalf("ends %v, %v", ends, err)
	}
	stop := runGroup(t, c, copyAll)
	eventually(t, "the group is at the end", func() bool {
		got, err := c.Committed(t.Context(), "g", input)
		return err == nil && got[0] == ends[0] && got[1] == ends[1]
	})
	if err := stop(); err != nil {
		t.Error(err)
	}
}
