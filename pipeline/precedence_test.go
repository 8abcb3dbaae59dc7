package pipeline

import (
	"context"
	"errors"
	"fmt"
	"image/color"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestLivePhotosGoFirst works a live partition and one of the backfill topic side by side. The store gives one photo at a time, in the order of asking, and
// says whose it was: while there are live photos, one in ten is the backfill's; then it has the store to itself.
func TestLivePhotosGoFirst(t *testing.T) {
	const livePhotos, archivePhotos, weight = 300, 200, 9
	red := paint(t, color.RGBA{R: 220, A: 255})
	var mu sync.Mutex
	var given []string
	s := startPhotoStage(t, fetchFunc(func(_ context.Context, ref Reference) (Object, error) {
		mu.Lock()
		defer mu.Unlock()
		time.Sleep(100 * time.Microsecond)
		given = append(given, ref.Key[:1])
		return Object{Data: red}, nil
	}))
	s.cfg.Photos.InFlight = 16
	order := newPrecedence(weight)
	live, archive := *s, *s
	live.admit, archive.admit, archive.stage = order.live, order.backfill, stageBackfill
	var input, backfill partitionFake
	for i := range livePhotos {
		input.add("k", fmt.Sprintf(`{"bucket":"pics","key":"live-%d.png"}`, i))
	}
	for i := range archivePhotos {
		backfill.add("k", fmt.Sprintf(`{"bucket":"pics","key":"archive-%d.png"}`, i))
	}
	// The archive begins when live photos are on their way: how the two start is not what is shown.
	var both sync.WaitGroup
	var begun atomic.Bool
	both.Go(func() { handleUntil(t, &live, &input, livePhotos) })
	for !begun.Load() {
		mu.Lock()
		begun.Store(len(given) > 0)
		mu.Unlock()
		time.Sleep(time.Millisecond)
	}
	both.Go(func() { handleUntil(t, &archive, &backfill, archivePhotos) })
	both.Wait()

	sequence := strings.Join(given, "")
	last := strings.LastIndex(sequence, "l")
	during := strings.Count(sequence[:last], "a")
	if len(sequence) != livePhotos+archivePhotos {
		t.Fatalf("%d photos were read, want %d", len(sequence), livePhotos+archivePhotos)
	}
	// Live photos on their way when the last one is read are not finished yet, and a photo that was let in may be read later.
	if least, most := (livePhotos-2*s.cfg.Photos.InFlight)/weight/2, livePhotos/weight+s.cfg.Photos.InFlight; during < least || during > most {
		t.Errorf("%d photos of the backfill were read among %d live ones, want %d to %d: %s", during, livePhotos, least, most, sequence)
	}
}

// TestPrecedence plays the rules one by one.
func TestPrecedence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPrecedence(3)
		ask := func() (entered func() bool) {
			in := make(chan struct{})
			go func() {
				if _, err := p.backfill(t.Context()); err == nil {
					close(in)
				}
			}()
			synctest.Wait() // so that they stand in line as they are asked
			return func() bool {
				synctest.Wait()
				select {
				case <-in:
					return true
				default:
					return false
				}
			}
		}
		begin := func() func() {
			leave, err := p.live(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return leave
		}
		if !ask()() {
			t.Error("nobody is there, and the backfill waits")
		}
		leaves := []func(){begin(), begin(), begin(), begin(), begin(), begin(), begin()}
		first, second := ask(), ask()
		leaves[0]()
		leaves[1]()
		if first() || second() {
			t.Error("the backfill went after two live photos, want three")
		}
		leaves[2]()
		if !first() || second() {
			t.Error("after three live photos one of the backfill goes, and one only")
		}
		for _, leave := range leaves[3:6] {
			leave()
		}
		if !second() {
			t.Error("after three more the next one goes")
		}
		third, fourth := ask(), ask()
		if third() || fourth() {
			t.Error("one live photo is left, and the backfill did not wait")
		}
		leaves[6]()
		if !third() || !fourth() {
			t.Error("with the last live photo everybody goes")
		}

		stuck := begin() // its store is away
		fifth := ask()
		time.Sleep(trickle - time.Millisecond)
		if fifth() {
			t.Error("the backfill did not wait for a live photo")
		}
		time.Sleep(2 * time.Millisecond)
		if !fifth() {
			t.Error("a live photo that is never finished holds up the archive for ever")
		}
		gone, cancel := context.WithCancelCause(t.Context())
		reason := errors.New("rebalance")
		cancel(reason)
		if _, err := p.backfill(gone); !errors.Is(err, reason) {
			t.Errorf("a partition that is taken away: %v", err)
		}
		stuck()
		if len(p.waiting) != 0 || p.walking != 0 {
			t.Errorf("left behind: %d waiting, %d walking", len(p.waiting), p.walking)
		}
	})
}
