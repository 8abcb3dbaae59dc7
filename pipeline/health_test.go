package pipeline

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

func TestHealthIsReadyUntilWorkStandsStill(t *testing.T) {
	const minute = time.Minute
	for _, row := range []struct {
		name  string
		play  func(h *Health)
		ready bool
	}{
		{"nothing happened yet", func(*Health) { time.Sleep(time.Hour) }, true},
		{"nothing to do for an hour", func(h *Health) {
			h.Progress("photos", "photos", 0, 10, 10)
			time.Sleep(time.Hour)
		}, true},
		{"work that stands still", func(h *Health) {
			h.Progress("photos", "photos", 0, 10, 20)
			time.Sleep(5 * minute)
		}, false},
		{"… but not for long", func(h *Health) {
			h.Progress("photos", "photos", 0, 10, 20)
			time.Sleep(5*minute - 1)
		}, true},
		{"a read that comes back with nothing, over and over", func(h *Health) {
			for range 6 {
				h.Progress("photos", "photos", 0, 10, 20)
				time.Sleep(minute)
			}
		}, false},
		{"slow, but getting on", func(h *Health) {
			for i := range 6 {
				h.Progress("photos", "photos", 0, int64(i), 20)
				time.Sleep(4 * minute)
			}
		}, true},
		{"one partition stands still while another gets on", func(h *Health) {
			for i := range 6 {
				h.Progress("photos", "photos", 0, 3, 20)
				h.Progress("photos", "photos", 1, int64(i), 20)
				time.Sleep(4 * minute)
			}
		}, true},
		{"commits are progress", func(h *Health) {
			h.Progress("photos", "photos", 0, 10, 20)
			time.Sleep(4 * minute)
			h.Transaction("photos", 1, 0, nil)
			time.Sleep(4 * minute)
		}, true},
		{"failed commits are not", func(h *Health) {
			h.Progress("photos", "photos", 0, 10, 20)
			time.Sleep(4 * minute)
			h.Transaction("photos", 1, 0, errors.New("fenced"))
			time.Sleep(4 * minute)
		}, false},
		{"another stage's progress does not count", func(h *Health) {
			h.Progress("photos", "photos", 0, 10, 20)
			time.Sleep(4 * minute)
			h.Tick("albums")
			time.Sleep(4 * minute)
		}, false},
		{"work that arrived after an idle hour has its time, too", func(h *Health) {
			h.Progress("photos", "photos", 0, 10, 10)
			time.Sleep(time.Hour)
			h.Progress("photos", "photos", 0, 10, 15)
			time.Sleep(minute)
		}, true},
		{"a partition that was lost on the way does not accuse for ever", func(h *Health) {
			h.Progress("photos", "photos", 0, 10, 20)
			h.Left("photos", "photos", 0)
			time.Sleep(time.Hour)
		}, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := NewHealth(5 * minute)
				h.SetReady(true, "working")
				row.play(h)
				if live, reason := h.Live(); !live {
					t.Errorf("not live, though nothing is stuck: %s", reason)
				}
				ready, reason := h.Ready()
				if ready != row.ready || !ready && !strings.HasPrefix(reason, "stage photos is 10 records behind and has not got on for ") {
					t.Errorf("ready is %v: %s", ready, reason)
				}
			})
		})
	}
}

func TestObserversTellAll(t *testing.T) {
	reg := prometheus.NewRegistry()
	m, h := NewMetrics(reg), NewHealth(time.Nanosecond)
	all := Observers{m, h}
	all.Transaction("photos", 3, time.Second, nil)
	all.Transaction("photos", 3, time.Second, errors.New("fenced"))
	all.DataLost("photos", 1, 10, 15)
	all.Progress("photos", "photos", 1, 10, 17)
	time.Sleep(time.Millisecond)
	h.SetReady(true, "working")
	if ready, _ := h.Ready(); ready {
		t.Error("the health was not told")
	}
	for name, want := range map[string]float64{
		`planetag_transactions_total{result="committed",stage="photos"}`:    1,
		`planetag_transactions_total{result="failed",stage="photos"}`:       1,
		`planetag_lost_records_total`:                                       5,
		`planetag_lag_records{partition="1",stage="photos",topic="photos"}`: 7,
	} {
		if got := figure(t, reg, name); got != want {
			t.Errorf("%s is %g, want %g", name, got, want)
		}
	}
}
