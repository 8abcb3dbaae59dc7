package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptrace"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// storeModel is a store in virtual time: it works on so many requests at once, each for some time, and the rest queue.
type storeModel struct {
	mu       sync.Mutex
	capacity int
	service  time.Duration
	down     error
	busy     int
	asked    []time.Time
}

// serve is one request; what is over the capacity takes longer in proportion.
func (m *storeModel) serve() error {
	m.mu.Lock()
	m.asked = append(m.asked, time.Now())
	m.busy++
	down, wait := m.down, m.service*time.Duration(max(m.busy, m.capacity))/time.Duration(m.capacity)
	m.mu.Unlock()
	if down != nil {
		wait = time.Millisecond
	}
	time.Sleep(wait * time.Duration(90+rand.IntN(20)) / 100)
	m.mu.Lock()
	defer m.mu.Unlock()
	m.busy--
	return down
}

func (m *storeModel) set(capacity int, down error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.capacity, m.down = capacity, down
}

func (m *storeModel) since(t time.Time) (n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, at := range m.asked {
		if at.After(t) {
			n++
		}
	}
	return n
}

// readers read through a limit for ever, as the walks of all partitions do, until ctx ends.
func readers(ctx context.Context, n int, l *readLimit, m *storeModel) (wait func()) {
	var all sync.WaitGroup
	for range n {
		all.Go(func() {
			for first := true; ctx.Err() == nil; {
				r, err := l.acquire(ctx)
				if err != nil {
					return
				}
				if err := m.serve(); err != nil {
					r.fail("connection", first, err)
					_ = sleep(ctx, firstPause)
					first = false
					continue
				}
				r.answer()
				r.succeed()
				first = true
			}
		})
	}
	return all.Wait
}

// simulated runs readers, on a limit from 2 to 128.
func simulated(t *testing.T, n int, m *storeModel, f func(t *testing.T, l *readLimit, log *bytes.Buffer)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		l := newReadLimit(2, 128)
		l.log = slog.New(slog.NewTextHandler(&text, nil))
		ctx, cancel := context.WithCancel(t.Context())
		defer readers(ctx, n, l, m)()
		defer cancel()
		f(t, l, &text)
	})
}

func (l *readLimit) state() (limit, inFlight int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now(), l.inFlight
}

func TestLimitFollowsTheStore(t *testing.T) {
	m := &storeModel{capacity: 1000, service: 100 * time.Millisecond}
	simulated(t, 384, m, func(t *testing.T, l *readLimit, _ *bytes.Buffer) {
		time.Sleep(5 * time.Second)
		if limit, n := l.state(); limit != 128 || n != 128 {
			t.Errorf("a store that is quick is read by %d of %d, want all that are allowed", n, limit)
		}
		m.set(20, nil) // latency rises with each reader beyond the 20th
		time.Sleep(20 * time.Second)
		// Twice the latency without a queue and 20 ms are good: that is 44 readers.
		if limit, _ := l.state(); limit < 15 || limit > 70 {
			t.Errorf("a store that does 20 at a time is read by %d", limit)
		}
		m.set(1000, nil)
		time.Sleep(20 * time.Second)
		if limit, _ := l.state(); limit < 100 {
			t.Errorf("a store that got well is read by %d", limit)
		}
		m.mu.Lock()
		m.service = 500 * time.Millisecond
		m.mu.Unlock()
		time.Sleep(2 * time.Minute)
		if limit, _ := l.state(); limit < 64 {
			t.Errorf("a store that is slower for good is read by %d", limit)
		}
	})
}

func TestLimitFallsWhenTheStoreAsksTo(t *testing.T) {
	m := &storeModel{capacity: 1000, service: 100 * time.Millisecond}
	simulated(t, 384, m, func(t *testing.T, l *readLimit, _ *bytes.Buffer) {
		time.Sleep(5 * time.Second)
		m.set(1000, errors.New("503 SlowDown"))
		time.Sleep(101 * time.Millisecond) // the reads of before, and the first refusals
		if limit, n := l.state(); limit > 64 || n > 64 {
			t.Errorf("%d reads in flight with a limit of %d after the first refusals, want a half or less", n, limit)
		}
	})
}

// TestOutageIsATrickle counts the requests of a worker whose store is away for an hour.
func TestOutageIsATrickle(t *testing.T) {
	m := &storeModel{capacity: 1000, service: 20 * time.Millisecond}
	simulated(t, 64, m, func(t *testing.T, l *readLimit, log *bytes.Buffer) {
		time.Sleep(5 * time.Second)
		m.set(1000, fmt.Errorf("%w: connection refused", ErrStorage))
		began := time.Now()
		time.Sleep(10 * time.Second)
		if n := m.since(began); n > 300 { // 64 were in flight, halved down to 2, and the probes
			t.Errorf("%d requests in the first 10 s", n)
		}
		settled := time.Now()
		time.Sleep(time.Hour)
		if n := m.since(settled); n < 3600/5 || n > 3600*2/5+10 {
			t.Errorf("%d requests in an hour of outage, want one every 2.5 to 5 s", n)
		}
		if limit, n := l.state(); limit != 1 || n > 1 {
			t.Errorf("%d of %d in flight", n, limit)
		}
		m.set(1000, nil)
		well := time.Now()
		time.Sleep(longProbe + 3*time.Second)
		if limit, n := l.state(); limit < 40 || n < 40 || m.since(well) < 1000 {
			t.Errorf("8 s after the outage %d of %d in flight and %d requests", n, limit, m.since(well))
		}
		for _, line := range []string{"store is sick", "store is well again"} {
			if n := strings.Count(log.String(), line); n != 1 {
				t.Errorf("the log says %d times %q:\n%s", n, line, log)
			}
		}
	})
}

// TestFlickerIsOneIllness: a store that lets one request through now and then is not well.
func TestFlickerIsOneIllness(t *testing.T) {
	m := &storeModel{capacity: 1000, service: 20 * time.Millisecond}
	simulated(t, 384, m, func(t *testing.T, l *readLimit, log *bytes.Buffer) {
		for range 30 {
			m.set(1000, ErrStorage)
			time.Sleep(10 * time.Second)
			m.set(1000, nil)
			l.mu.Lock()
			probe := time.Until(l.health.probe)
			l.mu.Unlock()
			time.Sleep(probe + 30*time.Millisecond)
		}
		if sick, well := strings.Count(log.String(), "is sick"), strings.Count(log.String(), "well again"); sick > 3 || well > 3 {
			t.Errorf("told %d times that it is sick and %d times that it is well", sick, well)
		}
	})
}

// TestPhotosAreNotTheStore: photos of which no attempt succeeds do not slow the others down.
func TestPhotosAreNotTheStore(t *testing.T) {
	m := &storeModel{capacity: 1000, service: 20 * time.Millisecond}
	simulated(t, 384, m, func(t *testing.T, l *readLimit, log *bytes.Buffer) {
		bad := &storeModel{capacity: 1000, service: time.Millisecond, down: ErrStorage}
		time.Sleep(5 * time.Second)
		ctx, cancel := context.WithCancel(t.Context())
		defer readers(ctx, 20, l, bad)()
		defer cancel()
		time.Sleep(20 * time.Second)
		if limit, _ := l.state(); limit < 64 || log.Len() > 0 {
			t.Errorf("the limit is %d, the log %q", limit, log)
		}
	})
}

// TestWaitingIsGettingOn as long as others read or the next look has its time, and not behind a place that was lost.
func TestWaitingIsGettingOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newReadLimit(1, 1)
		beats := 0
		ctx, cancel := context.WithCancelCause(httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{GetConn: func(string) { beats++ }}))
		held, err := l.acquire(ctx)
		if err != nil {
			t.Fatal(err)
		}
		because := errors.New("taken away")
		time.AfterFunc(time.Minute, func() { cancel(because) })
		if _, err := l.acquire(ctx); !errors.Is(err, because) {
			t.Errorf("%v, want the reason of the end", err)
		}
		if beats != 0 {
			t.Errorf("%d times said to get on behind a read that does not end", beats)
		}
		held.drop()
		if _, n := l.state(); n != 0 {
			t.Errorf("%d in flight after all have left", n)
		}
	})
}
