package pipeline

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// Health is what the probes answer from.
//
// Live is the answer to "would a restart help?". It fails only while something is stuck (see Watchdog): a call that does
// not return. A store or a broker that is away does not make it fail, because a restart would heal neither and would cost
// the albums their memory; so it is fit for a livenessProbe with any threshold.
//
// Ready is the answer to "does this worker do its work?". It fails while the bundle is loaded, while a stage is no member
// of its group (which is what an absent broker comes to), while albums are read again after a start, while a stage has
// records to work on and has not got on for http.stall_after (which is what an absent store comes to), and from the
// beginning of a stop. A member that was assigned nothing, because there are more workers than partitions, is ready.
type Health struct {
	stallAfter time.Duration
	watchdog   *Watchdog // may be nil

	mu     sync.Mutex
	ready  bool
	reason string
	stages map[string]*pulse
}

// pulse is one stage's sign of life.
type pulse struct {
	joins   bool             // wants to be a member of a group
	member  bool             // is one
	replays map[string]bool  // topic/partition that is not yet caught up
	last    time.Time        // when it last got on, or last had nothing to do
	lag     map[string]int64 // records behind, by topic/partition
	read    map[string]int64 // position, by topic/partition
	owed    map[string]int64 // records read and not yet committed, by topic/partition
}

// NewHealth returns a health that is live and not yet ready. A stage that has work and does not get on for stallAfter is
// not ready; 0 never stalls.
func NewHealth(stallAfter time.Duration) *Health {
	return &Health{stallAfter: stallAfter, reason: "starting", stages: make(map[string]*pulse)}
}

// SetReady says whether the worker as a whole is built and not stopping, and if not, why.
func (h *Health) SetReady(ready bool, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready, h.reason = ready, reason
}

// Ready is the answer of /ready.
func (h *Health) Ready() (bool, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.ready {
		return false, h.reason
	}
	var reasons []string
	for name, p := range h.stages {
		if why := p.unready(h.stallAfter); why != "" {
			reasons = append(reasons, fmt.Sprintf("stage %s %s", name, why))
		}
	}
	if len(reasons) > 0 {
		slices.Sort(reasons)
		return false, strings.Join(reasons, "; ")
	}
	return true, h.reason
}

func (p *pulse) unready(stallAfter time.Duration) string {
	idle := time.Since(p.last)
	switch n := p.behind(); {
	case p.joins && !p.member:
		return "is not a member of its group"
	case len(p.replays) > 0:
		return fmt.Sprintf("reads %d partitions again, %d records to go", len(p.replays), n)
	case stallAfter > 0 && n > 0 && idle >= stallAfter:
		return fmt.Sprintf("is %d records behind and has not got on for %s", n, idle.Round(time.Second))
	}
	return ""
}

// Live is the answer of /live.
func (h *Health) Live() (bool, string) {
	if stuck := h.watchdog.Stuck(); stuck != "" {
		return false, "stuck: " + stuck
	}
	return true, ""
}

// Member says whether a stage, which wants to be one, is a member of its group.
func (h *Health) Member(stage string, is bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.pulse(stage)
	p.joins, p.member = true, is
}

// Gone says that a stage has ended.
func (h *Health) Gone(stage string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.stages, stage)
}

// Replays says that a stage reads a partition again before it works on it.
func (h *Health) Replays(stage, topic string, partition int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pulse(stage).replays[partitionKey(topic, partition)] = true
}

// CaughtUp ends what Replays began.
func (h *Health) CaughtUp(stage, topic string, partition int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.pulse(stage).replays, partitionKey(topic, partition))
}

// Tick says that a stage got on.
func (h *Health) Tick(stage string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pulse(stage).last = time.Now()
}

// Transaction is part of consumer.Observer: a committed one is progress.
func (h *Health) Transaction(stage string, _ int, _ time.Duration, err error) {
	if err == nil {
		h.Tick(stage)
	}
}

// DataLost is part of consumer.Observer; it says nothing about this process.
func (h *Health) DataLost(string, int, int64, int64) {}

// Progress is part of consumer.Observer: it tells how far behind a stage is. Reading on counts as progress, and so does
// having nothing to read.
func (h *Health) Progress(stage, topic string, partition int, position, end int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, key := h.pulse(stage), partitionKey(topic, partition)
	behind := p.behind()
	if position > p.read[key] || behind == 0 {
		p.last = time.Now()
	}
	p.read[key], p.lag[key] = position, max(end-position, 0)
}

// Owes says how many records of a partition were read and not yet committed.
func (h *Health) Owes(stage, topic string, partition int, records int64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.pulse(stage).owed[partitionKey(topic, partition)] = records
}

// Left says that this process no longer works on a partition: what lags there is another's to answer for.
func (h *Health) Left(stage, topic string, partition int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, key := h.pulse(stage), partitionKey(topic, partition)
	delete(p.lag, key)
	delete(p.read, key)
	delete(p.owed, key)
	delete(p.replays, key)
	p.last = time.Now()
}

func partitionKey(topic string, partition int) string { return fmt.Sprintf("%s/%d", topic, partition) }

func (h *Health) pulse(stage string) *pulse {
	p := h.stages[stage]
	if p == nil {
		p = &pulse{last: time.Now(), replays: make(map[string]bool), lag: make(map[string]int64), read: make(map[string]int64), owed: make(map[string]int64)}
		h.stages[stage] = p
	}
	return p
}

func (p *pulse) behind() int64 {
	var n int64
	for _, lag := range p.lag {
		n += lag
	}
	for _, owed := range p.owed {
		n += owed
	}
	return n
}
