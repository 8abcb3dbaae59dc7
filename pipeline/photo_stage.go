package pipeline

import (
	"context"
	"log/slog"
	"runtime"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/decode"
)

// assignment is what the photo stage needs of a consumer.Assignment.
type assignment interface {
	Fetch(ctx context.Context) ([]consumer.Record, error)
	Commit(ctx context.Context, records []consumer.Record, next int64) error
}

// fetcher reads the bytes of one object; *Store in production.
type fetcher interface {
	Get(ctx context.Context, ref Reference, sized func(bytes int64)) (Object, error)
}

// photoStage is the stage "photos": it turns references into photo-level locations, embeddings and dead letters.
// One value serves every partition; all that is per partition lives in the goroutines of handle.
type photoStage struct {
	cfg     Config
	inputs  InputReader
	output  OutputWriter
	model   *enrich.Model
	store   fetcher
	batcher *Batcher
	slots   *decode.Slots
	budget  *Budget
	metrics *Metrics
	health  *Health
	log     *slog.Logger

	decoder  decoder
	stage    string        // "photos", or stageBackfill
	admit    admission     // who goes first
	turns    chan struct{} // as many photos are decoded at a time as it has room for
	watchdog *Watchdog
}

// growStack gives the goroutine that calls it 16 KB of stack while there is nearly nothing on it: else the runtime doubles
// the stack again and again in the middle of each walk, and corrects every frame on it each time.
//
//go:noinline
func growStack() {
	var room [12 << 10]byte
	runtime.KeepAlive(&room)
}
