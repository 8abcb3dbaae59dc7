package pipeline

func (m *Metrics) ofStore() {
	m.reads = gauges("store_reads", "Reads of the store: in_flight now, and the limit that adapts to what the store can do.", "kind")
	m.readFailures = counters("store_read_failures_total", "Reads that failed and are tried again, by reason.", "reason")
	m.storeSick = gauge("store_sick", "1 while nothing can be read from the store and every photo waits.")
}

// Reads publishes how many reads of the store may be and are in flight.
func (m *Metrics) Reads(limit, inFlight int) {
	m.reads.WithLabelValues("limit").Set(float64(limit))
	m.reads.WithLabelValues("in_flight").Set(float64(inFlight))
}

// ReadFailed counts a read that is tried again.
func (m *Metrics) ReadFailed(reason string) { m.readFailures.WithLabelValues(reason).Inc() }

// StoreSick says whether nothing can be read from the store.
func (m *Metrics) StoreSick(is bool) {
	m.storeSick.Set(0)
	if is {
		m.storeSick.Set(1)
	}
}
