package check

import (
	"context"
	"errors"
	"testing"

	"planetag/pipeline"
)

func TestABadConfigurationSkipsTheRest(t *testing.T) {
	report, err := Run(t.Context(), Options{Name: "f.yaml", ConfigErr: pipeline.ErrConfig, Warnings: []string{"old"}})
	if err != nil || report.OK {
		t.Fatalf("%v %+v", err, report)
	}
	for _, c := range report.Checks[1:] {
		if c.Status != Skipped || c.Detail != "because config failed" {
			t.Errorf("%s: %s %s", c.Name, c.Status, c.Detail)
		}
	}
	if len(report.Checks) != 13 {
		t.Errorf("%d checks", len(report.Checks))
	}
}

func TestTheEndOfTheContextEndsTheChecks(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, Options{Config: pipeline.DefaultConfig()}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestTheAlbumStageNeedsNoStore: a worker that only answers albums is not asked for what it does not use.
func TestTheAlbumStageNeedsNoStore(t *testing.T) {
	w := well(t)
	w.cfg.Stages, w.cfg.S3.Endpoint = []string{"albums"}, "http://127.0.0.1:1"
	report := w.check()
	if !report.OK {
		t.Errorf("%s", text(t, report))
	}
	for _, c := range report.Checks {
		if c.Name == "bucket" || c.Name == "messages" || c.Name == "clock" {
			t.Errorf("%s was checked", c.Name)
		}
	}
}
