package pipeline

import (
	"strconv"
	"sync"
)

// lags are how far stages are behind, per partition: what they did not read yet, and what they read and still owe.
type lags struct {
	mu sync.Mutex
	of map[lagKey]lag
}

type lagKey struct {
	stage, topic string
	partition    int
}

type lag struct{ unread, owed int64 }

// change changes the lag of a partition and publishes it.
func (m *Metrics) change(key lagKey, f func(*lag)) {
	m.lags.mu.Lock()
	defer m.lags.mu.Unlock()
	if m.lags.of == nil {
		m.lags.of = make(map[lagKey]lag)
	}
	l := m.lags.of[key]
	f(&l)
	m.lags.of[key] = l
	m.lag.WithLabelValues(key.stage, key.topic, strconv.Itoa(key.partition)).Set(float64(l.unread + l.owed))
}

// Progress is part of consumer.Observer.
func (m *Metrics) Progress(stage, topic string, partition int, position, end int64) {
	m.change(lagKey{stage, topic, partition}, func(l *lag) { l.unread = max(end-position, 0) })
}

// Owes says how many records a stage has read and not yet answered: in an outage of the store that may be all there are.
func (m *Metrics) Owes(stage, topic string, partition int, records int64) {
	m.change(lagKey{stage, topic, partition}, func(l *lag) { l.owed = max(records, 0) })
}

// Left drops the lag of a partition that this process no longer works on; its next owner reports it.
func (m *Metrics) Left(stage, topic string, partition int) {
	m.lags.mu.Lock()
	defer m.lags.mu.Unlock()
	delete(m.lags.of, lagKey{stage, topic, partition})
	m.lag.DeleteLabelValues(stage, topic, strconv.Itoa(partition))
}
