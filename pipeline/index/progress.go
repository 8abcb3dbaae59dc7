package index

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Figures are what a run has done, and how far behind it is.
type Figures struct {
	Records    int64   `json:"records"`
	Written    int64   `json:"written"`
	Older      int64   `json:"older"` // repetitions, and answers that a newer one had overtaken
	Refused    int64   `json:"dead_letters"`
	Retried    int64   `json:"retried"`
	LagRecords int64   `json:"lag_records"`
	LagSeconds float64 `json:"lag_seconds"` // about the age of the oldest record that is not settled
	Seconds    float64 `json:"seconds"`
}

// The results that documents are counted by.
const (
	written = "written"
	older   = "older"
	refused = "refused"
	retried = "retried"
)

// metrics counts documents and times requests.
type metrics struct {
	documents *prometheus.CounterVec
	requests  prometheus.Histogram

	mu     sync.Mutex
	counts map[string]int64
}

func (m *metrics) count(result string, n int) {
	m.documents.WithLabelValues(result).Add(float64(n))
	m.mu.Lock()
	defer m.mu.Unlock()
	m.counts[result] += int64(n)
}

func (m *metrics) request(took time.Duration) { m.requests.Observe(took.Seconds()) }

// progress is a consumer.Observer that knows how far behind each partition is.
type progress struct {
	metrics *metrics
	lag     *prometheus.GaugeVec
	age     prometheus.GaugeFunc
	lost    prometheus.Counter
	started time.Time

	mu      sync.Mutex
	records int64
	of      map[int]position
}

// position is how far a partition is.
type position struct {
	unread int64
	owed   int64     // records read and not settled
	since  time.Time // of a record that is about as old as the oldest that is not settled
}

func newProgress(reg prometheus.Registerer) *progress {
	p := &progress{
		started: time.Now(), of: make(map[int]position),
		metrics: &metrics{
			counts: make(map[string]int64),
			documents: prometheus.NewCounterVec(prometheus.CounterOpts{
				Name: "planetag_index_documents_total", Help: "Documents, by what became of them: written, older, refused (dead letters) or retried.",
			}, []string{"result"}),
			requests: prometheus.NewHistogram(prometheus.HistogramOpts{
				Name: "planetag_index_request_seconds", Help: "Time of one request with many documents.", Buckets: prometheus.ExponentialBuckets(0.005, 2, 12),
			}),
		},
		lag: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "planetag_index_lag_records", Help: "Locations that are not in the index yet.",
		}, []string{"partition"}),
		lost: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "planetag_lost_records_total", Help: "Records that retention deleted before they were read.",
		}),
	}
	p.age = prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "planetag_index_lag_seconds", Help: "How long ago the oldest location that is not in the index was published, about; 0 when there is none.",
	}, func() float64 { return p.figures().LagSeconds })
	reg.MustRegister(p.metrics.documents, p.metrics.requests, p.lag, p.age, p.lost)
	for _, result := range []string{written, older, refused, retried} {
		p.metrics.documents.WithLabelValues(result)
	}
	return p
}

// Transaction is part of consumer.Observer.
func (p *progress) Transaction(string, int, time.Duration, error) {}

// DataLost is part of consumer.Observer.
func (p *progress) DataLost(_ string, _ int, from, to int64) { p.lost.Add(float64(max(to-from, 0))) }

// Progress is part of consumer.Observer.
func (p *progress) Progress(_, _ string, partition int, at, end int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.of[partition]
	now.unread = max(end-at, 0)
	p.of[partition] = now
	p.lag.WithLabelValues(strconv.Itoa(partition)).Set(float64(now.unread + now.owed))
}

// read notes records that are to be settled.
func (p *progress) read(partition, records int, first time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.of[partition]
	if now.owed += int64(records); now.since.IsZero() {
		now.since = first
	}
	p.of[partition] = now
}

// settled notes that they are, up to one of the time last.
func (p *progress) settled(partition, records int, last time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.of[partition]
	now.owed -= int64(records)
	if now.since = last; now.owed+now.unread == 0 {
		now.since = time.Time{}
	}
	p.of[partition] = now
	p.records += int64(records)
	p.lag.WithLabelValues(strconv.Itoa(partition)).Set(float64(now.unread + now.owed))
}

func (p *progress) left(partition int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.of, partition)
	p.lag.DeleteLabelValues(strconv.Itoa(partition))
}

func (p *progress) figures() Figures {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := Figures{Records: p.records, Seconds: time.Since(p.started).Seconds()}
	for _, at := range p.of {
		f.LagRecords += at.unread + at.owed
		if !at.since.IsZero() {
			f.LagSeconds = max(f.LagSeconds, time.Since(at.since).Seconds())
		}
	}
	p.metrics.mu.Lock()
	defer p.metrics.mu.Unlock()
	c := p.metrics.counts
	f.Written, f.Older, f.Refused, f.Retried = c[written], c[older], c[refused], c[retried]
	return f
}

// show tells the figures about every second until ctx ends.
func (p *progress) show(ctx context.Context, to func(Figures)) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			to(p.figures())
		case <-ctx.Done():
			return
		}
	}
}
