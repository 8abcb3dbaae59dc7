package main

import (
	"bytes"
	"sync"
	"syscall"
	"testing"
	"time"

	"planetag/consumer/devbroker"
)

// API keys of Kafka.
const (
	apiProduce, apiFetch, apiListOffsets, apiOffsetFetch, apiFindCoordinator   = 0, 1, 2, 9, 10
	apiJoin, apiSync, apiInitProducer, apiAddPartitions, apiAddOffsets, apiEnd = 11, 14, 22, 24, 25, 26
	apiTxnOffsetCommit                                                         = 28
)

// phase is one request of one stage that is held up.
type phase struct {
	name     string
	key      int16
	of       string // what the request has in it, which tells the stages apart
	fetched  bool   // only once photos were asked for: a take-over ends a transaction, too
	answered bool   // the broker carries the request out, and its answer is held up
	late     bool   // the request arrives when the next worker is at work already
}

func phases() []phase {
	const photos, albums = "planetag.photos/", "planetag.albums/"
	return []phase{
		{name: "while a coordinator is looked for", key: apiFindCoordinator, of: "planetag.photos"},
		{name: "while joining", key: apiJoin, of: "planetag.photos"},
		{name: "while joining, joined", key: apiSync, of: "planetag.photos", answered: true},
		{name: "while a producer is taken over", key: apiInitProducer, of: photos},
		{name: "while a producer is taken over, taken", key: apiInitProducer, of: photos, answered: true},
		{name: "while the offset is asked for", key: apiOffsetFetch, of: "planetag.photos"},
		{name: "while the end is asked for", key: apiListOffsets, of: "photos"},
		{name: "while references are read", key: apiFetch, of: "photos"},
		{name: "while embeddings are read", key: apiFetch, of: "planetag.embeddings"},
		{name: "before partitions are added", key: apiAddPartitions, of: photos},
		{name: "after partitions were added", key: apiAddPartitions, of: photos, answered: true},
		{name: "before records are written", key: apiProduce, of: photos},
		{name: "before records are written, late", key: apiProduce, of: photos, late: true},
		{name: "after records were written", key: apiProduce, of: photos, answered: true},
		{name: "between records and offsets", key: apiAddOffsets, of: photos},
		{name: "before the offset is written", key: apiTxnOffsetCommit, of: photos},
		{name: "before the offset is written, late", key: apiTxnOffsetCommit, of: photos, late: true},
		{name: "after the offset was written", key: apiTxnOffsetCommit, of: photos, answered: true},
		{name: "before the commit", key: apiEnd, of: photos, fetched: true},
		{name: "before the commit, late", key: apiEnd, of: photos, fetched: true, late: true},
		{name: "after the commit", key: apiEnd, of: photos, fetched: true, answered: true},
		{name: "while albums are closed, before records", key: apiProduce, of: albums},
		{name: "while albums are closed, before the offset", key: apiTxnOffsetCommit, of: albums},
		{name: "while albums are closed, after the offset", key: apiTxnOffsetCommit, of: albums, answered: true},
	}
}

// TestTermDuring holds up one request and sends SIGTERM: the worker ends by itself, with status 0 and within
// shutdown.deadline, and whoever comes next answers every photo exactly once.
func TestTermDuring(t *testing.T) {
	queue := make(chan phase)
	var working sync.WaitGroup
	for range 6 { // they wait more than they work
		working.Go(func() {
			for p := range queue {
				t.Run(p.name, p.test)
			}
		})
	}
	for _, p := range phases() {
		queue <- p
	}
	close(queue)
	working.Wait()
}

func (p phase) test(t *testing.T) {
	world := newWorld(t)
	held, release := world.hold(t, p)
	world.publish(t)
	world.allow(10 * killPhotos)
	first := world.start(t)
	first.await(t, held, "the phase")
	first.stop(t)
	if !p.late {
		release()
	}
	r := newReader(t, world)
	second := world.start(t)
	r.await(t, second, "everything", r.complete)
	release()
	second.stop(t)
	r.toTheEnd(t)
	r.check(t)
}

// hold makes the first request of a phase wait for release. Only worker's requests match: their client's name is planetag.
func (w *world) hold(t *testing.T, p phase) (held chan struct{}, release func()) {
	held, released := make(chan struct{}), make(chan struct{})
	release = sync.OnceFunc(func() { close(released) })
	t.Cleanup(release)
	first := sync.OnceFunc(func() { close(held) })
	var mu sync.Mutex
	taken := false
	w.broker.OnFrame(func(key int16, frame []byte) devbroker.Fault {
		if key != p.key || !bytes.Contains(frame, []byte(p.of)) || !bytes.Contains(frame, []byte("\x00\x08planetag")) ||
			p.fetched && w.fetched.Load() == 0 {
			return devbroker.Fault{}
		}
		mu.Lock()
		again := taken
		taken = true
		mu.Unlock()
		if again {
			return devbroker.Fault{}
		}
		if p.answered {
			time.AfterFunc(200*time.Millisecond, first) // time for the broker to carry it out
			return devbroker.Fault{HoldAnswer: released}
		}
		first()
		<-released
		return devbroker.Fault{}
	})
	return held, release
}

// await waits for something while the worker lives.
func (p *worker) await(t *testing.T, happened <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-happened:
	case <-p.ended:
		t.Fatalf("waiting for %s: the worker ended by itself\n%s", what, p.log.String())
	case <-time.After(60 * time.Second):
		_ = p.cmd.Process.Signal(syscall.SIGKILL) // it may have ended this very moment
		<-p.ended
		t.Fatalf("waiting for %s\n%s", what, p.log.String())
	}
}
