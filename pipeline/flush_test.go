package pipeline

import (
	"testing"
	"testing/synctest"
	"time"
)

// Of a partition that keeps up no photo waits longer than an interval for its transaction; behind a backlog none waits longer
// than flushStretch of them.
func TestABacklogMakesTransactionsLarger(t *testing.T) {
	const interval = 100 * time.Millisecond
	for _, row := range []struct {
		name    string
		backlog func(waited time.Duration) bool
		want    time.Duration
	}{
		{"a partition that keeps up", func(time.Duration) bool { return false }, interval},
		{"a backlog", func(time.Duration) bool { return true }, flushStretch * interval},
		{"a backlog that is worked off meanwhile", func(waited time.Duration) bool { return waited < 2*interval }, 2 * interval},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := flush{interval: interval}
				began := time.Now()
				f.begin()
				for <-f.due; f.later(row.backlog(time.Since(began))); <-f.due {
				}
				if waited := time.Since(began); waited != row.want {
					t.Errorf("committed after %v, want %v", waited, row.want)
				}
				if f.end(); f.due != nil {
					t.Error("a transaction that has ended is due")
				}
			})
		})
	}
}

// The line of a partition that is behind need not be full for that: its photos also wait for memory.
func TestALineIsCrowdedFromItsHalf(t *testing.T) {
	for _, row := range []struct {
		room, inFlight int
		want           bool
	}{{64, 0, false}, {64, 31, false}, {64, 32, true}, {64, 64, true}, {1, 0, false}, {1, 1, true}} {
		queue := make(chan *flight, row.room)
		for range row.inFlight {
			queue <- &flight{}
		}
		if got := (&flightLine{queue: queue}).crowded(); got != row.want {
			t.Errorf("%d photos in a line for %d: crowded is %v", row.inFlight, row.room, got)
		}
	}
}
