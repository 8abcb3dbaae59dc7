package chaos

import (
	"cmp"
	"context"
	"time"

	"planetag/deploy/realkafka"
)

// row is one line of the report: what is sent, what is broken meanwhile.
type row struct {
	name       string
	injects    string
	workers    int
	references int
	albums     int
	settings   map[string]string
	strike     func(ctx context.Context, s *scene, faults int)
	faults     int
	check      func(s *scene) // what the row promises beyond the ledger; nil = nothing
}

// rows are the lines of the full report; short makes them small enough for every test run.
func rows(short bool) []row {
	list := []row{
		{name: "kills", injects: "kill -9 of workers", workers: 3, faults: 22, strike: killWorkers, check: redone},
		{name: "zombies", injects: "SIGSTOP beyond the session time-out", workers: 3, faults: 10, strike: freezeWorkers},
		{name: "brokers", injects: "kill -9 of brokers, and of a worker each time", workers: 3, faults: 6, strike: killBrokers},
		{name: "scale", injects: "1 → 4 → 2 → 3 workers, by SIGTERM and by kill -9", workers: 1, faults: 5, strike: rescale},
		{
			name: "closes", injects: "a rebalance or kill -9 while album answers are uncommitted", workers: 2, faults: 20, strike: strikeCloses,
			settings: map[string]string{"ALBUMS_IDLE": "500ms"},
		},
	}
	for i := range list {
		list[i].references, list[i].albums = 20000, 1000
		if short {
			list[i].references, list[i].albums = 2000, 100
			list[i].faults = map[string]int{"brokers": 1, "zombies": 2}[list[i].name]
			list[i].faults = cmp.Or(list[i].faults, 3)
		}
	}
	list = append(list,
		row{
			name: "crowded", injects: "very many albums open at once, a very large one among them", workers: 2, references: 20000, albums: 1000, faults: 100000,
			strike:   crowdAlbums, // nothing closes by itself in time
			settings: map[string]string{"ALBUMS_IDLE": "1h", "ALBUMS_MAX_AGE": "2h", "ALBUMS_MAX_PHOTOS": "20000", "MEMORY_BUDGET": "256MiB"},
		},
		row{name: "retention", injects: "the input's log is cut before it was read", workers: 1, references: 2000, albums: 100, faults: 2, strike: deleteUnread},
	)
	if short { // one of each is enough to see that the harness works and that nothing has rotted
		return []row{list[0], list[1], list[2], list[4]}
	}
	return list
}

// killWorkers kills one worker after the other, half of them at the moment in which their work gets visible, and starts another.
func killWorkers(ctx context.Context, s *scene, faults int) {
	share := len(s.queue)/faults + 1
	for range faults {
		s.release(ctx, share)
		s.pause(ctx, s.between(500*time.Millisecond, 3*time.Second))
		if s.rng.IntN(2) == 0 {
			s.strikeWhenVisible(ctx)
		}
		s.fleet.kill9(s.victim())
		s.counts["kill -9"]++
		s.pause(ctx, s.between(0, time.Second))
		s.fleet.start()
	}
}

// freezeWorkers makes zombies: a worker sleeps until others have long taken its partitions over, and wakes with work in its hands.
func freezeWorkers(ctx context.Context, s *scene, faults int) {
	share := len(s.queue)/faults + 1
	for range faults {
		s.pause(ctx, s.between(200*time.Millisecond, time.Second))
		s.release(ctx, share/2)
		s.strikeWhenVisible(ctx) // the first answers of many: whoever is frozen now has work in its hands
		w := s.victim()
		w.freeze()
		s.release(ctx, share-share/2)
		s.pause(ctx, session+s.between(time.Second, 4*time.Second))
		w.thaw()
		s.counts["SIGSTOP"]++
		s.pause(ctx, s.between(time.Second, 2*time.Second))
	}
}

// killBrokers kills one broker after the other, each with work on its way, and a worker with every one.
func killBrokers(ctx context.Context, s *scene, faults int) {
	share := len(s.queue)/faults + 1
	for i := range faults {
		s.release(ctx, share)
		s.pause(ctx, s.between(500*time.Millisecond, 2*time.Second))
		s.strikeWhenVisible(ctx)
		b := s.set.brokers[i%len(s.set.brokers)]
		b.Kill9()
		s.counts["broker kill -9"]++
		s.fleet.kill9(s.victim())
		s.counts["kill -9"]++
		away := s.between(500*time.Millisecond, 5*time.Second)
		if len(s.set.brokers) == 1 {
			away += realkafka.Missed // why: see realkafka.StartSplit
		}
		s.pause(ctx, away)
		b.Restart()
		s.fleet.start()
		s.waitWork(ctx)
		s.pause(ctx, s.between(0, 2*time.Second))
		s.fleet.tend()
	}
}

// rescale changes the number of workers every few seconds, and measures how long after the last change every partition works again.
func rescale(ctx context.Context, s *scene, faults int) {
	share := len(s.queue)/(faults*4+2) + 1
	for round := range faults {
		for _, n := range []int{4, 2, 3, 1} {
			s.release(ctx, share)
			s.pause(ctx, s.between(time.Second, 3*time.Second))
			s.fleet.scale(n, round%2 == 1)
			s.counts["rescaling"]++
		}
	}
	s.fleet.scale(3, false)
	s.counts["rescaling"]++
	changed := time.Now()
	for len(s.queue) > 0 { // a steady trickle, so that every partition has something to show
		s.release(ctx, 20)
		s.pause(ctx, 100*time.Millisecond)
		slowest, ok := s.ledger.allWorkedSince(changed)
		if !ok {
			continue
		}
		s.note("every partition worked again %.1f s after the last change (bound: %v)", slowest.Seconds(), 2*session)
		if slowest > 2*session {
			s.t.Errorf("a partition rested for %v after the last change, want at most %v", slowest, 2*session)
		}
		s.release(ctx, len(s.queue))
		return
	}
	s.t.Errorf("not every partition worked again within %v after the last change", time.Since(changed))
}

// strikeCloses waits until answers of an album are written and not yet committed, and kills a worker or changes the group in that moment.
func strikeCloses(ctx context.Context, s *scene, faults int) {
	share := len(s.queue)/faults + 1
	watch := s.watchUncommitted(ctx)
	defer watch.stop()
	for i := range faults {
		s.release(ctx, share)
		if !watch.albumAnswer(ctx, 20*time.Second) {
			s.note("no album closed for strike %d", i)
			continue
		}
		if i%2 == 0 {
			s.fleet.kill9(s.victim())
			s.counts["kill -9 in a close"]++
			s.fleet.start()
			continue
		}
		s.fleet.start()
		s.counts["rebalance in a close"]++
		s.pause(ctx, s.between(0, 300*time.Millisecond))
		s.fleet.terminate(s.fleet.running[0])
	}
}

// redone holds that a kill costs the CNN at most one flush and what was in flight, of every partition that one worker can have.
func redone(s *scene) {
	bound := partitions * (flush + inFlight)
	s.note("the CNN had seen at most %d photos for nothing at a kill (bound: %d)", s.fleet.redone, bound)
	if s.fleet.redone > bound {
		s.t.Errorf("a kill cost %d photos of CNN work, want at most %d", s.fleet.redone, bound)
	}
}
