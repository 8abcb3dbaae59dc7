package index

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"planetag/consumer"
	"planetag/pipeline"
)

// log is an assignment over records in memory.
type log struct {
	records []consumer.Record
	next    int
	perCall int

	mu        sync.Mutex
	committed []int64
	dead      int
}

func (l *log) Fetch(ctx context.Context) ([]consumer.Record, error) {
	if l.next == len(l.records) {
		select {
		case <-time.After(250 * time.Millisecond):
		case <-ctx.Done():
		}
		return nil, ctx.Err()
	}
	end := min(l.next+l.perCall, len(l.records))
	records := l.records[l.next:end]
	l.next = end
	return records, ctx.Err()
}

func (l *log) Commit(_ context.Context, records []consumer.Record, next int64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.committed, l.dead = append(l.committed, next), l.dead+len(records)
	return nil
}

func (l *log) CaughtUp() bool { return l.next == len(l.records) }

func (l *log) offset() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.committed) == 0 {
		return 0
	}
	return l.committed[len(l.committed)-1]
}

// gate is an index that is away until it is opened.
type gate struct {
	shelf
	open chan struct{}
	mu   sync.Mutex
	most int // documents in one request
}

func (g *gate) Write(ctx context.Context, docs []*Document) ([]Outcome, error) {
	select {
	case <-g.open:
	default:
		return nil, errors.New("connection refused")
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.most = max(g.most, len(docs))
	return g.shelf.Write(ctx, docs)
}

func newRun(sink Sink, done context.CancelFunc) *run {
	r := &run{
		cfg: pipeline.DefaultConfig(), log: slog.New(slog.DiscardHandler), budget: pipeline.NewBudget(64 << 10), settled: make(map[int]bool),
		progress: newProgress(prometheus.NewRegistry()), once: true, partitions: 1, done: done,
	}
	r.cfg.Index.BatchBytes = 16 << 10
	r.writer = newWriter(sink)
	r.writer.firstPause, r.writer.metrics = shortPause, r.progress.metrics
	return r
}

// TestAnOffsetWaitsForItsDocuments has an index that is away for an hour: nothing is committed, memory stays within the budget,
// and then everything is written in batches of the configured size.
func TestAnOffsetWaitsForItsDocuments(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const n = 500
		l := &log{perCall: 7}
		for i := range n {
			rec := recordOf(t, fmt.Sprint(i), "1.jpg", answer(pipeline.StagePhoto, 100), int64(i))
			rec.Time = time.Now()
			l.records = append(l.records, rec)
		}
		l.records[n/2].Value = []byte("no location")
		ctx, done := context.WithCancel(t.Context())
		g := &gate{shelf: shelf{docs: make(map[string]Document)}, open: make(chan struct{})}
		r := newRun(g, done)
		ended := make(chan error, 1)
		go func() { ended <- r.handle(ctx, l, 0) }()
		time.Sleep(time.Hour)
		synctest.Wait()
		if l.offset() != 0 || l.next == n || r.budget.Used() > r.budget.Total() {
			t.Errorf("offset %d, %d records read, %d bytes of %d held, and nothing is written", l.offset(), l.next, r.budget.Used(), r.budget.Total())
		}
		if f := r.progress.figures(); f.LagRecords == 0 || f.LagSeconds < 3600 {
			t.Errorf("after an hour without an index: %+v", f)
		}
		close(g.open)
		if err := <-ended; !errors.Is(err, context.Canceled) { // it ends itself when it has caught up
			t.Errorf("error %v", err)
		}
		if l.offset() != n || l.dead != 1 || len(g.docs) != n-1 || r.budget.Used() != 0 {
			t.Errorf("offset %d, %d dead letters, %d documents, %d bytes still held", l.offset(), l.dead, len(g.docs), r.budget.Used())
		}
		if size := size(l.records[0]); g.most*size > 20<<10 {
			t.Errorf("a request had %d documents of %d bytes", g.most, size)
		}
		if f := r.progress.figures(); f.Records != n || f.Written != n-1 || f.Refused != 1 || f.LagRecords != 0 || f.LagSeconds != 0 {
			t.Errorf("figures %+v", f)
		}
	})
}

// TestARunEndsInTheMiddle gives all memory back and commits nothing that was not acknowledged.
func TestARunEndsInTheMiddle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &log{perCall: 100}
		for i := range 300 {
			l.records = append(l.records, recordOf(t, fmt.Sprint(i), "1.jpg", answer(pipeline.StagePhoto, 100), int64(i)))
		}
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		r := newRun(&gate{open: make(chan struct{})}, stop)
		if err := r.handle(ctx, l, 0); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("error %v", err)
		}
		if l.offset() != 0 || r.budget.Used() != 0 {
			t.Errorf("offset %d, %d bytes still held", l.offset(), r.budget.Used())
		}
	})
}
