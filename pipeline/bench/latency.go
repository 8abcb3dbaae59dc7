package bench

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"planetag/consumer"
)

// Latency is what photos had to wait for at a steady load.
type Latency struct {
	Load     float64   `json:"load"` // share of the rate of the full run
	Offered  float64   `json:"offered_photos_per_second"`
	Photos   int       `json:"photos"`
	Answered Quantiles `json:"answered_ms"`  // from the reference's publishing to the answer, before its transaction
	Visible  Quantiles `json:"published_ms"` // … to the location, as a reader of committed records sees it
}

// Quantiles are in milliseconds.
type Quantiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
	P99 float64 `json:"p99"`
}

func quantiles(ms []float64) Quantiles {
	slices.Sort(ms)
	at := func(q float64) float64 {
		if len(ms) == 0 {
			return 0
		}
		return ms[min(int(q*float64(len(ms))), len(ms)-1)]
	}
	return Quantiles{at(0.5), at(0.95), at(0.99)}
}

// paced measures at half and at nine tenths of the rate that the full run reached. Batches may wait 20 ms for more photos.
func (b *bench) paced(ctx context.Context, r *Result) error {
	for _, load := range []float64{0.5, 0.9} {
		b.Progress(fmt.Sprintf("latency at %.0f %% load", 100*load))
		l, err := b.latency(ctx, load, load*r.Run.PhotosPerSecond)
		if err != nil {
			return err
		}
		r.Latency = append(r.Latency, l)
	}
	return nil
}

// ledger is when each photo was sent, answered and seen.
type ledger struct {
	mu                sync.Mutex
	sent              map[string]time.Time
	answered, visible []float64
	want              int
}

func (b *bench) latency(ctx context.Context, load, rate float64) (Latency, error) {
	topic := fmt.Sprintf("paced-%d-%.0f", time.Now().UnixMilli(), 100*load)
	e := b.worker(b.bundle, b.crew(), map[string]string{"TOPICS_INPUT": topic, "BATCH_MAX_DELAY": "20ms"})
	if err := b.world.makeTopics(ctx, topic); err != nil {
		return Latency{}, err
	}
	w, err := e.launch()
	if err != nil {
		return Latency{}, err
	}
	defer w.stop()
	if err := w.ready(ctx); err != nil {
		return Latency{}, err
	}
	warm := int(rate) // a second's worth, not counted
	l := &ledger{sent: map[string]time.Time{}, want: int(rate * b.Seconds)}
	ctx, cancel := context.WithTimeout(ctx, time.Duration(b.Seconds*float64(time.Second))+time.Minute)
	defer cancel()
	var reading sync.WaitGroup
	var read error
	reading.Go(func() { read = b.world.client.Tail(ctx, e.output, l.saw) })
	err = b.world.feed(ctx, topic, rate, warm, warm+l.want, l)
	if err != nil {
		cancel()
	}
	reading.Wait()
	if err = errors.Join(err, read); err != nil {
		return Latency{}, fmt.Errorf("%w: %d of %d photos were answered: %w", ErrBench, len(l.visible), l.want, err)
	}
	return Latency{load, rate, l.want, quantiles(l.answered), quantiles(l.visible)}, nil
}

// feed publishes references evenly, at most 20 ms worth of them at a time.
func (w *world) feed(ctx context.Context, topic string, rate float64, warm, count int, l *ledger) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	began := time.Now()
	for sent := 0; sent < count; {
		var records []consumer.Record
		for due := min(int(time.Since(began).Seconds()*rate), count); sent < due; sent++ {
			record, err := w.reference(topic, sent)
			if err != nil {
				return err
			}
			if records = append(records, record); sent >= warm {
				l.mu.Lock()
				l.sent[string(record.Key)] = time.Now()
				l.mu.Unlock()
			}
		}
		if err := w.client.Publish(ctx, records); err != nil {
			return err
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// saw takes note of a location.
func (l *ledger) saw(rec consumer.Record) error {
	now := time.Now()
	var location struct {
		Time time.Time `json:"time"`
	}
	if err := json.Unmarshal(rec.Value, &location); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	sent, counts := l.sent[string(rec.Key)]
	if !counts {
		return nil
	}
	l.answered = append(l.answered, location.Time.Sub(sent).Seconds()*1e3)
	l.visible = append(l.visible, now.Sub(sent).Seconds()*1e3)
	if len(l.visible) >= l.want {
		return consumer.ErrStop
	}
	return nil
}
