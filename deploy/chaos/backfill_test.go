package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"planetag/deploy/realkafka"
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
