package pipeline

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"planetag/consumer/devbroker"
)

// TestStopDuringAModelCall: the worker waits for the call, within the deadline, and never ends before it as if all were
// well. Whatever the call was for is done by the next worker.
func TestStopDuringAModelCall(t *testing.T) {
	testLibrary(t)
	nothingStays(t)
	for name, returns := range map[string]bool{"that returns": true, "that does not": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			world, tr := newStuckWorld(t, nil), newTrap(t, false)
			world.send()
			world.cfg.Shutdown.Deadline = Duration(4 * time.Second)
			world.cfg.Watchdog.Model = Duration(time.Minute) // it is not what this is about
			first := world.start(tr.inModel)
			world.await("a model call", tr.sprung.Load)
			first.stop()
			time.Sleep(time.Second)
			if len(first.ended) > 0 {
				t.Errorf("ended with %v beside a model call", <-first.ended)
			}
			if returns {
				tr.open()
			}
			world.await("a stop", func() bool { return len(first.ended) > 0 })
			switch err := <-first.ended; {
			case returns && err != nil:
				t.Errorf("stopped with %v", err)
			case !returns && (!errors.Is(err, ErrShutdown) || !strings.Contains(err.Error(), "model in stage photos")):
				t.Errorf("stopped with %v, want it to say what is in progress", err)
			}
			tr.open()
			second := world.start(nil)
			t.Cleanup(second.stop)
			world.await("all answers", world.complete)
			world.mustStop(second)
			world.exactlyOnce()
		})
	}
}

// TestOutageIsNotStuck keeps the broker or the store away for longer than every limit: nothing is called stuck, /live
// says 200 all the time, /ready does not, and afterwards all is answered exactly once.
func TestOutageIsNotStuck(t *testing.T) {
	testLibrary(t)
	nothingStays(t)
	for name, of := range map[string]struct {
		broker bool
		says   string
	}{
		"broker": {true, "is not a member of its group"}, "store": {false, "has not got on for"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var away atomic.Bool
			begun := make(chan struct{})
			begin := sync.OnceFunc(func() { away.Store(true); close(begun) })
			world := newStuckWorld(t, func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodGet || !strings.HasSuffix(r.URL.Path, ".jpg") {
					return false
				}
				begin() // in the middle of the work
				if of.broker || !away.Load() {
					return false
				}
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			})
			world.broker.OnRequest(func(int16) devbroker.Fault { return devbroker.Fault{LoseRequest: of.broker && away.Load()} })
			c := &world.cfg
			c.Watchdog.Transaction, c.Watchdog.Album, c.Watchdog.Stage = Duration(8*time.Second), Duration(8*time.Second), Duration(8*time.Second)
			c.Kafka.TransactionTimeout, c.HTTP.StallAfter = Duration(4*time.Second), Duration(time.Second)
			w := world.start(nil)
			t.Cleanup(w.stop)
			world.awaitReady(w) // an outage before a stage has joined its group is one of the start, which ends the worker
			world.send()
			<-begun
			world.mustWait(w, of.says, 12*time.Second)
			away.Store(false)
			world.await("all answers", world.complete)
			if bites := w.bites(t); bites != "" {
				t.Errorf("called stuck: %s", bites)
			}
			world.awaitReady(w)
			world.mustStop(w)
			world.exactlyOnce()
		})
	}
}

// mustWait watches the probes of a worker in an outage: live all the time, and in the end not ready for the reason given.
func (w *stuckWorld) mustWait(s *stuckWorker, says string, outage time.Duration) {
	w.t.Helper()
	for deadline := time.Now().Add(outage); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		if live, reason := s.health.Live(); !live {
			w.t.Fatalf("not live in an outage: %s", reason)
		}
	}
	if ready, reason := s.health.Ready(); ready || !strings.Contains(reason, says) {
		w.t.Errorf("ready is %v: %q, want it to say %q", ready, reason, says)
	}
}
