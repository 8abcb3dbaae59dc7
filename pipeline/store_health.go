package pipeline

import (
	"math/rand/v2"
	"time"
)

// storeHealth is what a readLimit knows of the store as a whole.
type storeHealth struct {
	failures   int // in a row
	sick       bool
	recovering bool // readable again, not yet for long enough to say so
	successes  int  // since it was readable again
	since      time.Time
	probe      time.Time // when the next read is allowed
	pause      time.Duration
	probes     int
}

const (
	// sickAfter is how many reads must fail in a row, and wellAfter how many must succeed.
	sickAfter, wellAfter = 10, 10
	// relapseAfter is how many must fail in a row while the store is getting well. One failure may be a photo's own, and a
	// store that fails now and then is better read than waited for.
	relapseAfter = 3
	// longProbe is the longest time between two looks at a sick store, and so the longest time until a store that is well
	// again is read from.
	longProbe = 5 * time.Second
)

// failed counts a failure. After sickAfter of them without a success in between the store is sick: one reader at a time
// looks whether it can be read, with pauses that double to 5 s, each shortened at random by up to a half, and all others
// wait. The log says it once, here, and once more when it is over.
func (l *readLimit) failed(r *read, err error) {
	h := &l.health
	h.failures++
	switch {
	case h.sick:
		if r.began.Before(h.probe) {
			return // begun before the store was found sick
		}
		h.probes++
	case h.recovering && h.failures < relapseAfter:
		return
	case h.recovering:
		h.sick, h.recovering = true, false
	case h.failures >= sickAfter:
		h.sick, h.since, h.pause, h.probes = true, time.Now(), 0, 0
		l.log.Error("store is sick: reads wait until it can be read", "failures", h.failures, "err", err)
		l.observer.StoreSick(true)
	default:
		return
	}
	h.pause = min(max(2*h.pause, firstPause), l.longProbe)
	h.probe = time.Now().Add(h.pause/2 + rand.N(h.pause/2))
	l.limit = float64(l.least)
}

// worked counts a success. After the first one a sick store is read from again, by as few readers as are allowed; after
// wellAfter of them, or when nobody is left who waits for it, it is well.
func (l *readLimit) worked(r *read) {
	h := &l.health
	h.failures = 0
	if h.sick && r.began.Before(h.probe) {
		return
	}
	if h.sick {
		h.sick, h.recovering, h.successes = false, true, 0
	}
	if !h.recovering {
		return
	}
	h.pause /= 2
	if h.successes++; h.successes < wellAfter && (l.inFlight > 1 || len(l.queue) > 0) {
		return
	}
	l.log.Info("store is well again", "after", time.Since(h.since).Round(time.Millisecond), "probes", h.probes)
	l.observer.StoreSick(false)
	*h = storeHealth{}
	l.doubling = true
}

// isSick says whether no photo is to blame for a failure.
func (l *readLimit) isSick() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.health.sick
}

// unobservedReads is told of reads that nobody wants to know about.
type unobservedReads struct{}

func (unobservedReads) Reads(int, int)    {}
func (unobservedReads) ReadFailed(string) {}
func (unobservedReads) StoreSick(bool)    {}
