package main

import (
	"context"
	"errors"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/cells/divide"
	"planetag/enrich/infer"
	"planetag/enrich/onnx"
	"planetag/enrich/wrap"
	"planetag/pipeline"
	"planetag/pipeline/backfill"
	"planetag/pipeline/bench"
	"planetag/pipeline/check"
	"planetag/pipeline/demo"
	"planetag/pipeline/eval"
	"planetag/pipeline/export"
	"planetag/pipeline/index"
	"planetag/pipeline/survey"
)

// The exit statuses, after sysexits(3) and restic.
const (
	exitOK          = 0
	exitUnexpected  = 1
	exitPhotoFailed = 3
	exitTimeUp      = 10 // --max-duration has passed; the same command goes on
	exitUsage       = 64
	exitUnavailable = 69
	exitStuck       = 70 // something did not return: only a new process helps
	exitConfig      = 78
	exitInterrupted = 130
)

// exitStatuses say what each status means, for docs/commands.md.
func exitStatuses() []struct {
	status int
	means  string
} {
	return []struct {
		status int
		means  string
	}{
		{exitOK, "done; a worker that was asked to stop has drained"},
		{exitUnexpected, "something unexpected; also `bundle verify` of a bundle that would be refused, and `health` of a worker that is not ready"},
		{exitPhotoFailed, "finished, and a photo failed: it would be a dead letter"},
		{exitTimeUp, "`--max-duration` has passed; the same command goes on where it was"},
		{exitUsage, "the command line, or a file that was given on it, is wrong"},
		{exitUnavailable, "Kafka, the store or the ONNX Runtime library cannot be reached; trying again later may help"},
		{exitStuck, "something did not return in time: only a new process helps, and nothing is lost"},
		{exitConfig, "the configuration, a right, a topic or the bundle is to be set right; trying again will not help"},
		{exitInterrupted, "interrupted; what was not committed will be done again"},
	}
}

var (
	errInterrupted = errors.New("interrupted")
	errUsage       = errors.New("usage")
	errUnavailable = errors.New("unavailable")
	errPhotoFailed = errors.New("photo failed")
	errSaid        = errors.New("said") // the output has said it all; only the exit status is missing
)

// tagged adds a kind to an error without adding words to it.
type tagged struct {
	error
	kind error
}

func (t tagged) Unwrap() []error { return []error{t.error, t.kind} }

// statusOf is the exit status of an error.
func statusOf(err error) int {
	is := func(targets ...error) bool {
		for _, target := range targets {
			if errors.Is(err, target) {
				return true
			}
		}
		return false
	}
	var problem *consumer.Problem // a topic, say, that is not as the configuration has it
	switch {
	case is(pipeline.ErrStuck, pipeline.ErrShutdown):
		return exitStuck
	case is(errInterrupted, context.Canceled):
		return exitInterrupted
	case is(errPhotoFailed):
		return exitPhotoFailed
	case is(backfill.ErrTimeUp):
		return exitTimeUp
	case is(errSaid):
		return exitUnexpected
	case is(eval.ErrManifest, eval.ErrPhotos, eval.ErrPredictions, eval.ErrSplit, eval.ErrModes, eval.ErrOverlap, eval.ErrPass):
		return exitUsage
	case is(errUsage, divide.ErrInput, divide.ErrRows, survey.ErrArchive, survey.ErrJournal, demo.ErrFolder, export.ErrFolder, index.ErrBundle, pipeline.ErrNoPhoto):
		return exitUsage
	case is(wrap.ErrNetwork, wrap.ErrClasses, wrap.ErrOut, onnx.ErrModel):
		return exitUsage
	case is(backfill.ErrArchive, backfill.ErrFilter, backfill.ErrUnfinished):
		return exitUsage
	case is(consumer.ErrAuthentication, consumer.ErrAuthorization, consumer.ErrCertificate):
		return exitConfig // also where another broker could not be reached
	case is(infer.ErrLibrary, infer.ErrDevice, errUnavailable, demo.ErrSilent, bench.ErrBench, consumer.ErrNoBroker, pipeline.ErrStorage, check.ErrSlow):
		return exitUnavailable
	case errors.As(err, &problem),
		is(pipeline.ErrConfig, pipeline.ErrStorageConfig, bundle.ErrBundle, enrich.ErrGolden, infer.ErrGraph, consumer.ErrDelivery):
		return exitConfig
	}
	return exitUnexpected
}
