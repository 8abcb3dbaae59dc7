package chaos

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// TestTheHarnessCatchesAWorkerThatCommitsOutsideOfItsTransactions runs what exactly_once must survive with a worker that publishes first and remembers later. If this finds
// nothing, a clean report means nothing either.
func TestTheHarnessCatchesAWorkerThatCommitsOutsideOfItsTransactions(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a minute")
	}
	set := build(t, 1)
	for seed := range uint64(3) { // five deaths may all miss the gap between publishing and remembering, about once in a hundred runs
		r := row{
			name: fmt.Sprintf("careless-%d", seed), injects: "kill -9 of workers", workers: 2, references: 800, albums: 50, faults: 5, strike: killBusyWorkers,
			// Each photo is published and remembered for itself, so that the gap is always near.
			settings: map[string]string{"KAFKA_DELIVERY": "at_least_once", "PHOTOS_FLUSH_RECORDS": "1"},
		}
		out, _ := perform(t, set, r, seed)
		t.Logf("found %d lost, %d twice, %d wrong", out.findings.Lost, out.findings.Twice, out.findings.Wrong)
		if out.findings.Lost > 0 {
			t.Errorf("%d lost: a worker that delivers at least once loses nothing", out.findings.Lost)
		}
		if out.findings.Twice > 0 {
			return
		}
	}
	t.Error("a worker without transactions died with work in its hands and nothing came twice: either it had none, or the harness is blind")
}

// killBusyWorkers kills workers that have far more to do than they can have done.
func killBusyWorkers(ctx context.Context, s *scene, faults int) {
	s.release(ctx, len(s.queue)/2)
	share := len(s.queue) / faults
	for range faults {
		s.release(ctx, share)
		for range 20 { // until the group has got over the last death
			if s.strikeWhenVisible(ctx) {
				break
			}
		}
		s.pause(ctx, s.between(100*time.Millisecond, 300*time.Millisecond)) // it was one of them: now all of them work
		s.fleet.kill9(s.fleet.running[0])                                   // the oldest: a newcomer may not have work yet
		s.counts["kill -9"]++
		s.fleet.start()
	}
}
