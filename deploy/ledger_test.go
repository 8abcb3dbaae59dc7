package deploy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// answer is what this test reads of a published location.
type answer struct {
	PhotoID  string `json:"photo_id"`
	Status   string `json:"status"`
	Stage    string `json:"stage"`
	Revision int64  `json:"revision"`
	Location *struct{ Lat, Lon float64 }
}

// ledger holds everything that a reader of committed records sees, by photo id.
type ledger struct {
	mu      sync.Mutex
	answers map[string][]answer
	dead    map[string][]string // error.type of each dead letter
	records int
	changed time.Time
	broken  []string      // records that no reader could use
	news    chan struct{} // holds one when something was taken since the last look
}

// follow reads both output topics from their start with a client that is not the worker's, until ctx ends.
// The test waits for it through the returned function.
func follow(ctx context.Context, t *testing.T, broker string) (*ledger, func()) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.ConsumeTopics("planetag.locations", "planetag.dead-letters"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	l := &ledger{answers: map[string][]answer{}, dead: map[string][]string{}, changed: time.Now(), news: make(chan struct{}, 1)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer client.Close()
		for ctx.Err() == nil {
			client.PollFetches(ctx).EachRecord(l.take)
			select {
			case l.news <- struct{}{}:
			default:
			}
		}
	}()
	return l, func() { <-done }
}

func (l *ledger) take(r *kgo.Record) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.records++
	l.changed = time.Now()
	id := string(r.Key)
	if r.Topic == "planetag.dead-letters" {
		l.dead[id] = append(l.dead[id], header(r, "error.type"))
		if header(r, "error.message") == "" {
			l.broken = append(l.broken, fmt.Sprintf("dead letter of %s has no reason", id))
		}
		return
	}
	var a answer
	if err := json.Unmarshal(r.Value, &a); err != nil || a.PhotoID != id {
		l.broken = append(l.broken, fmt.Sprintf("location with key %s: %v: %s", id, err, r.Value))
		return
	}
	l.answers[id] = append(l.answers[id], a)
}

func header(r *kgo.Record, key string) string {
	for _, h := range r.Headers {
		if h.Key == key {
			return string(h.Value)
		}
	}
	return ""
}

// ended counts the photos that have an outcome, albums the answers of albums.
func (l *ledger) ended() (photos, albums int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, list := range l.answers {
		albums += len(list) - 1
	}
	return len(l.answers) + len(l.dead), albums
}

// waitFor returns as soon as the condition holds, at once when a record made it so: a worker that is to be killed between publishing and remembering
// has only milliseconds left. It is a failure when ctx ends first.
func (l *ledger) waitFor(ctx context.Context, t *testing.T, what string, condition func(photos, albums int) bool) {
	t.Helper()
	for !condition(l.ended()) {
		select {
		case <-ctx.Done():
			photos, albums := l.ended()
			t.Fatalf("%s did not come: %d photos have an outcome, %d answers of albums", what, photos, albums)
		case <-l.news:
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// quietFor tells whether nothing was published for that long.
func (l *ledger) quietFor(d time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return time.Since(l.changed) >= d
}

// check compares what was published with what was sent: one outcome for each reference, never two.
func (l *ledger) check(t *testing.T, sent []sample) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, text := range l.broken {
		t.Error(text)
	}
	for _, s := range sent {
		if err := judge(s, l.answers[s.id], l.dead[s.id]); err != nil {
			t.Errorf("%s: %v; its locations are %+v, its dead letters %v", s.id, err, l.answers[s.id], l.dead[s.id])
		}
		delete(l.answers, s.id)
		delete(l.dead, s.id)
	}
	if len(l.answers)+len(l.dead) > 0 {
		t.Errorf("nobody sent these: %v %v", l.answers, l.dead)
	}
}

// judge says what is wrong with the outcomes of one reference that was sent once.
func judge(s sample, answers []answer, dead []string) error {
	if s.expect == "dead_letter" {
		if len(dead) != 1 || len(answers) != 0 {
			return fmt.Errorf("want exactly one dead letter")
		}
		return nil
	}
	if len(dead) != 0 {
		return fmt.Errorf("want no dead letter")
	}
	atPhoto, seen := 0, map[int64]bool{}
	for _, a := range answers {
		switch {
		case a.Stage == "photo":
			atPhoto++
		case seen[a.Revision]:
			return fmt.Errorf("revision %d of the album was published twice", a.Revision)
		default:
			seen[a.Revision] = true
		}
	}
	if atPhoto != 1 {
		return fmt.Errorf("%d photo-level locations, want exactly one", atPhoto)
	}
	if s.album == "" && len(seen) > 0 || s.album != "" && len(seen) == 0 && s.expect != "opted_out" {
		return fmt.Errorf("album %q, but %d answers of albums", s.album, len(seen))
	}
	return judgeFinal(s, answers)
}

// judgeFinal looks at the record that a reader keeps: the album's before the photo's, then the greatest revision.
func judgeFinal(s sample, answers []answer) error {
	final := slices.MaxFunc(answers, func(a, b answer) int {
		if a.Stage != b.Stage {
			if a.Stage == "album" {
				return 1
			}
			return -1
		}
		return int(a.Revision - b.Revision)
	})
	allowed := []string{s.expect}
	if s.expect == "" {
		allowed = []string{"estimated", "abstained"}
	}
	if !slices.Contains(allowed, final.Status) {
		return fmt.Errorf("final status %s, want %v", final.Status, allowed)
	}
	if located := final.Status == "estimated" || final.Status == "given"; located != (final.Location != nil) {
		return fmt.Errorf("status %s with location %v", final.Status, final.Location)
	}
	return nil
}
