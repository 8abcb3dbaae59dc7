package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"planetag/deploy/realkafka"
)

const (
	session    = 4 * time.Second // of the workers; the brokers allow it
	inFlight   = 32
	flush      = 50
	partitions = 6
)

// stageSet is what all rows share: the brokers, the store with its objects, and the binary.
type stageSet struct {
	brokers []*realkafka.Kafka
	store   *realkafka.Versity
	binary  string
	root    string
}

func build(t *testing.T, brokers int) *stageSet {
	t.Helper()
	s := &stageSet{store: realkafka.StartVersity(t), root: realkafka.Root(t)}
	if brokers == 1 {
		s.brokers = []*realkafka.Kafka{realkafka.StartSplit(t)}
	} else {
		s.brokers = realkafka.StartCluster(t, brokers)
	}
	s.binary = filepath.Join(s.root, "bin", "planetag")
	if _, err := os.Stat(s.binary); err != nil {
		realkafka.Missing(t, "bin/planetag is not built; `make build` does it")
	}
	s.fill(t)
	return s
}

func (s *stageSet) addresses() []string {
	var list []string
	for _, b := range s.brokers {
		list = append(list, b.Addr())
	}
	return list
}

// names are the topics and the group of one row: rows share brokers, not work.
type names struct{ group, input, embeddings, locations, deadLetters string }

func namesOf(row string) names {
	return names{row, row + ".photos", row + ".embeddings", row + ".locations", row + ".dead-letters"}
}

// scene is one row on its way.
type scene struct {
	t      *testing.T
	set    *stageSet
	names  names
	rng    *rand.Rand
	fleet  *fleet
	feed   *feeder
	ledger *ledger
	queue  []*reference   // early ones, not yet released
	late   []*reference   // to be released when albums have closed
	counts map[string]int // faults injected, by name
	notes  []string
	stop   func() // ends the reading, and waits for it
}

// enter sets a scene: topics (made by the first worker), feeder, reader and the first workers.
func enter(ctx context.Context, t *testing.T, set *stageSet, r row, seed uint64) *scene {
	t.Helper()
	s := &scene{t: t, set: set, names: namesOf(r.name), rng: rand.New(rand.NewPCG(seed, uint64(len(r.name)))), ledger: newLedger(), counts: map[string]int{}}
	s.queue, s.late = crowd(s.rng, r.references, r.albums)
	s.fleet = &fleet{t: t, binary: set.binary, env: s.environment(r.settings), log: filepath.Join(t.TempDir(), "workers.log")}
	t.Cleanup(func() {
		s.fleet.close()
		if t.Failed() {
			t.Logf("the workers' log ends:\n%s", tail(s.fleet.log, 60))
			s.keep()
		}
	})
	s.fleet.start()
	s.waitReady(ctx, s.fleet.running[0])
	s.fleet.scale(r.workers, false)
	var err error
	if s.feed, err = newFeeder(set.addresses(), s.names.input); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.feed.client.Close)
	reading, cancel := context.WithCancel(ctx)
	var reader sync.WaitGroup
	reader.Go(func() {
		if err := s.ledger.follow(reading, set.addresses(), s.names); err != nil {
			t.Error(err)
		}
	})
	s.stop = func() { cancel(); reader.Wait() }
	t.Cleanup(s.stop)
	return s
}

// environment makes everything happen within seconds, and in many small transactions, so that faults meet work of every kind half done.
func (s *scene) environment(more map[string]string) []string {
	set := map[string]string{
		"KAFKA_BROKERS": strings.Join(s.set.addresses(), ","), "KAFKA_GROUP": s.names.group, "KAFKA_SESSION_TIMEOUT": session.String(),
		"KAFKA_REBALANCE_TIMEOUT": "10s", "KAFKA_TRANSACTION_TIMEOUT": "15s",
		"TOPICS_INPUT": s.names.input, "TOPICS_EMBEDDINGS": s.names.embeddings, "TOPICS_LOCATIONS": s.names.locations,
		"TOPICS_DEAD_LETTERS": s.names.deadLetters, "TOPICS_PARTITIONS": fmt.Sprint(partitions),
		"TOPICS_REPLICATION": fmt.Sprint(min(len(s.set.brokers), 3)),
		"S3_ENDPOINT":        s.set.store.URL, "S3_ACCESS_KEY": s.set.store.AccessKey, "S3_SECRET_KEY": s.set.store.SecretKey, "S3_BUCKET": bucket,
		"S3_GONE_GRACE": "200ms", "BUNDLE_PATH": s.set.bundle(), "PHOTOS_IN_FLIGHT": fmt.Sprint(inFlight), "PHOTOS_FLUSH_RECORDS": fmt.Sprint(flush),
		"ALBUMS_IDLE": "3s", "LOG_FORMAT": "json",
	}
	for key, value := range more {
		set[key] = value
	}
	var env []string
	for key, value := range set {
		env = append(env, "PLANETAG_"+key+"="+value)
	}
	return env
}

// waitReady returns when a worker has made its topics and works.
func (s *scene) waitReady(ctx context.Context, w *worker) {
	s.t.Helper()
	for begun := time.Now(); time.Since(begun) < time.Minute; s.pause(ctx, 50*time.Millisecond) {
		if w.ready() {
			return
		}
	}
	s.t.Fatalf("a worker did not get ready within a minute; its log ends:\n%s", tail(s.fleet.log, 40))
}

// release lets the next n references go.
func (s *scene) release(ctx context.Context, n int) {
	n = min(n, len(s.queue))
	s.feed.release(ctx, s.queue[:n])
	s.queue = s.queue[n:]
}

func (s *scene) pause(ctx context.Context, d time.Duration) {
	s.t.Helper()
	select {
	case <-ctx.Done():
		s.t.Fatal("out of time")
	case <-time.After(d):
	}
}

// between draws a duration.
func (s *scene) between(from, to time.Duration) time.Duration {
	return from + time.Duration(s.rng.Int64N(int64(to-from)))
}

// strikeWhenVisible waits for the moment in which an answer gets visible, up to a second: whoever publishes first and remembers later is caught then.
func (s *scene) strikeWhenVisible(ctx context.Context) bool {
	select {
	case <-s.ledger.news:
	default:
	}
	select {
	case <-s.ledger.news:
		return true
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
	return false
}

// victim is a worker that runs.
func (s *scene) victim() *worker { return s.fleet.running[s.rng.IntN(len(s.fleet.running))] }

func (s *scene) note(format string, args ...any) {
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

func tail(path string, n int) string { return lastOf(linesOf(path), n) }

// lastWords are what stands in a log between its records: what a command says when it ends.
func lastWords(path string) string {
	return lastOf(slices.DeleteFunc(linesOf(path), func(line string) bool { return strings.HasPrefix(line, "{") }), 10)
}

func lastOf(lines []string, n int) string { return strings.Join(lines[max(0, len(lines)-n):], "\n") }

func linesOf(path string) []string {
	text, err := os.ReadFile(path)
	if err != nil {
		return []string{err.Error()}
	}
	return strings.Split(strings.TrimSpace(string(text)), "\n")
}
