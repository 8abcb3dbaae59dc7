package deploy_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/twmb/franz-go/pkg/kgo"

	"planetag/deploy/realkafka"
	"planetag/deploy/secrets"
)

const securedAlbums = 2 // of two photos each; a photo that is none and an object that is not there come on top

// tinySamples puts photos into the bucket and references to them into the input topic. It returns how many references there are beside the ends of albums.
func tinySamples(t *testing.T, f *fortress) int {
	t.Helper()
	store := storeClient(t, f.store.URL, f.store.AccessKey, f.store.SecretKey)
	if err := store.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	photo, err := os.ReadFile(filepath.Join(realkafka.Root(t), "enrich", "testdata", "tiny", "golden", "red.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	var records []*kgo.Record
	refer := func(key, value string) {
		records = append(records, &kgo.Record{Topic: "photos", Key: []byte(key), Value: []byte(value)})
	}
	put := func(key, album, content string) {
		if _, err := store.PutObject(t.Context(), bucket, key, strings.NewReader(content), int64(len(content)), minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
		refer(bucket+"/"+key, fmt.Sprintf(`{"bucket":%q,"key":%q,"album":%q}`, bucket, key, album))
	}
	for a := range securedAlbums {
		album := fmt.Sprintf("album-%d", a)
		put(album+"/1.jpg", album, string(photo))
		put(album+"/2.jpg", album, string(photo))
		refer(album, fmt.Sprintf(`{"album_complete":%q,"photos":2}`, album))
	}
	put("broken.jpg", "", "not a photo")
	refer(bucket+"/gone.jpg", fmt.Sprintf(`{"bucket":%q,"key":"gone.jpg"}`, bucket))
	if err := f.admin.ProduceSync(t.Context(), records...).FirstErr(); err != nil {
		t.Fatal(err)
	}
	return len(records) - securedAlbums
}

func storeClient(t *testing.T, url, accessKey, secretKey string) *minio.Client {
	t.Helper()
	client, err := minio.New(strings.TrimPrefix(url, "http://"), &minio.Options{
		Creds: credentials.NewStaticV4(accessKey, secretKey, ""), Region: "us-east-1", MaxRetries: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// workWithLeastRights lets one worker per stage, each with its own user and mechanism, do everything, with the least rights at the store, too.
func (f *fortress) workWithLeastRights(t *testing.T, sent int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	f.store.AddUser(t, "planetag", secrets.Of("s3-least"))
	root := storeClient(t, f.store.URL, f.store.AccessKey, f.store.SecretKey)
	if err := root.SetBucketPolicy(ctx, bucket, policy(t)); err != nil {
		t.Fatal(err)
	}
	reader := f.client(t, kgo.ConsumeTopics("planetag.locations", "planetag.dead-letters"), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	l := &ledger{answers: map[string][]answer{}, dead: map[string][]string{}, changed: time.Now(), news: make(chan struct{}, 1)}
	stopPhotos := f.work(ctx, t, "photos", "scram-sha-512")
	stopAlbums := f.work(ctx, t, "albums", "scram-sha-256")
	defer reader.Close()
	for l.records < sent+2*securedAlbums && ctx.Err() == nil {
		reader.PollFetches(ctx).EachRecord(l.take)
	}
	stopPhotos()
	stopAlbums()
	quiet, enough := context.WithTimeout(t.Context(), time.Second)
	defer enough()
	for quiet.Err() == nil {
		reader.PollFetches(quiet).EachRecord(l.take)
	}
	if len(l.broken) > 0 || l.records != sent+2*securedAlbums || len(l.answers) != 2*securedAlbums || len(l.dead) != 2 {
		t.Errorf("%d records, %d photos answered, %d dead letters, broken: %v", l.records, len(l.answers), len(l.dead), l.broken)
	}
	for id, answers := range l.answers {
		if len(answers) != 2 || answers[0].Stage != "photo" || answers[1].Stage != "album" {
			t.Errorf("%s has %+v, want one answer of each stage", id, answers)
		}
	}
	if n := f.committed(t, "planetag.photos"); n < int64(sent) {
		t.Errorf("group planetag.photos has committed %d records of %d", n, sent)
	}
}

// work starts a worker of one stage and returns what stops it, in order and with status 0.
func (f *fortress) work(ctx context.Context, t *testing.T, stage, mechanism string) (stop func()) {
	t.Helper()
	settings := with(f.settings(t, stage, secrets.Of(stage)), "STAGES", stage, "KAFKA_SASL_MECHANISM", mechanism,
		"S3_ACCESS_KEY", "planetag", "S3_SECRET_KEY", secrets.Of("s3-least"))
	cmd, log := f.command(ctx, t, settings)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil || ctx.Err() != nil {
			t.Errorf("the worker of stage %s ended with %v\n%s", stage, err, log.String())
		}
	}
}

// otherAuthority is the certificate of an authority that has signed nothing.
func otherAuthority(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(7), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}
