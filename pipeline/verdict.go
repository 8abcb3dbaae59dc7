package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"slices"
	"time"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/cells"
	"planetag/enrich/decode"
	"planetag/enrich/infer"
	"planetag/pipeline/mapping"
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
	switch {
	case isAny(err, ErrStuck):
		return Stop, "stuck"
	case isAny(err, context.Canceled, ErrBatcherStopped, decode.ErrClosed, infer.ErrClosed):
		return Stop, "cancelled"
	case isAny(err, context.DeadlineExceeded):
		return Retry, "timeout"
	case isAny(err, consumer.ErrRestart, consumer.ErrFenced, consumer.ErrStop, consumer.ErrDataLost):
		return Stop, "assignment"
	case isAny(err, ErrConfig, ErrStorageConfig, mapping.ErrProgram, consumer.ErrAuthentication, consumer.ErrAuthorization,
		consumer.ErrCertificate, consumer.ErrDelivery):
		return Stop, "configuration"
	case isAny(err, infer.ErrDevice):
		return Stop, "accelerator"
	case isAny(err, infer.ErrMemory):
		return Retry, "accelerator_memory"
	case isAny(err, infer.ErrLibrary, infer.ErrGraph, bundle.ErrBundle, cells.ErrCells, cells.ErrGallery, cells.ErrDiary,
		enrich.ErrGolden, enrich.ErrMode):
		return Stop, "bundle"
	case isAny(err, decode.ErrChild):
		return Stop, "decoder"
	case isAny(err, ErrStorageDenied):
		return Retry, "storage_denied"
	case isAny(err, ErrStorage):
		return Retry, "storage"
	case isAny(err, mapping.ErrRegistry):
		return Retry, "registry"
	}
	for _, dead := range deadly() {
		if errors.Is(err, dead.err) {
			return DeadLetter, dead.word
		}
	}
	return Retry, "unknown"
}

// sentinelWord is an error and its word in labels and headers.
type sentinelWord struct {
	err  error
	word string
}

// deadly are the errors that say: this record, and for ever.
func deadly() []sentinelWord {
	return []sentinelWord{
		{mapping.ErrMap, "unmapped"},
		{ErrReference, "bad_reference"},
		{ErrObjectGone, "object_gone"},
		{ErrObjectTooBig, "object_too_big"},
		{ErrObjectChanged, "object_changed"},
		{ErrObjectDenied, "object_denied"},
		{decode.ErrEmpty, "empty_object"},
		{decode.ErrFormat, "unknown_format"},
		{decode.ErrLimits, "photo_limits"},
		{decode.ErrCorrupt, "corrupt_photo"},
		{decode.ErrCrashed, "decoder_crashed"},
		{decode.ErrTooSlow, "decoder_too_slow"},
		{enrich.ErrOutput, "bad_output"},
		{enrich.ErrAnchor, "bad_anchor"},
		{ErrEmbedding, "bad_embedding"},
		{ErrLocation, "bad_location"},
	}
}

func isAny(err error, targets ...error) bool {
	return slices.ContainsFunc(targets, func(target error) bool { return errors.Is(err, target) })
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
