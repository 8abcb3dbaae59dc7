package pipeline

import (
	"context"
	"log/slog"
	"math"
	"net/http/httptrace"
	"slices"
	"sync"
	"time"
)

// readLimit says how many reads of the store may be in flight. It is shared by all partitions of a worker.
//
// It is additive increase and multiplicative decrease, with two signals. Latency: the median time to the first byte of
// one window is compared with what it was when the store was quick; a store that takes more than twice as long has a
// queue, which more reads would only make longer. Failures: whatever may heal, a 503 as much as a reset, halves the
// limit. What began before the last decrease says nothing about the limit that it led to, so a burst of failures is one
// decrease.
//
// A store from which nothing can be read at all is sick: see readLimit.failed. Readers wait in the order in which they
// came.
type readLimit struct {
	least, most int
	longProbe   time.Duration
	observer    readObserver
	log         *slog.Logger

	mu       sync.Mutex
	limit    float64
	inFlight int
	queue    []*waiter
	crowded  bool // somebody had to wait since the limit last changed: only then would a higher limit change anything
	doubling bool // until the first decrease
	lowered  time.Time
	samples  []time.Duration
	base     time.Duration // to the first byte, without a queue; 0 = not known
	moved    uint64        // changes whenever a read begins or ends
	health   storeHealth
}

// readObserver is told of every change; *Metrics in production.
type readObserver interface {
	Reads(limit, inFlight int)
	ReadFailed(reason string)
	StoreSick(is bool)
}

type waiter struct {
	granted chan struct{}
	read    *read
}

// read is one read in flight.
type read struct {
	limit    *readLimit
	began    time.Time
	answered time.Time
}

const (
	// firstLimit is where a worker starts; doubling finds the store's own limit within a second.
	firstLimit = 16
	// latencySlack is what a time to the first byte may grow by for any reason, such as this machine being busy.
	latencySlack = 20 * time.Millisecond
	// waitTick is how often a reader that waits looks whether others get on.
	waitTick = 500 * time.Millisecond
)

func newReadLimit(least, most int) *readLimit {
	return &readLimit{
		least: least, most: most, longProbe: longProbe, limit: float64(min(max(firstLimit, least), most)), doubling: true,
		observer: unobservedReads{}, log: slog.New(slog.DiscardHandler),
	}
}

// acquire waits for a place. It fails only with the reason why ctx ended. Waiting counts as getting on for whoever traces
// ctx, as long as other reads begin or end meanwhile or the next look at a sick store has its time.
func (l *readLimit) acquire(ctx context.Context) (*read, error) {
	w := &waiter{granted: make(chan struct{})}
	l.mu.Lock()
	l.queue = append(l.queue, w)
	l.admit()
	seen, pause := l.moved, l.patience(w)
	l.mu.Unlock()
	timer := time.NewTimer(pause)
	defer timer.Stop()
	for {
		select {
		case <-w.granted:
			return w.read, nil
		case <-ctx.Done():
			l.leave(w)
			return nil, context.Cause(ctx)
		case <-timer.C:
		}
		l.mu.Lock()
		l.admit()
		others := l.moved != seen || l.health.sick && l.inFlight == 0 // the next probe has its time
		seen, pause = l.moved, l.patience(w)
		l.mu.Unlock()
		if others {
			getsOn(ctx)
		}
		timer.Reset(pause)
	}
}

// getsOn tells whoever traces ctx that the read is making progress; a Watchdog takes asking for a connection as that.
func getsOn(ctx context.Context) {
	if trace := httptrace.ContextClientTrace(ctx); trace != nil && trace.GetConn != nil {
		trace.GetConn("")
	}
}

// leave takes a waiter out of the queue, or gives back the place that it got at the last moment.
func (l *readLimit) leave(w *waiter) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at := slices.Index(l.queue, w); at >= 0 {
		l.queue = slices.Delete(l.queue, at, at+1)
		return
	}
	l.release()
}

// patience is how long a waiter sleeps: the first of them until the next probe of a sick store.
func (l *readLimit) patience(w *waiter) time.Duration {
	if len(l.queue) > 0 && l.queue[0] == w && l.health.sick && l.inFlight == 0 {
		return min(max(time.Until(l.health.probe), time.Millisecond), waitTick)
	}
	return waitTick
}

// admit lets in whoever may go.
func (l *readLimit) admit() {
	for len(l.queue) > 0 && l.room() {
		w := l.queue[0]
		l.queue = slices.Delete(l.queue, 0, 1)
		l.inFlight++
		l.moved++
		w.read = &read{limit: l, began: time.Now()}
		close(w.granted)
	}
	l.crowded = l.crowded || len(l.queue) > 0
	l.observer.Reads(l.now(), l.inFlight)
}

func (l *readLimit) room() bool {
	if l.health.sick {
		return l.inFlight == 0 && !time.Now().Before(l.health.probe)
	}
	return l.inFlight < l.now()
}

// now is the limit in whole reads.
func (l *readLimit) now() int {
	if l.health.sick {
		return 1
	}
	return int(l.limit)
}

func (l *readLimit) release() {
	l.inFlight--
	l.moved++
	l.admit()
}

// answer notes that the first byte has come.
func (r *read) answer() { r.answered = time.Now() }

// drop gives a place back; the read says nothing about the store.
func (r *read) drop() {
	r.limit.mu.Lock()
	defer r.limit.mu.Unlock()
	r.limit.release()
}

// succeed gives a place back after the store did what it was asked, if only to say that there is no such object.
func (r *read) succeed() {
	l := r.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	l.worked(r)
	if !r.answered.IsZero() && r.began.After(l.lowered) {
		l.samples = append(l.samples, r.answered.Sub(r.began))
		if len(l.samples) >= max(10, l.now()) {
			l.adjust()
		}
	}
	l.release()
}

// fail gives a place back after a failure that may heal. A photo that fails again and again says something about the
// photo: only the first failure of a Get lowers the limit.
func (r *read) fail(reason string, first bool, err error) {
	l := r.limit
	l.mu.Lock()
	defer l.mu.Unlock()
	l.observer.ReadFailed(reason)
	if first || l.health.sick || l.health.recovering {
		if r.began.After(l.lowered) {
			l.lower(0.5)
		}
		l.failed(r, err)
	}
	l.release()
}

// adjust ends a window of latencies.
func (l *readLimit) adjust() {
	slices.Sort(l.samples)
	recent := l.samples[len(l.samples)/2]
	l.samples = l.samples[:0]
	switch {
	case l.base == 0:
		l.base = recent
	case recent < l.base:
		l.base -= (l.base - recent) / 4
	case l.now() <= l.least: // no queue of ours: the store has become slower, and that is the new measure
		l.base += (recent - l.base) / 2
	}
	good := 2*l.base + latencySlack
	switch {
	case recent > good:
		l.lower(max(0.5, float64(good)/float64(recent)))
	case !l.crowded || l.health.recovering:
	case l.doubling:
		l.limit = min(2*l.limit, float64(l.most))
	default:
		l.limit = min(l.limit+math.Sqrt(l.limit), float64(l.most))
	}
	l.crowded = len(l.queue) > 0
}

func (l *readLimit) lower(factor float64) {
	l.limit = max(l.limit*factor, float64(l.least))
	l.doubling, l.lowered, l.samples = false, time.Now(), l.samples[:0]
}
