package deploy_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"planetag/deploy/realkafka"
	"planetag/deploy/secrets"
	"planetag/pipeline"
)

// policy is the bucket's policy in docs/security.md.
func policy(t *testing.T) string {
	t.Helper()
	_, text, found := strings.Cut(securityPage(t), "```json\n")
	text, _, closed := strings.Cut(text, "```")
	if !found || !closed || !json.Valid([]byte(text)) {
		t.Fatalf("docs/security.md has no policy for the bucket: %q", text)
	}
	return text
}

// TestTheStoresPolicyIsEnoughAndNothingOfItIsTooMuch reads with the worker's own client as a user who has exactly the policy of docs/security.md, and
// then without each of its statements.
func TestTheStoresPolicyIsEnoughAndNothingOfItIsTooMuch(t *testing.T) {
	server := realkafka.StartVersity(t)
	server.AddUser(t, "planetag", secrets.Of("s3-least"))
	root := storeClient(t, server.URL, server.AccessKey, server.SecretKey)
	if err := root.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{}); err != nil {
		t.Fatal(err)
	}
	photo := filepath.Join(realkafka.Root(t), "enrich", "testdata", "tiny", "golden", "red.jpg")
	if _, err := root.FPutObject(t.Context(), bucket, "there.jpg", photo, minio.PutObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(photo)
	if err != nil {
		t.Fatal(err)
	}
	c := pipeline.DefaultConfig().S3
	c.Endpoint, c.AccessKey, c.SecretKey, c.Bucket = server.URL, "planetag", pipeline.Secret(secrets.Of("s3-least")), bucket
	c.GoneGrace = pipeline.Duration(time.Millisecond)
	store, err := pipeline.NewStore(c, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	get := func(key string) ([]byte, error) {
		object, err := store.Get(t.Context(), pipeline.Reference{Bucket: bucket, Key: key}, nil)
		return object.Data, err
	}
	allow := func(text string) {
		t.Helper()
		if err := root.SetBucketPolicy(t.Context(), bucket, text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := get("there.jpg"); !errors.Is(err, pipeline.ErrStorageConfig) {
		t.Errorf("without a policy: %v", err)
	}
	allow(policy(t))
	if data, err := get("there.jpg"); err != nil || string(data) != string(want) {
		t.Errorf("an object that is there: %d bytes, %v", len(data), err)
	}
	if _, err := get("gone.jpg"); !errors.Is(err, pipeline.ErrObjectGone) {
		t.Errorf("an object that is not there: %v", err)
	}
	if err := store.Ping(t.Context(), bucket); err != nil {
		t.Errorf("the bucket: %v", err)
	}
	if err := store.Put(t.Context(), bucket, "new.jpg", want); err == nil {
		t.Error("the policy lets the worker write")
	}
	allow(without(t, "s3:ListBucket"))
	if err := store.Ping(t.Context(), bucket); !errors.Is(err, pipeline.ErrStorageConfig) || !strings.Contains(err.Error(), "s3:ListBucket on photos") {
		t.Errorf("the bucket, without s3:ListBucket: %v", err)
	}
	allow(without(t, "s3:GetObject"))
	if _, err := get("there.jpg"); !errors.Is(err, pipeline.ErrStorageDenied) { // of every object: no photo is to blame
		t.Errorf("without s3:GetObject: %v", err)
	}
}

// without is the policy less the statement of an action.
func without(t *testing.T, action string) string {
	t.Helper()
	var p struct {
		Version   string
		Statement []struct {
			Effect    string
			Principal map[string][]string
			Action    []string
			Resource  []string
		}
	}
	if err := json.Unmarshal([]byte(policy(t)), &p); err != nil {
		t.Fatal(err)
	}
	for i, s := range p.Statement {
		if len(s.Action) == 1 && s.Action[0] == action {
			p.Statement = append(p.Statement[:i], p.Statement[i+1:]...)
			text, err := json.Marshal(p)
			if err != nil {
				t.Fatal(err)
			}
			return string(text)
		}
	}
	t.Fatalf("the policy has no statement of %s alone", action)
	return ""
}
