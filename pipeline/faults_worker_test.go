package pipeline

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"planetag/deploy/faults"
)

// located is the outcome of photos that a fault only delays.
func located(string) string { return "location" }

// hasty looks at a sick store more often: a fault that counts its requests heals by being asked.
func hasty(w *worker) { w.store.limit.longProbe = 200 * time.Millisecond }

// TestEveryFaultEndsRight sends photos through a worker whose store has one kind of fault: what heals is waited for, what
// does not heal is a dead letter of the right type, and each photo ends exactly once.
func TestEveryFaultEndsRight(t *testing.T) {
	testLibrary(t)
	nothingStays(t)
	heals := func(kind faults.Kind, share float64, first int) faults.Rule {
		return faults.Rule{Kind: kind, Share: share, First: first}
	}
	for _, row := range []struct {
		rule faults.Rule
		dead string
	}{
		{heals(faults.SlowDown, 0.4, 3), ""},
		{heals(faults.TooMany, 0.4, 3), ""},
		{heals(faults.ServerError, 0.4, 3), ""},
		{heals(faults.Gateway, 0.4, 3), ""},
		{heals(faults.Stall, 0.1, 1), ""},
		{heals(faults.Trickle, 0.1, 2), ""},
		{heals(faults.Truncate, 0.4, 3), ""},
		{heals(faults.Reset, 0.4, 3), ""},
		{heals(faults.Shorten, 0.4, 2), ""},
		{heals(faults.ErrorBody, 0.4, 3), ""},
		{heals(faults.Expired, 0.4, 3), ""},
		{heals(faults.Stranger, 0.4, 3), ""},
		{heals(faults.Unsigned, 0.4, 3), ""},
		{heals(faults.Skewed, 0.4, 3), ""},
		{heals(faults.Denied, 0.4, 2), ""},
		{heals(faults.Firewall, 0.4, 2), ""},
		{heals(faults.Ingress, 0.4, 2), ""},
		{heals(faults.NotFound, 0.4, 2), ""},
		{heals(faults.NoBucket, 0.4, 3), ""},
		{heals(faults.Changed, 0.4, 2), ""},
		{heals(faults.Elsewhere, 0.4, 3), ""},
		{heals(faults.BadRange, 0.2, 2), ""},
		{heals(faults.NotFound, 0.2, 0), "object_gone"},
		{heals(faults.Ingress, 0.2, 0), "object_gone"},
		{heals(faults.Denied, 0.2, 0), "object_denied"},
		{heals(faults.Changed, 0.2, 0), "object_changed"},
	} {
		t.Run(fmt.Sprintf("%s of %v %d times %s", row.rule.Kind, row.rule.Share, row.rule.First, row.dead), func(t *testing.T) {
			t.Parallel()
			plan := faults.Plan{Seed: 7, Rules: []faults.Rule{row.rule}, Pause: 20 * time.Millisecond}
			w := newSickWorld(t, plan)
			w.send(50)
			w.work(hasty)
			w.settle(40*time.Second, func(key string) string {
				if _, met := plan.Fate(key, 0); met && row.dead != "" {
					return row.dead
				}
				return "location"
			})
			if w.proxy.Hits()[row.rule.Kind] == 0 {
				t.Errorf("nobody met %s: %v", row.rule.Kind, w.proxy.Hits())
			}
		})
	}
}

// TestMixtureOfFaultsEndsRight rolls the faults of each request; a few photos can never be read.
func TestMixtureOfFaultsEndsRight(t *testing.T) {
	testLibrary(t)
	plan := faults.Plan{Seed: uint64(time.Now().UnixNano()), Pause: 20 * time.Millisecond, Rules: []faults.Rule{
		{Kind: faults.NotFound, Share: 0.03},
		{Kind: faults.Denied, Share: 0.03},
		{Kind: faults.Changed, Share: 0.03},
		{Kind: faults.SlowDown, Chance: 0.1},
		{Kind: faults.Truncate, Chance: 0.05},
		{Kind: faults.Reset, Chance: 0.05},
		{Kind: faults.Expired, Chance: 0.05},
		{Kind: faults.ErrorBody, Chance: 0.05},
		{Kind: faults.Ingress, Chance: 0.02},
		{Kind: faults.Unsigned, Chance: 0.03},
		{Kind: faults.Trickle, Chance: 0.01},
		{Kind: faults.Gateway, Chance: 0.05},
	}}
	t.Logf("seed %d", plan.Seed)
	dead := map[faults.Kind]string{faults.NotFound: "object_gone", faults.Denied: "object_denied", faults.Changed: "object_changed"}
	w := newSickWorld(t, plan)
	w.cfg.S3.GoneGrace = Duration(6 * time.Second) // a photo may wait for its turn for longer than for most other tests' grace
	w.send(300)
	w.work(hasty)
	w.settle(60*time.Second, func(key string) string {
		if rule, met := plan.Fate(key, 0); met && rule.Share > 0 {
			return dead[rule.Kind]
		}
		return "location"
	})
}

// TestHourOfOutageIsWaitedFor at a scale of 1 : 600: the store is away for 6 s, and looked at as often as in an hour. The
// partition waits, the lag shows it, nobody leaves the group, memory stays, nothing is a dead letter, and then all is read.
func TestHourOfOutageIsWaitedFor(t *testing.T) {
	testLibrary(t)
	const scale, outage = 600, 6 * time.Second
	w := newSickWorld(t, faults.Plan{})
	w.send(40)
	s := w.work(func(s *worker) { s.store.limit.longProbe = longProbe / scale * 10 })
	w.settle(20*time.Second, located)
	for _, kind := range []faults.Kind{faults.Gateway, faults.Expired, faults.Denied, faults.Ingress} {
		w.proxy.Down(kind)
		before := w.proxy.Requests()
		w.send(200) // more than may be in flight
		time.Sleep(outage / 12)
		early := heap()
		time.Sleep(outage / 6)
		if grown := heap() - early; grown > 4<<20 {
			t.Errorf("%s: the heap grew by %s", kind, Bytes(grown))
		}
		if lag := figure(t, s.reg, `planetag_lag_records{partition="0",stage="photos",topic="photos"}`) +
			figure(t, s.reg, `planetag_lag_records{partition="1",stage="photos",topic="photos"}`); lag == 0 {
			t.Errorf("%s: no lag to be seen", kind)
		}
		if figure(t, s.reg, "planetag_store_sick") != 1 || figure(t, s.reg, `planetag_store_reads{kind="limit"}`) != 1 {
			t.Errorf("%s: the metrics do not tell of it", kind)
		}
		// A burst of what was allowed to be in flight, and then one request at a time, each with one question why at most.
		if n := w.proxy.Requests() - before; n > 2*(firstLimit*4+int(outage/4*10*2/(longProbe/scale*10))) {
			t.Errorf("%s: %d requests", kind, n)
		}
		w.proxy.Up()
		w.settle(20*time.Second, located)
	}
	if n := w.log.count("partitions released"); n > 0 {
		t.Errorf("left the group %d times", n)
	}
	if sick, well := w.log.count("store is sick"), w.log.count("store is well again"); sick != 4 || well != 4 {
		t.Errorf("told %d times that the store is sick and %d times that it is well, want 4", sick, well)
	}
	if n := w.log.count("trying again"); n > 40 { // before it is known that it is not the photo
		t.Errorf("%d warnings about single photos", n)
	}
}

// heap is what is in use, garbage aside.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
