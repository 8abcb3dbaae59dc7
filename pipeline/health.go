package pipeline

import (
	"fmt"
	"sync"
	"time"
)

// Health is what the probes answer from. Ready means that photos can be worked on now; live means that a restart would
// not help, as far as this process can tell.
type Health struct {
	stallAfter time.Duration

	mu     sync.Mutex
	ready  bool
	reason string
	stages map[string]*pulse
}

// pulse is one stage's sign of life.
type pulse struct {
	last time.Time        // when it last got on, or last had nothing to do
	lag  map[string]int64 // records behind, by topic/partition
	read map[string]int64 // position, by topic/partition
}

// NewHealth returns a health that is live and not yet ready. A stage that has work and does not get on for stallAfter is
// no longer live; 0 never stalls.
func NewHealth(stallAfter time.Duration) *Health {
	return &Health{stallAfter: stallAfter, reason: "starting", stages: make(map[string]*pulse)}
}

// SetReady says whether photos can be worked on, and if not, why.
func (h *Health) SetReady(ready bool, reason string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ready, h.reason = ready, reason
}

// Ready is the answer of /ready.
func (h *Health) Ready() (bool, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.ready, h.reason
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

// Left says that this process no longer works on a partition: what lags there is another's to answer for.
func (h *Health) Left(stage, topic string, partition int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p, key := h.pulse(stage), partitionKey(topic, partition)
	delete(p.lag, key)
	delete(p.read, key)
	p.last = time.Now()
}

func partitionKey(topic string, partition int) string { return fmt.Sprintf("%s/%d", topic, partition) }

// Live is the answer of /live.
func (h *Health) Live() (bool, string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for name, p := range h.stages {
		idle := time.Since(p.last)
		if n := p.behind(); h.stallAfter > 0 && n > 0 && idle >= h.stallAfter {
			return false, fmt.Sprintf("stage %s is %d records behind and has not got on for %s", name, n, idle.Round(time.Second))
		}
	}
	return true, ""
}

func (h *Health) pulse(stage string) *pulse {
	p := h.stages[stage]
	if p == nil {
		p = &pulse{last: time.Now(), lag: make(map[string]int64), read: make(map[string]int64)}
		h.stages[stage] = p
	}
	return p
}

func (p *pulse) behind() int64 {
	var n int64
	for _, lag := range p.lag {
		n += lag
	}
	return n
}
