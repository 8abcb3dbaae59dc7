package chaos

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/deploy/realkafka"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

// archive is a bucket of count photos that are made when they are asked for: albums of 40, half of them beside albums of their own.
func archive(t *testing.T, bundle string, count int) devstore.Made {
	t.Helper()
	var photos [][]byte
	for _, name := range []string{"red.jpg", "green.jpg", "blue.jpg", "grey.jpg"} {
		data, err := os.ReadFile(filepath.Join(bundle, "golden", name))
		if err != nil {
			t.Fatal(err)
		}
		photos = append(photos, data)
	}
	return devstore.Made{
		Bucket: "made", Count: count, Object: func(i int) []byte { return photos[i%len(photos)] },
		Key: func(i int) string {
			if i%80 >= 20 && i%80 < 60 { // a/b/… lies between a/0… and a/c…
				return fmt.Sprintf("%04d/b/%07d.jpg", i/80, i)
			}
			return fmt.Sprintf("%04d/%c%07d.jpg", i/80, "ac"[i%80/60], i)
		},
	}
}

// TestBackfill kills the lister and the workers of a backfill, again and again, and wants one reference and one final answer for every object, and every album
// answered once and as a whole. CHAOS_OBJECTS and CHAOS_KILLS say how much.
func TestBackfill(t *testing.T) {
	if testing.Short() {
		t.Skip("needs a minute")
	}
	objects, kills, seed := number("CHAOS_OBJECTS", 1200), number("CHAOS_KILLS", 3), uint64(number("CHAOS_SEED", int(time.Now().UnixNano()%1e9)))
	t.Logf("seed %d; repeat with CHAOS_SEED=%d", seed, seed)
	ctx, cancel := context.WithTimeout(t.Context(), 90*time.Minute)
	defer cancel()
	b := newBackfill(t, objects, seed)
	begun := time.Now()
	listers, workers := b.breakEverything(ctx, kills)
	if err := b.run(ctx, "--wait", "--failures", filepath.Join(t.TempDir(), "failures.jsonl")).wait(ctx); err != nil {
		t.Fatalf("wait for the backfill: %v\n%s", err, tail(b.log, 40))
	}
	found := b.judge(ctx)
	fmt.Printf("backfill of %d objects, %d kills of the lister and %d of workers, %v: %d references, %d missing, %d twice; %d final answers, %d missing, "+
		"%d twice; %d albums, %d not answered once and whole; %d dead letters (seed %d)\n",
		objects, listers, workers, time.Since(begun).Round(time.Second), found.references, found.missing, found.twice,
		found.finals, found.unanswered, found.answeredTwice, found.albums, found.brokenAlbums, found.dead, seed)
	if found.missing+found.twice+found.unanswered+found.answeredTwice+found.brokenAlbums+found.dead > 0 || found.finals != objects {
		t.Errorf("seed %d: %+v", seed, found)
	}
	for _, end := range b.fleet.ended {
		t.Errorf("a worker ended %s", end)
	}
}

// backfillScene is a broker, a bucket, workers, and a lister.
type backfillScene struct {
	*scene
	made  devstore.Made
	log   string // of the listers
	where string // working directory of the listers
}

func newBackfill(t *testing.T, objects int, seed uint64) *backfillScene {
	t.Helper()
	set := &stageSet{root: realkafka.Root(t), brokers: []*realkafka.Kafka{realkafka.StartSplit(t)}}
	set.binary = filepath.Join(set.root, "bin", "planetag")
	if _, err := os.Stat(set.binary); err != nil {
		realkafka.Missing(t, "bin/planetag is not built; `make build` does it")
	}
	made := archive(t, set.bundle(), objects)
	store, err := devstore.Start(devstore.Options{Buckets: []string{"made"}, Hook: made.Answer})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	set.store = &realkafka.Versity{URL: store.URL(), AccessKey: devstore.AccessKey, SecretKey: devstore.SecretKey}
	b := &backfillScene{made: made, log: filepath.Join(t.TempDir(), "lister.log"), where: t.TempDir()}
	b.scene = &scene{t: t, set: set, names: namesOf("backfill"), rng: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int{}}
	// Nothing closes an album but its end: an album that is closed for its silence or its age was not completed in order.
	env := b.environment(map[string]string{
		"S3_BUCKET": "made", "ALBUMS_IDLE": "20m", "ALBUMS_MAX_AGE": "2h", "TOPICS_BACKFILL": "backfill.references", "TOPICS_STATE": "backfill.state",
		"DECODE_ISOLATION": "none",
	})
	b.fleet = &fleet{t: t, binary: set.binary, env: env, log: filepath.Join(t.TempDir(), "workers.log")}
	t.Cleanup(func() {
		b.fleet.close()
		if t.Failed() {
			t.Logf("the listers' log ends:\n%s\nthe workers' log ends:\n%s", tail(b.log, 40), tail(b.fleet.log, 60))
		}
	})
	b.fleet.start()
	b.waitReady(t.Context(), b.fleet.running[0])
	b.fleet.scale(2, false)
	return b
}

// lister is one `planetag backfill`.
type lister struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

func (b *backfillScene) run(ctx context.Context, more ...string) *lister {
	b.t.Helper()
	file, err := os.OpenFile(b.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		b.t.Fatal(err)
	}
	defer file.Close()
	l := &lister{cmd: exec.CommandContext(ctx, b.set.binary, append([]string{"backfill", "s3://made", "--parallel", "4"}, more...)...), done: make(chan struct{})}
	l.cmd.Stdout, l.cmd.Stderr, l.cmd.Env, l.cmd.Dir = file, file, append(os.Environ(), b.fleet.env...), b.where
	if err := l.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	go func() { // ends with the process, which ctx kills at the latest
		l.err = l.cmd.Wait()
		close(l.done)
	}()
	return l
}

func (l *lister) wait(ctx context.Context) error {
	select {
	case <-l.done:
		return l.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// breakEverything lets the listing take about as long as the kills, and strikes both at moments that are drawn. A lister that has finished in time is started
// again all the same: it must find that there is nothing to do.
func (b *backfillScene) breakEverything(ctx context.Context, kills int) (listers, workers int) {
	const most = 3 * time.Second // of one lister's life
	rate := max(float64(b.made.Count)/(float64(kills)*2), 50)
	for range kills {
		l := b.run(ctx, "--rate", fmt.Sprint(rate))
		b.pause(ctx, b.between(200*time.Millisecond, most))
		select {
		case <-l.done:
			if l.err != nil {
				b.t.Fatalf("a lister that was left alone ended: %v\n%s", l.err, tail(b.log, 40))
			}
		default:
			_ = l.cmd.Process.Kill()
			<-l.done
			listers++
		}
		b.fleet.kill9(b.victim())
		workers++
		b.fleet.start()
	}
	return listers, workers
}

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
