package consumer

import (
	"context"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"planetag/consumer/devbroker"
)

// listen records the requests of a transaction's life that the broker sees.
func listen(b broker) (heard func() []string) {
	var mu sync.Mutex
	var names []string
	watched := []protocol.ApiKey{
		protocol.FindCoordinator, protocol.InitProducerId, protocol.AddPartitionsToTxn, protocol.Produce,
		protocol.AddOffsetsToTxn, protocol.TxnOffsetCommit, protocol.EndTxn, protocol.OffsetFetch,
		protocol.OffsetCommit, protocol.JoinGroup,
	}
	b.OnRequest(func(key int16) devbroker.Fault {
		if slices.Contains(watched, protocol.ApiKey(key)) {
			mu.Lock()
			defer mu.Unlock()
			names = append(names, protocol.ApiKey(key).String())
		}
		return devbroker.Fault{}
	})
	return func() []string {
		mu.Lock()
		defer mu.Unlock()
		out := names
		names = nil
		return out
	}
}

func TestTheOrderOfRequestsIsTheGuarantee(t *testing.T) {
	b, c := newPair(t, 3)
	seed(t, c, input, 0, 30)
	heard := listen(b)

	a := take(t, c, 0)
	want := "[FindCoordinator InitProducerId EndTxn FindCoordinator OffsetFetch]"
	if got := fmt.Sprint(heard()); got != want {
		t.Errorf("taking over: %s\nwant %s: the offset must be read after the fence", got, want)
	}
	records := toOutput(fetchAll(t, a))
	for i := range records {
		records[i].Partition = i % 3
	}
	if err := a.Commit(t.Context(), records, a.Position()); err != nil {
		t.Fatal(err)
	}
	got := heard()
	if i := slices.Index(got, "AddOffsetsToTxn"); i >= 0 && (i == 1 || i == 2) {
		got = slices.Delete(got, i, i+1) // it may come before or after the records
	} else {
		t.Errorf("the offsets were announced in place %d of %v", i, got)
	}
	// No look-ups, and one produce request for all partitions.
	if want := "[AddPartitionsToTxn Produce TxnOffsetCommit EndTxn]"; fmt.Sprint(got) != want {
		t.Errorf("committing: %v, want %s", got, want)
	}

	least := take(t, newClient(t, b.Addr(), func(cfg *Config) { cfg.Delivery = AtLeastOnce }), 1)
	heard()
	if err := least.Commit(t.Context(), records[:3], 3); err != nil {
		t.Fatal(err)
	}
	if want := "[Produce OffsetCommit]"; fmt.Sprint(heard()) != want {
		t.Errorf("at least once: want %s", want)
	}
}

func TestLeavingDoesNotJoinOnceMore(t *testing.T) {
	b, c := newPair(t, 2)
	seed(t, c, input, 0, 20)
	stop := runGroup(t, newClient(t, b.Addr()), copyAll)
	eventually(t, "copied", func() bool { return committed(t, c, 2) == 20 })
	heard := listen(b)
	if err := stop(); err != nil {
		t.Fatal(err)
	}
	if got := heard(); slices.Contains(got, "JoinGroup") {
		t.Fatalf("on its way out: %v", got)
	}
}

func TestDoubtIsNotForgotten(t *testing.T) {
	_, c := newPair(t, 1)
	rows := []struct {
		story    string
		outcomes []error
		mayAbort bool
	}{
		{"refused", []error{kafka.IllegalGeneration}, true},
		{"refused after a pause", []error{kafka.ConcurrentTransactions, kafka.IllegalGeneration}, true},
		{"refused after a copy was lost", []error{io.EOF, kafka.IllegalGeneration}, false},
		{"fenced", []error{kafka.ProducerFenced}, false},
		{"timed out on the broker", []error{kafka.RequestTimedOut, kafka.OutOfOrderSequenceNumber}, false},
	}
	for _, row := range rows {
		t.Run(row.story, func(t *testing.T) {
			n := 0
			err := c.persist(t.Context(), attempt{what: "try"}, func(context.Context) error {
				n++
				return row.outcomes[n-1]
			})
			if n != len(row.outcomes) || mayAbort(err) != row.mayAbort {
				t.Fatalf("after %d attempts: %v, may abort %v, want %v", n, err, mayAbort(err), row.mayAbort)
			}
		})
	}
}
