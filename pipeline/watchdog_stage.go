package pipeline

import (
	"context"
	"errors"
	"time"

	"planetag/consumer"
)

// strikesOut is how often in a row, with nothing committed in between, a stage may be stuck before the process ends: a
// new process gets a new driver, a new library, and perhaps another machine.
const strikesOut = 3

// longRequest is more than the consumer waits for brokers that do not answer, when it reads.
const longRequest = Duration(15 * time.Second)

// rejoinPause is how long a stage rests after it was stuck.
const rejoinPause = time.Second

// watched runs a stage. When the watchdog ends it and it comes back, it is run again; else its result is returned.
func (w *worker) watched(ctx context.Context, stage string, run func(context.Context) error) error {
	for {
		within, ended := w.watchdog.Stage(ctx, stage)
		err := run(within)
		cause := context.Cause(within)
		ended()
		switch {
		case ctx.Err() != nil || !errors.Is(cause, ErrStuck):
			return err
		case w.watchdog.strikes(stage) >= strikesOut:
			return cause
		}
		w.log.Info("what was stuck has returned, joining the group again", "stage", stage)
		if sleep(ctx, rejoinPause) != nil {
			return nil //nolint:nilerr // a stop that was asked for is no failure of the stage
		}
	}
}

// hand works on one partition under the eyes of the watchdog, and keeps the probes and the lag up to date.
func (w *worker) hand(ctx context.Context, stage string, a *consumer.Assignment, handle func(context.Context, albumAssignment) error) error {
	ctx = at(ctx, stage, a.Partition())
	ctx, p := w.watchdog.Enter(ctx, workStage)
	defer p.leave()
	defer w.metrics.Left(stage, a.Topic(), a.Partition())
	defer w.health.Left(stage, a.Topic(), a.Partition())
	return handle(ctx, &watchedAssignment{
		albumAssignment: a, dog: w.watchdog, stage: stage,
		caughtUp: func() { w.health.CaughtUp(stage, a.Topic(), a.Partition()) },
		owes: func(records int64) {
			if stage != "albums" { // open albums are not owed: the album stage's offset waits for them
				w.health.Owes(stage, a.Topic(), a.Partition(), records)
				w.metrics.Owes(stage, a.Topic(), a.Partition(), records)
			}
		},
	})
}

// allWork lists the kinds of work.
func allWork() []work {
	return []work{workLoad, workModel, workDecode, workFetch, workTransaction, workAlbum, workStage}
}

// checkWatchdog keeps the limits above what the parts themselves wait for: a time-out that works is not being stuck.
func (c Config) checkWatchdog(m *mistakes) {
	w := c.Watchdog
	for _, limit := range []struct {
		key string
		is  Duration
	}{
		{"load", w.Load},
		{"model", w.Model},
		{"decode", w.Decode},
		{"fetch", w.Fetch},
		{"transaction", w.Transaction},
		{"album", w.Album},
		{"stage", w.Stage},
	} {
		m.positive("watchdog."+limit.key, limit.is)
	}
	m.when(w.Fetch <= c.S3.Timeout, "watchdog.fetch is %s, not more than one attempt may take (s3.timeout is %s)", w.Fetch, c.S3.Timeout)
	m.when(w.Transaction < max(c.Kafka.TransactionTimeout, longRequest),
		"watchdog.transaction is %s; it must be at least kafka.transaction_timeout (%s) and %s", w.Transaction, c.Kafka.TransactionTimeout, longRequest)
	m.when(w.Album < max(w.Model, w.Transaction), "watchdog.album is %s, less than the model call or the transaction in it may take (%s)",
		w.Album, max(w.Model, w.Transaction))
	longest := max(w.Model, w.Decode, w.Fetch, w.Transaction, w.Album)
	m.when(w.Stage < longest, "watchdog.stage is %s, less than one piece of work may take (%s)", w.Stage, longest)
}
