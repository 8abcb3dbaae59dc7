package chaos

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The kinds of references that are sent, by how they must end.
const (
	good     = "location"
	deadly   = "dead letter"
	optedOut = "opted out"
	removal  = "tombstone"

	complete      = "album complete"       // a producer's word about an album, which leads to no record of its own
	deletedUnread = "deleted by retention" // before any worker read it
)

// reference is one record of the input topic. Where it came to lie is known once it was acknowledged.
type reference struct {
	kind, id, album string
	positioned      bool // it says where it was taken, which is evidence for the others of its album
	value           []byte

	partition int32
	offset    int64
	at        int64 // ms
	sent      bool
}

// bucket is where the objects of all references lie; see objects.
const bucket = "chaos"

// crowd draws n references in about the given number of albums, from a seed: 2 % of them can never succeed, each in one of five ways, 1 % opt out,
// 1 % are removed later, 2 % come twice. Photos of many albums are interleaved as those of many cameras are; the last tenth of every twentieth album
// comes late, behind everything else. Of every fourth album half of the photos have a position.
func crowd(rng *rand.Rand, n, albums int) (early, late []*reference) {
	for i := range n {
		number := rng.IntN(albums)
		r := &reference{kind: good, id: fmt.Sprintf("photo-%06d", i), album: fmt.Sprintf("album-%05d", number), positioned: number%4 == 0 && i%2 == 0}
		object := []string{"red.jpg", "green.jpg", "blue.jpg", "grey.jpg"}[rng.IntN(4)]
		switch dice := rng.IntN(100); {
		case dice < 2:
			r.kind, object = deadly, []string{"gone.jpg", "empty.jpg", "text.jpg", "cut.jpg", ""}[rng.IntN(5)]
		case dice < 3:
			r.kind = optedOut
		case dice < 4:
			r.album = "" // its removal cannot take an album's answer back
			early = append(early, &reference{kind: removal, id: r.id})
		}
		r.value = r.render(object, i)
		if rng.IntN(100) < 2 && r.kind == good {
			early = append(early, &reference{kind: good, id: r.id, album: r.album, positioned: r.positioned, value: r.value})
		}
		if r.kind == good && r.album != "" && rng.IntN(200) == 0 {
			late = append(late, r)
			continue
		}
		early = append(early, r)
	}
	// Shuffled in windows: order within an album and before a removal does not matter to the checks, nearness in time does to the worker.
	for window := range slices.Chunk(early, 400) {
		rng.Shuffle(len(window), func(i, j int) { window[i], window[j] = window[j], window[i] })
	}
	return early, late
}

// repeated counts the references to photos that were sent before.
func repeated(list []*reference) (n int) {
	seen := map[string]bool{}
	for _, r := range list {
		if r.kind != good {
			continue
		}
		if seen[r.id] {
			n++
		}
		seen[r.id] = true
	}
	return n
}

// render is the reference as a producer writes it; without an object it is a broken one.
func (r *reference) render(object string, i int) []byte {
	if object == "" {
		return []byte(`{"bucket": "` + bucket + `", "key": `)
	}
	fields := map[string]any{
		"photo_id": r.id, "bucket": bucket, "key": object, "album": r.album, "opt_out": r.kind == optedOut,
		"taken_at": time.Date(2026, 7, 1, 0, 0, i, 0, time.UTC),
	}
	if r.positioned {
		fields["position"] = map[string]any{"lat": 41.7316, "lon": 12.2763, "source": "gps"}
	}
	value, _ := json.Marshal(fields) // strings, numbers and a bool: cannot fail
	return value
}

// feeder writes references with a client that is not the worker's: idempotent and patient, so that a broker's death neither loses nor doubles any.
type feeder struct {
	client *kgo.Client
	topic  string
	sent   []*reference
	clock  int64 // ms, of the newest

	mu  sync.Mutex
	err error
}

func newFeeder(brokers []string, topic string) (*feeder, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(brokers...), kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(2*time.Millisecond),
		kgo.UnknownTopicRetries(1000), kgo.MetadataMinAge(200*time.Millisecond))
	if err != nil {
		return nil, fmt.Errorf("make the feeder: %w", err)
	}
	return &feeder{client: client, topic: topic}, nil
}

// release sends references without waiting for their acknowledgement. Each has a time of its own: of two references of one photo within a millisecond
// nobody could tell which is the newer one, and their revisions would be equal.
func (f *feeder) release(ctx context.Context, list []*reference) {
	for _, r := range list {
		f.sent = append(f.sent, r)
		f.clock = max(f.clock+1, time.Now().UnixMilli())
		record := &kgo.Record{Key: []byte(r.id), Value: r.value, Timestamp: time.UnixMilli(f.clock)}
		f.client.Produce(ctx, record, func(record *kgo.Record, err error) {
			f.mu.Lock()
			defer f.mu.Unlock()
			if err != nil {
				f.err = err
				return
			}
			r.partition, r.offset, r.at, r.sent = record.Partition, record.Offset, record.Timestamp.UnixMilli(), true
		})
	}
}

// buffered is how many references wait for their acknowledgement.
func (f *feeder) buffered() int64 { return f.client.BufferedProduceRecords() }

// finish waits until everything that was released is acknowledged.
func (f *feeder) finish(ctx context.Context) error {
	if err := f.client.Flush(ctx); err != nil {
		return fmt.Errorf("send references: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
