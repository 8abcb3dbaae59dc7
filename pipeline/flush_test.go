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
