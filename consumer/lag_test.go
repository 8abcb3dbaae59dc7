package consumer

import (
	"testing"
	"time"
)

// TestLagGrowsWhileNobodyReads: a handler that waits for something else than Kafka does not hide what comes in meanwhile.
func TestLagGrowsWhileNobodyReads(t *testing.T) {
	b, c := newPair(t, 1)
	seed(t, c, input, 0, 3)
	w := &watcher{}
	c = newClient(t, b.Addr(), func(cfg *Config) { cfg.Observer = w })
	a := take(t, c, 0)
	if got := fetchAll(t, a); len(got) != 3 {
		t.Fatalf("%d records, want 3", len(got))
	}
	stop := a.reader.watchEnd(t.Context())
	seed(t, c, input, 0, 4)
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		w.mu.Lock()
		position, end := w.position, w.end
		w.mu.Unlock()
		if position == 3 && end == 7 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("position %d, end %d, want 3 and 7", position, end)
		}
	}
	stop()
}
