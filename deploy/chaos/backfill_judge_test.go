package chaos

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/pipeline"
)

// verdict of a backfill.
type backfillVerdict struct {
	references, missing, twice        int
	finals, unanswered, answeredTwice int
	albums, brokenAlbums              int
	dead                              int
}

// judge reads all topics with a client that is not the worker's. The final answer of a photo is the one with the greatest (stage, revision).
func (b *backfillScene) judge(ctx context.Context) (v backfillVerdict) {
	b.t.Helper()
	written, ended := b.references(ctx)
	l, err := final(ctx, b.set.addresses(), b.names)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, text := range l.broken {
		b.t.Error(text)
	}
	v.dead = len(l.dead)
	sizes := map[string]int{}
	for i := range b.made.Count {
		sizes[pipeline.AlbumOf(b.made.Key(i))]++
	}
	bad := map[string]bool{}
	for i := range b.made.Count {
		key := b.made.Key(i)
		album := pipeline.AlbumOf(key)
		v.references += written[key]
		v.missing += max(0, 1-written[key])
		v.twice += max(0, written[key]-1)
		answers := l.answers["made/"+key]
		perStage := map[string]int{}
		for _, a := range answers {
			perStage[a.stage]++
		}
		if len(answers) == 0 {
			v.unanswered++
			continue
		}
		last := slices.MaxFunc(answers, func(x, y answer) int { // "album" is less than "photo" by its letters, and greater by the rule
			return cmp.Or(-strings.Compare(x.stage, y.stage), cmp.Compare(x.revision, y.revision))
		})
		same := 0
		for _, a := range answers {
			if a.stage == last.stage && a.revision == last.revision {
				same++
			}
		}
		if v.finals++; same > 1 || perStage[pipeline.StagePhoto] > 1 {
			v.answeredTwice++
		}
		if last.stage != pipeline.StageAlbum || last.size != sizes[album] || perStage[pipeline.StageAlbum] != 1 {
			bad[album] = true
		}
	}
	for album, size := range sizes {
		if v.albums++; ended[album] != 1 || bad[album] {
			v.brokenAlbums++
			b.t.Logf("album %s of %d photos ends %d times", album, size, ended[album])
		}
	}
	return v
}

// references reads the backfill topic: how often each key is referred to, and each album ended.
func (b *backfillScene) references(ctx context.Context) (written, ended map[string]int) {
	b.t.Helper()
	written, ended = map[string]int{}, map[string]int{}
	client, err := kgo.NewClient(kgo.SeedBrokers(b.set.addresses()...), kgo.ConsumeTopics("backfill.references"),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.FetchMaxWait(200*time.Millisecond))
	if err != nil {
		b.t.Fatal(err)
	}
	defer client.Close()
	for idle := 0; idle < 20; {
		polled, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
		fetches := client.PollFetches(polled)
		cancel()
		if idle++; fetches.NumRecords() > 0 {
			idle = 0
		}
		if err := fetches.Err(); err != nil && !errors.Is(err, context.DeadlineExceeded) {
			b.t.Fatal(err)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			var v struct {
				Key   string
				Album string `json:"album_complete"`
			}
			if err := json.Unmarshal(r.Value, &v); err != nil {
				b.t.Errorf("a reference cannot be read: %v: %s", err, r.Value)
			}
			if v.Album != "" {
				ended[v.Album]++
			} else {
				written[v.Key]++
			}
		})
		if len(written) == b.made.Count && idle > 2 {
			break
		}
	}
	return written, ended
}
