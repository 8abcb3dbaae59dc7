package main

import (
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"planetag/consumer/devbroker"
)

const (
	killAlbums, killAlbumSize, killAlone = 10, 4, 12
	killBroken                           = 3 // of the photos that are alone, and can never succeed
	killPhotos                           = killAlbums*killAlbumSize + killAlone
)

// TestKillLosesNothingAndRepeatsNothing kills the worker with SIGKILL twice, once while photos are answered and once while
// albums are, and starts it again. A reader that is not kafka-go then finds exactly one photo-level record or dead letter
// per reference and exactly one album-level record per photo of an album.
func TestKillLosesNothingAndRepeatsNothing(t *testing.T) {
	world := newWorld(t)
	world.publish(t)
	r := newReader(t, world)

	world.allow(killPhotos / 3)
	first := world.start(t)
	r.await(t, first, "some photos", func() bool { return len(r.photo) >= killPhotos/5 })
	first.kill(t)
	if len(r.photo)+len(r.dead) > killPhotos/3 {
		t.Fatalf("not the middle: %d photos answered", len(r.photo)+len(r.dead))
	}

	world.allow(killPhotos / 2)
	second := world.start(t)
	r.await(t, second, "some albums", func() bool { return len(r.album) >= killAlbumSize })
	second.kill(t)
	if len(r.album) == killAlbums*killAlbumSize {
		t.Fatal("not the middle: every album was answered")
	}

	world.allow(10 * killPhotos)
	third := world.start(t)
	r.await(t, third, "everything", r.complete)
	third.stop(t)
	r.toTheEnd(t)
	r.check(t)
}

// TestSecondSignalEndsAtOnce holds the worker's transactions up, so that it cannot drain.
func TestSecondSignalEndsAtOnce(t *testing.T) {
	world := newWorld(t)
	const endTxn = 26
	stuck, release := make(chan struct{}), make(chan struct{})
	var first atomic.Bool
	world.broker.OnRequest(func(apiKey int16) devbroker.Fault {
		// The fencing at the start ends a transaction, too; only one that photos wait for is held up.
		if apiKey == endTxn && world.fetched.Load() > 0 {
			if first.CompareAndSwap(false, true) {
				close(stuck)
			}
			<-release
		}
		return devbroker.Fault{}
	})
	t.Cleanup(func() { close(release) })
	world.publish(t)
	world.allow(killPhotos)
	w := world.start(t)
	select {
	case <-stuck:
	case <-time.After(30 * time.Second):
		t.Fatalf("no transaction was ended\n%s", w.log.String())
	}
	w.signal(t, syscall.SIGTERM)
	select {
	case <-w.ended:
		t.Fatalf("the first signal must let the worker drain\n%s", w.log.String())
	case <-time.After(500 * time.Millisecond):
	}
	w.signal(t, syscall.SIGTERM)
	select {
	case <-w.ended:
	case <-time.After(5 * time.Second):
		t.Fatal("the second signal was not heard")
	}
	if status := w.cmd.ProcessState.ExitCode(); status != exitInterrupted {
		t.Errorf("exit status %d, want %d\n%s", status, exitInterrupted, w.log.String())
	}
}
