package pipeline

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"planetag/consumer/devbroker"
	"planetag/enrich"
	"planetag/enrich/decode"
)

// trap holds its first caller: until it is told to stop, if it listens, else until the trap is opened.
type trap struct {
	listens bool
	sprung  atomic.Bool
	opened  chan struct{}
	open    func()
}

func newTrap(t *testing.T, listens bool) *trap {
	tr := &trap{listens: listens, opened: make(chan struct{})}
	tr.open = sync.OnceFunc(func() { close(tr.opened) })
	t.Cleanup(tr.open)
	return tr
}

func (tr *trap) pass(ctx context.Context) error {
	if tr.sprung.Swap(true) {
		return nil
	}
	if !tr.listens {
		ctx = context.Background()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-tr.opened:
		return nil
	}
}

type trappedCNN struct {
	embedder
	*trap
}

func (c trappedCNN) Embed(ctx context.Context, pixels [][]byte) ([]enrich.Sight, error) {
	if err := c.pass(ctx); err != nil {
		return nil, err
	}
	return c.embedder.Embed(ctx, pixels)
}

type trappedAlbum struct {
	passer
	*trap
}

func (a trappedAlbum) Album(ctx context.Context, mode string, members []enrich.Member) ([]enrich.Reading, error) {
	if err := a.pass(ctx); err != nil {
		return nil, err
	}
	return a.passer.Album(ctx, mode, members)
}

type trappedDecoder struct {
	decoder
	*trap
}

func (d trappedDecoder) Decode(ctx context.Context, data, dst []byte) (decode.Photo, error) {
	_ = d.pass(context.Background())
	return d.decoder.Decode(ctx, data, dst)
}

func (tr *trap) inModel(w *worker) {
	w.batcher = NewBatcher(watchedModel{trappedCNN{w.model, tr}, w.watchdog}, w.cfg.Batch, w.metrics)
}
func (tr *trap) inAlbum(w *worker)  { w.passer = trappedAlbum{w.model, tr} }
func (tr *trap) inDecode(w *worker) { w.decoder = trappedDecoder{w.model, tr} }

// TestStuckWorkerLetsGo gets one part of a worker stuck, beside another worker of the same group. Whichever it is: it is
// reported, the other finishes what the stuck one held, every photo is answered exactly once, and the stuck one recovers
// or ends with ErrStuck.
func TestStuckWorkerLetsGo(t *testing.T) {
	testLibrary(t)
	nothingStays(t)
	for _, row := range []struct {
		name    string
		part    func(*trap) func(*worker)
		listens bool
		returns bool // in time, without listening
		bite    string
		archive bool // the photos come by the backfill topic
	}{
		{"model call that listens", func(tr *trap) func(*worker) { return tr.inModel }, true, false, "model", false},
		{"model call that returns late", func(tr *trap) func(*worker) { return tr.inModel }, false, true, "model", false},
		{"model call that never returns", func(tr *trap) func(*worker) { return tr.inModel }, false, false, "model", false},
		{"model call that listens, on an archive", func(tr *trap) func(*worker) { return tr.inModel }, true, false, "model", true},
		{"model call that never returns, on an archive", func(tr *trap) func(*worker) { return tr.inModel }, false, false, "model", true},
		{"album model that listens", func(tr *trap) func(*worker) { return tr.inAlbum }, true, false, "model", false},
		{"album model that returns late", func(tr *trap) func(*worker) { return tr.inAlbum }, false, true, "model", false},
		{"decode that returns late", func(tr *trap) func(*worker) { return tr.inDecode }, false, true, "decode", false},
		{"decode that never returns", func(tr *trap) func(*worker) { return tr.inDecode }, false, false, "decode", false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			world, tr := newStuckWorld(t, nil), newTrap(t, row.listens)
			if row.archive {
				world.topic = world.cfg.Topics.Backfill
			}
			stuck := world.start(row.part(tr))
			t.Cleanup(stuck.stop)
			if !row.listens && !row.returns {
				world.mustTakeOver(stuck, row.bite)
				return
			}
			world.send()
			world.await("a bite", func() bool { return stuck.bites(t) == row.bite })
			live, _ := stuck.health.Live()
			if live && !row.listens {
				t.Error("/live says 200 while a call does not return")
			}
			if row.returns {
				tr.open()
				world.await("recovery", func() bool { live, _ := stuck.health.Live(); return live })
			}
			world.await("all answers", world.complete)
			world.mustStop(stuck)
			world.exactlyOnce()
		})
	}
}

// mustTakeOver has the work shared by two members of the same generation. Then one is stuck for ever: the other must get
// what that one holds, although nobody joins the group, before that one gives itself up.
func (w *stuckWorld) mustTakeOver(stuck *stuckWorker, bite string) {
	w.t.Helper()
	w.awaitReady(stuck)
	other := w.start(nil)
	defer other.stop()
	w.awaitReady(other)
	w.awaitReady(stuck)
	w.send()
	w.await("a bite", func() bool { return stuck.bites(w.t) == bite })
	if live, _ := stuck.health.Live(); live {
		w.t.Error("/live says 200 while a call does not return")
	}
	w.await("all answers", w.complete)
	if len(stuck.ended) > 0 {
		w.t.Error("the membership ended with the process, not before")
	}
	w.await("the end of the stuck worker", func() bool { return len(stuck.ended) > 0 })
	if err := <-stuck.ended; !errors.Is(err, ErrStuck) {
		w.t.Errorf("the stuck worker ended with %v", err)
	}
	w.mustStop(other)
	w.exactlyOnce()
}

func (w *stuckWorld) awaitReady(s *stuckWorker) {
	w.t.Helper()
	w.await("readiness", func() bool { ready, _ := s.health.Ready(); return ready })
}

func (w *stuckWorld) mustStop(s *stuckWorker) {
	w.t.Helper()
	s.stop()
	w.await("a stop", func() bool { return len(s.ended) > 0 })
	if err := <-s.ended; err != nil {
		w.t.Errorf("stopped with %v", err)
	}
}

// txnOffsetCommit is the last request of a transaction but one.
const txnOffsetCommit = 28

// TestSilenceIsNotAlwaysStuck: a store or a broker that does not answer is waited for by time-outs; only where they fail
// does the watchdog step in. Either way nothing is lost and nothing comes twice.
func TestSilenceIsNotAlwaysStuck(t *testing.T) {
	testLibrary(t)
	nothingStays(t)
	for _, row := range []struct {
		name          string
		store, commit bool
		edit          func(c *Config)
		bite          string
	}{
		{"an attempt that its time-out ends", true, false, func(c *Config) {
			c.S3.Timeout, c.Watchdog.Fetch = Duration(time.Second), Duration(20*time.Second)
		}, ""},
		{"an attempt that nothing ends", true, false, func(*Config) {}, "fetch"},
		{"a commit that its time-out ends", false, true, func(c *Config) { c.Kafka.TransactionTimeout = Duration(4 * time.Second) }, ""},
		{"a commit that nothing ends", false, true, func(c *Config) { c.Watchdog.Transaction = Duration(2 * time.Second) }, "transaction"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			silent := newTrap(t, true)
			world := newStuckWorld(t, func(_ http.ResponseWriter, r *http.Request) bool {
				return row.store && r.Method == http.MethodGet && silent.pass(r.Context()) != nil
			})
			row.edit(&world.cfg)
			world.send()
			world.broker.OnFrame(func(key int16, frame []byte) devbroker.Fault {
				if row.commit && key == txnOffsetCommit && bytes.Contains(frame, []byte("planetag.photos/")) {
					_ = silent.pass(context.Background())
				}
				return devbroker.Fault{}
			})
			w := world.start(nil)
			t.Cleanup(w.stop)
			world.await("all answers", world.complete)
			if got := w.bites(t); got != row.bite || !silent.sprung.Load() {
				t.Errorf("stuck: %q, want %q", got, row.bite)
			}
			silent.open() // what was held arrives now, long after its transaction
			world.mustStop(w)
			world.exactlyOnce()
		})
	}
}
