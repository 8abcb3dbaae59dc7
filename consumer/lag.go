package consumer

import (
	"context"
	"sync"
	"time"
)

// lagEvery is how long a partition may be left unread before its end is asked for.
const lagEvery = 2 * time.Second

// watchEnd keeps the lag of a partition true while its handler does not read, because it waits for a store or a model:
// what others write meanwhile is known only to those who ask. The returned function ends the watch.
func (r *reader) watchEnd(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watch sync.WaitGroup
	watch.Go(func() {
		ticker := time.NewTicker(lagEvery)
		defer ticker.Stop()
		for seen := r.reads.Load(); ; seen = r.reads.Load() {
			select {
			case <-ticker.C:
			case <-ctx.Done():
				return
			}
			if r.reads.Load() != seen {
				continue
			}
			if end, err := r.client.offsetAt(ctx, r.from, atEnd); err == nil {
				r.end.Store(end)
				r.report()
			}
		}
	})
	return func() {
		cancel()
		watch.Wait()
	}
}
