package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"planetag/consumer"
	"planetag/enrich/decode"
	"planetag/enrich/infer"
)

// Verdict is what an error means for the record that was being worked on.
type Verdict int

const (
	// Retry: the world is wrong now. Whatever is unknown is retried, too, because an unknown must not lose a photo.
	Retry Verdict = iota
	// DeadLetter: the record is wrong and will be for ever.
	DeadLetter
	// Stop: this process, its configuration or its share of the group is at an end; nothing more is committed.
	Stop
)

// String is the verdict's word in logs.
func (v Verdict) String() string {
	switch v {
	case DeadLetter:
		return "dead letter"
	case Stop:
		return "stop"
	}
	return "retry"
}

// Judge is the only place where errors are told apart. The packages that report them know nothing of verdicts.
func Judge(err error) Verdict {
	verdict, _ := ruling(err)
	return verdict
}

// errorType is one word for an error, out of a small fixed set: the label of metrics and a header of dead letters.
func errorType(err error) string {
	_, word := ruling(err)
	return word
}

// ruling looks for the end of things first: an error that says both "cancelled" and "corrupt" may be corrupt only because
// reading it was cancelled, so it must not become a dead letter.
func ruling(err error) (Verdict, string) {
	is := func(target error) bool { return errors.Is(err, target) }
	switch {
	case is(context.Canceled), is(ErrBatcherStopped), is(decode.ErrClosed):
		return Stop, "cancelled"
	case is(context.DeadlineExceeded):
		return Retry, "timeout"
	case is(consumer.ErrRestart), is(consumer.ErrFenced), is(consumer.ErrStop):
		return Stop, "assignment"
	case is(ErrConfig), is(ErrStorageConfig):
		return Stop, "configuration"
	case is(infer.ErrLibrary):
		return Stop, "library"
	case is(ErrStorage):
		return Retry, "storage"
	case is(ErrReference):
		return DeadLetter, "bad_reference"
	case is(ErrObjectGone):
		return DeadLetter, "object_gone"
	case is(ErrObjectTooBig):
		return DeadLetter, "object_too_big"
	case is(ErrObjectChanged):
		return DeadLetter, "object_changed"
	case is(ErrObjectDenied):
		return DeadLetter, "object_denied"
	case is(decode.ErrEmpty):
		return DeadLetter, "empty_object"
	case is(decode.ErrFormat):
		return DeadLetter, "unknown_format"
	case is(decode.ErrLimits):
		return DeadLetter, "photo_limits"
	case is(decode.ErrCorrupt):
		return DeadLetter, "corrupt_photo"
	case is(ErrEmbedding):
		return DeadLetter, "bad_embedding"
	case is(ErrLocation):
		return DeadLetter, "bad_location"
	}
	return Retry, "unknown"
}

// deadLetterTypes lists every word that errorType gives a dead letter.
func deadLetterTypes() []string {
	return []string{
		"bad_reference", "object_gone", "object_too_big", "object_changed", "object_denied",
		"empty_object", "unknown_format", "photo_limits", "corrupt_photo", "bad_embedding", "bad_location",
	}
}

const (
	firstPause = 100 * time.Millisecond
	longPause  = 15 * time.Second
	logPause   = 30 * time.Second // between two warnings about the same trouble
)

// patiently repeats f for as long as its error is judged Retry: with pauses that double from 100 ms to 15 s, each
// shortened at random by up to a half, for ever. It owns the decision to go on, so it is the one that logs: the first
// failure, then at most every 30 s, and the recovery. It returns nil, an error that is judged DeadLetter or Stop, or the
// reason why ctx ended.
func patiently(ctx context.Context, log *slog.Logger, what string, f func(context.Context) error) error {
	var since, logged time.Time
	pause := firstPause
	for attempt := 1; ; attempt++ {
		err := f(ctx)
		switch {
		case err == nil:
			if attempt > 1 {
				log.Info("recovered", "what", what, "attempts", attempt, "after", time.Since(since))
			}
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case Judge(err) != Retry:
			return err
		}
		if attempt == 1 {
			since = time.Now()
		}
		if attempt == 1 || time.Since(logged) >= logPause {
			logged = time.Now()
			log.Warn("trying again", "what", what, "attempt", attempt, "for", time.Since(since), "err", err)
		}
		if err := sleep(ctx, pause/2+rand.N(pause/2)); err != nil {
			return err
		}
		pause = min(2*pause, longPause)
	}
}

// sleep waits for d, or fails with the reason why ctx ended.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
