package pipeline

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"log/slog"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"planetag/consumer"
	"planetag/enrich"
	"planetag/enrich/bundle"
	"planetag/enrich/cells"
	"planetag/enrich/decode"
	"planetag/enrich/infer"
	"planetag/pipeline/mapping"
)

// rulings names every sentinel of the packages that the walks go through.
func rulings() map[string]struct {
	err     error
	verdict Verdict
	word    string
} {
	return map[string]struct {
		err     error
		verdict Verdict
		word    string
	}{
		"context.Canceled":           {context.Canceled, Stop, "cancelled"},
		"context.DeadlineExceeded":   {context.DeadlineExceeded, Retry, "timeout"},
		"consumer.ErrRestart":        {consumer.ErrRestart, Stop, "assignment"},
		"consumer.ErrFenced":         {consumer.ErrFenced, Stop, "assignment"},
		"consumer.ErrStop":           {consumer.ErrStop, Stop, "assignment"},
		"consumer.ErrDataLost":       {consumer.ErrDataLost, Stop, "assignment"},
		"consumer.ErrAuthentication": {consumer.ErrAuthentication, Stop, "configuration"},
		"consumer.ErrDelivery":       {consumer.ErrDelivery, Stop, "configuration"},
		"consumer.ErrNoBroker":       {consumer.ErrNoBroker, Retry, "unknown"},
		"consumer.ErrAuthorization":  {consumer.ErrAuthorization, Stop, "configuration"},
		"consumer.ErrCertificate":    {consumer.ErrCertificate, Stop, "configuration"},
		"pipeline.ErrConfig":         {ErrConfig, Stop, "configuration"},
		"pipeline.ErrStorageConfig":  {ErrStorageConfig, Stop, "configuration"},
		"pipeline.ErrBatcherStopped": {ErrBatcherStopped, Stop, "cancelled"},
		"pipeline.ErrStuck":          {ErrStuck, Stop, "stuck"},
		"infer.ErrClosed":            {infer.ErrClosed, Stop, "cancelled"},
		"infer.ErrLibrary":           {infer.ErrLibrary, Stop, "bundle"},
		"infer.ErrGraph":             {infer.ErrGraph, Stop, "bundle"},
		"infer.ErrDevice":            {infer.ErrDevice, Stop, "accelerator"},
		"infer.ErrMemory":            {infer.ErrMemory, Retry, "accelerator_memory"},
		"bundle.ErrBundle":           {bundle.ErrBundle, Stop, "bundle"},
		"cells.ErrCells":             {cells.ErrCells, Stop, "bundle"},
		"cells.ErrGallery":           {cells.ErrGallery, Stop, "bundle"},
		"cells.ErrDiary":             {cells.ErrDiary, Stop, "bundle"},
		"enrich.ErrGolden":           {enrich.ErrGolden, Stop, "bundle"},
		"enrich.ErrMode":             {enrich.ErrMode, Stop, "bundle"},
		"enrich.ErrOutput":           {enrich.ErrOutput, DeadLetter, "bad_output"},
		"enrich.ErrAnchor":           {enrich.ErrAnchor, DeadLetter, "bad_anchor"},
		"decode.ErrClosed":           {decode.ErrClosed, Stop, "cancelled"},
		"decode.ErrEmpty":            {decode.ErrEmpty, DeadLetter, "empty_object"},
		"decode.ErrFormat":           {decode.ErrFormat, DeadLetter, "unknown_format"},
		"decode.ErrLimits":           {decode.ErrLimits, DeadLetter, "photo_limits"},
		"decode.ErrCorrupt":          {decode.ErrCorrupt, DeadLetter, "corrupt_photo"},
		"decode.ErrCrashed":          {decode.ErrCrashed, DeadLetter, "decoder_crashed"},
		"decode.ErrTooSlow":          {decode.ErrTooSlow, DeadLetter, "decoder_too_slow"},
		"decode.ErrChild":            {decode.ErrChild, Stop, "decoder"},
		"pipeline.ErrReference":      {ErrReference, DeadLetter, "bad_reference"},
		"mapping.ErrMap":             {mapping.ErrMap, DeadLetter, "unmapped"},
		"mapping.ErrProgram":         {mapping.ErrProgram, Stop, "configuration"},
		"mapping.ErrRegistry":        {mapping.ErrRegistry, Retry, "registry"},
		"pipeline.ErrEmbedding":      {ErrEmbedding, DeadLetter, "bad_embedding"},
		"pipeline.ErrLocation":       {ErrLocation, DeadLetter, "bad_location"},
		"pipeline.ErrObjectGone":     {ErrObjectGone, DeadLetter, "object_gone"},
		"pipeline.ErrObjectTooBig":   {ErrObjectTooBig, DeadLetter, "object_too_big"},
		"pipeline.ErrObjectChanged":  {ErrObjectChanged, DeadLetter, "object_changed"},
		"pipeline.ErrObjectDenied":   {ErrObjectDenied, DeadLetter, "object_denied"},
		"pipeline.ErrStorage":        {ErrStorage, Retry, "storage"},
		"pipeline.ErrStorageDenied":  {ErrStorageDenied, Retry, "storage_denied"},
		"something nobody knows":     {errors.New("?"), Retry, "unknown"},
	}
}

func TestJudgeRulesOnEverySentinel(t *testing.T) {
	for name, want := range rulings() {
		err := fmt.Errorf("walk photo: %w", fmt.Errorf("%w: a cause", want.err))
		if got := Judge(err); got != want.verdict {
			t.Errorf("%s is judged %s, want %s", name, got, want.verdict)
		}
		if got := errorType(err); got != want.word {
			t.Errorf("%s is called %q, want %q", name, got, want.word)
		}
	}
}

// TestJudgeKnowsEverySentinel reads the sources, so that a sentinel that is added tomorrow asks for its verdict.
func TestJudgeKnowsEverySentinel(t *testing.T) {
	unjudged := map[string]bool{
		"pipeline.ErrShutdown":   true, // what Run itself returns
		"pipeline.ErrNoPhoto":    true, // what Explain itself returns
		"pipeline.ErrDeadLetter": true, // of a record that workers only write
	}
	for _, dir := range []string{".", "../consumer", "../enrich", "../enrich/decode", "../enrich/infer", "../enrich/bundle", "../enrich/cells", "mapping"} {
		name := filepath.Base(dir)
		if dir == "." {
			name = "pipeline"
		}
		for _, sentinel := range sentinelsOf(t, dir) {
			if _, ok := rulings()[name+"."+sentinel]; !ok && !unjudged[name+"."+sentinel] {
				t.Errorf("%s.%s has no verdict in rulings", name, sentinel)
			}
		}
	}
}

// sentinelsOf lists the exported package variables that are called Err….
func sentinelsOf(t *testing.T, dir string) (names []string) {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, declaration := range file.Decls {
			names = append(names, sentinelsIn(declaration)...)
		}
	}
	return names
}

func sentinelsIn(declaration ast.Decl) (names []string) {
	block, ok := declaration.(*ast.GenDecl)
	if !ok || block.Tok != token.VAR {
		return nil
	}
	for _, spec := range block.Specs {
		for _, name := range spec.(*ast.ValueSpec).Names {
			if regexp.MustCompile(`^Err[A-Z]`).MatchString(name.Name) {
				names = append(names, name.Name)
			}
		}
	}
	return names
}

func TestJudgeNeverBuriesACancelledPhoto(t *testing.T) {
	for name, want := range rulings() {
		if err := errors.Join(want.err, context.Canceled); Judge(err) == DeadLetter {
			t.Errorf("%s together with the end of a context became a dead letter", name)
		}
		if err := errors.Join(want.err, context.DeadlineExceeded); Judge(err) == DeadLetter {
			t.Errorf("%s together with a time-out became a dead letter", name)
		}
	}
}

func TestPatientlyWaitsForTheWorldToHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text bytes.Buffer
		log, started, attempts := slog.New(slog.NewTextHandler(&text, nil)), time.Now(), 0
		err := patiently(t.Context(), log, "photo", func(context.Context) error {
			if attempts++; time.Since(started) < 2*time.Minute {
				return fmt.Errorf("get: %w", ErrStorage)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		// 100 ms doubling to 15 s, shortened by up to a half: 2 minutes take 7 pauses to the cap and then 8 to 16 more.
		if attempts < 14 || attempts > 26 {
			t.Errorf("%d attempts in %s", attempts, time.Since(started))
		}
		warnings := strings.Count(text.String(), "level=WARN")
		if warnings < 3 || warnings > 5 || strings.Count(text.String(), "recovered") != 1 {
			t.Errorf("%d warnings in 2 minutes; the log:\n%s", warnings, text.String())
		}
	})
}

func TestPatientlyPausesAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		pause, last := time.Duration(0), time.Now()
		for range 20 { // pauses are random
			attempts := 0
			_ = patiently(t.Context(), slog.New(slog.DiscardHandler), "photo", func(context.Context) error {
				if d := time.Since(last); attempts > 0 && (d < pause/2 || d > pause) {
					t.Errorf("paused for %s, want %s shortened by up to a half", d, pause)
				}
				pause, last = min(firstPause<<attempts, longPause), time.Now()
				if attempts++; attempts > 12 {
					return ErrObjectGone
				}
				return ErrStorage
			})
		}
	})
}

func TestPatientlyGivesUpOnWhatWillNotHeal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log, because := slog.New(slog.DiscardHandler), errors.New("taken away")
		for _, final := range []error{ErrObjectGone, ErrStorageConfig} {
			attempts := 0
			err := patiently(t.Context(), log, "photo", func(context.Context) error { attempts++; return final })
			if !errors.Is(err, final) || attempts != 1 {
				t.Errorf("%v after %d attempts, want %v at once", err, attempts, final)
			}
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Minute, func() { cancel(because) })
		started := time.Now()
		err := patiently(ctx, log, "photo", func(context.Context) error { return ErrStorage })
		if !errors.Is(err, because) || time.Since(started) != time.Minute {
			t.Errorf("%v after %s, want the end of the context at once", err, time.Since(started))
		}
		// An error that the end of the context caused is not the photo's.
		if err := patiently(ctx, log, "photo", func(context.Context) error { return decode.ErrCorrupt }); !errors.Is(err, because) {
			t.Errorf("%v, want the reason of the end", err)
		}
	})
}
