package deploy_test

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/deploy/realkafka"
)

const (
	bucket = "photos"
	copies = 3 // of every sample photo, so that there is a middle in which to be killed
)

// sample is one reference that this test sends, and how it must end.
type sample struct {
	id     string // key of the record and photo id
	object string // file below the sample photos; "" = nothing is put into the bucket
	album  string
	expect string // status, "dead_letter", or "" for estimated or abstained
	value  []byte
}

func TestEveryPhotoEndsOnceOnRealPartsAlsoWhenTheWorkerIsKilled(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	kafka, store := realkafka.Start(t), realkafka.StartVersity(t)
	sent := samples(t)
	fill(ctx, t, store, sent)
	w := newWorker(t, kafka, store)
	w.start(ctx)
	reading, stopReading := context.WithCancel(ctx)
	outcome, wait := follow(reading, t, kafka.Addr())
	defer wait()
	defer stopReading()
	send(ctx, t, kafka.Addr(), sent)

	// Killed at the moment when an answer gets visible: whoever publishes first and remembers later publishes twice.
	for _, share := range []int{10, 25, 40, 55} {
		outcome.waitFor(ctx, t, "more photos", func(photos, _ int) bool { return photos*100 >= len(sent)*share })
		w.kill9()
		photos, _ := outcome.ended()
		if photos >= len(sent) {
			t.Errorf("the kill came too late: all %d photos were through", photos)
		}
		t.Logf("killed the worker after %d of %d photos", photos, len(sent))
		w.start(ctx)
	}
	outcome.waitFor(ctx, t, "the first album", func(_, albums int) bool { return albums > 0 })
	w.kill9()
	_, albums := outcome.ended()
	t.Logf("killed the worker after %d answers of albums", albums)
	w.start(ctx)
	outcome.waitFor(ctx, t, "an outcome for every photo", func(photos, _ int) bool { return photos >= len(sent) })
	outcome.waitFor(ctx, t, "silence", func(int, int) bool { return outcome.quietFor(10 * time.Second) })
	stopReading()
	wait()
	t.Logf("%d references, %d records", len(sent), outcome.records)
	outcome.check(t, sent)
	seed(ctx, t, w)
	w.stop()
}

// seed does what the compose file's service of that name does: the sample photos, through somebody else's parts, to the summary.
func seed(ctx context.Context, t *testing.T, w *worker) {
	t.Helper()
	cmd := exec.CommandContext(ctx, w.binary, "demo", "--attach", w.config, "--json")
	var screen bytes.Buffer
	cmd.Env, cmd.Stderr = environment(), &screen
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("demo --attach: %v\n%s", err, screen.String())
	}
	var summary struct {
		Photos, Given int
		DeadLetters   int `json:"dead_letters"`
	}
	if err := json.Unmarshal(out, &summary); err != nil {
		t.Fatalf("demo --attach --json printed no object: %v\n%s", err, out)
	}
	if summary.Photos < 40 || summary.Given != 1 || summary.DeadLetters != 1 {
		t.Errorf("demo --attach ended with %+v", summary)
	}
}

// samples are the demo's photos several times over, with the references that no photo can stand for.
func samples(t *testing.T) []sample {
	t.Helper()
	file, err := os.Open(filepath.Join(photosDir(t), "manifest.csv"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := map[string]int{}
	for i, name := range rows[0] {
		column[name] = i
	}
	var list []sample
	for n := range copies {
		prefix := strconv.Itoa(n) + "/"
		for _, row := range rows[1:] {
			s := sample{object: row[column["file"]], expect: row[column["expect"]]}
			if album := row[column["album"]]; album != "" {
				s.album = prefix + album
			}
			list = append(list, s.referring(prefix+s.object, row[column["taken_at"]], false))
		}
		list = append(list,
			sample{expect: "dead_letter"}.referring(prefix+"gone.jpg", "", false),
			sample{object: "ruins.jpg", expect: "opted_out"}.referring(prefix+"private.jpg", "", true),
			sample{id: prefix + "not JSON", expect: "dead_letter", value: []byte(`{"bucket": "photos", "key": `)})
	}
	return list
}

// referring fills in the reference: the photo is the object with that key.
func (s sample) referring(key, takenAt string, optOut bool) sample {
	reference := map[string]any{"bucket": bucket, "key": key, "album": s.album, "opt_out": optOut}
	if takenAt != "" {
		reference["taken_at"] = takenAt
	}
	s.id = bucket + "/" + key
	s.value, _ = json.Marshal(reference) // strings and a bool: cannot fail
	return s
}

func photosDir(t *testing.T) string {
	t.Helper()
	return filepath.Join(realkafka.Root(t), "pipeline", "demo", "photos")
}

// fill makes the bucket and puts the objects of the references in.
func fill(ctx context.Context, t *testing.T, store *realkafka.Versity, sent []sample) {
	t.Helper()
	client, err := minio.New(strings.TrimPrefix(store.URL, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(store.AccessKey, store.SecretKey, ""), Region: "us-east-1",
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.MakeBucket(ctx, bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, s := range sent {
		if s.object == "" {
			continue
		}
		key := strings.TrimPrefix(s.id, bucket+"/")
		if _, err := client.FPutObject(ctx, bucket, key, filepath.Join(photosDir(t), s.object), minio.PutObjectOptions{}); err != nil {
			t.Fatalf("put %s: %v", key, err)
		}
	}
}

// send writes the references with a client that is not the worker's.
func send(ctx context.Context, t *testing.T, broker string, sent []sample) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker), kgo.DefaultProduceTopic("photos"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	records := make([]*kgo.Record, len(sent))
	for i, s := range sent {
		records[i] = &kgo.Record{Key: []byte(s.id), Value: s.value}
	}
	if err := client.ProduceSync(ctx, records...).FirstErr(); err != nil {
		t.Fatalf("send references: %v", err)
	}
}
