package pipeline

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// watchdogStory is a watchdog with its stage, told in the time of a synctest bubble.
type watchdogStory struct {
	*Watchdog
	t       *testing.T
	reg     *prometheus.Registry
	health  *Health
	stage   context.Context
	ended   func()
	verdict chan error
}

func tellWatchdog(t *testing.T, play func(*watchdogStory)) {
	synctest.Test(t, func(t *testing.T) {
		s := &watchdogStory{t: t, reg: prometheus.NewRegistry(), health: NewHealth(0), verdict: make(chan error, 1)}
		s.Watchdog = NewWatchdog(DefaultConfig().Watchdog, 25*time.Second, NewMetrics(s.reg), slog.New(slog.DiscardHandler))
		s.health.watchdog = s.Watchdog
		ctx, cancel := context.WithCancel(t.Context())
		go func() { s.verdict <- s.Run(ctx) }()
		s.stage, s.ended = s.Stage(ctx, "photos")
		play(s)
		cancel()
		synctest.Wait()
	})
}

// expect checks everything that a person outside can see.
func (s *watchdogStory) expect(stuck bool, says string, bites float64) {
	s.t.Helper()
	synctest.Wait()
	if got := errors.Is(context.Cause(s.stage), ErrStuck); got != stuck {
		s.t.Errorf("stage ended: %v, want %v", context.Cause(s.stage), stuck)
	}
	live, reason := s.health.Live()
	if live != (says == "") || !strings.Contains(reason, says) {
		s.t.Errorf("live is %v: %q, want it to say %q", live, reason, says)
	}
	if got := figure(s.t, s.reg, `planetag_watchdog_stuck_total{what="model"}`); got != bites {
		s.t.Errorf("%g bites, want %g", got, bites)
	}
}

func TestWatchdogLetsSlowWorkBe(t *testing.T) {
	tellWatchdog(t, func(s *watchdogStory) {
		for range 5 {
			_, p := s.Enter(s.stage, workModel)
			time.Sleep(2*time.Minute - 2*time.Second)
			p.leave()
		}
		_, attempts := s.Enter(s.stage, workFetch)
		for range 50 { // an outage: attempt after attempt
			time.Sleep(time.Minute)
			attempts.beat()
		}
		attempts.leave()
		s.expect(false, "", 0)
	})
}

func TestWatchdogEndsTheStageAndTheCall(t *testing.T) {
	tellWatchdog(t, func(s *watchdogStory) {
		ctx, p := s.Enter(at(s.stage, "photos", 3), workModel)
		time.Sleep(2*time.Minute + 2*time.Second)
		s.expect(true, "model in stage photos partition 3 since 2000-01-01T00:00:00Z", 1)
		if !errors.Is(context.Cause(ctx), ErrStuck) {
			t.Errorf("the call was not told: %v", context.Cause(ctx))
		}
		p.leave()
		s.ended()
		s.expect(true, "", 1) // the stage's context is what it was; nothing is stuck any more
		time.Sleep(time.Hour)
		select {
		case err := <-s.verdict:
			t.Errorf("ended the process for a stage that came back: %v", err)
		default:
		}
	})
}

func TestWatchdogGivesUpOnAStageThatDoesNotReturn(t *testing.T) {
	for name, leaves := range map[string]bool{"the call does not return": false, "the call does, the stage does not": true} {
		t.Run(name, func(t *testing.T) {
			tellWatchdog(t, func(s *watchdogStory) {
				_, p := s.Enter(s.stage, workModel)
				time.Sleep(2*time.Minute + 2*time.Second)
				if leaves {
					p.leave()
				}
				time.Sleep(20 * time.Second)
				s.mustNotHaveEnded()
				time.Sleep(10 * time.Second)
				synctest.Wait()
				select {
				case err := <-s.verdict:
					if !errors.Is(err, ErrStuck) || !strings.Contains(err.Error(), "model in stage photos") {
						t.Errorf("ended with %v", err)
					}
				default:
					t.Error("waits for ever")
				}
				p.leave()
			})
		})
	}
}

func (s *watchdogStory) mustNotHaveEnded() {
	s.t.Helper()
	select {
	case err := <-s.verdict:
		s.t.Fatalf("gave up within the grace: %v", err)
	default:
	}
}

// TestWatchdogFindsADeadlock: a partition is in hand, and in its stage nothing begins or ends.
func TestWatchdogFindsADeadlock(t *testing.T) {
	tellWatchdog(t, func(s *watchdogStory) {
		_, hand := s.Enter(at(s.stage, "photos", 1), workStage)
		for range 100 { // idle: the partition is read, and there is nothing
			_, p := s.Enter(s.stage, workTransaction)
			time.Sleep(time.Minute)
			p.leave()
		}
		s.expect(false, "", 0)
		time.Sleep(5*time.Minute + 2*time.Second)
		s.expect(true, "stage in stage photos partition 1", 0)
		hand.leave()
	})
}

// TestWatchdogForgivesTheTimeInWhichItStoodStillItself: a stopped process is a zombie, but nothing in it is stuck.
func TestWatchdogForgivesTheTimeInWhichItStoodStillItself(t *testing.T) {
	tellWatchdog(t, func(s *watchdogStory) {
		_, p := s.Enter(s.stage, workModel)
		time.Sleep(time.Minute)
		s.forgive(time.Hour)
		time.Sleep(time.Hour + 30*time.Second)
		s.expect(false, "", 0)
		p.leave()
	})
}

// TestWatchdogCountsStrikes: commits in between make an unlucky stage a working one.
func TestWatchdogCountsStrikes(t *testing.T) {
	tellWatchdog(t, func(s *watchdogStory) {
		w := &worker{watchdog: s.Watchdog, log: quiet()}
		runs := 0
		err := w.watched(s.t.Context(), "albums", func(ctx context.Context) error {
			ctx, p := s.Enter(ctx, workModel)
			defer p.leave()
			if runs++; runs == 2 {
				s.committed("albums")
			}
			return sleep(ctx, time.Hour)
		})
		if !errors.Is(err, ErrStuck) || runs != strikesOut+1 { // the first strike was forgotten
			t.Errorf("%d runs, then %v; want %d", runs, err, strikesOut+1)
		}
		s.ended()
	})
}
