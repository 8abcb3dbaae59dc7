package pipeline

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"planetag/deploy/faults"
	"planetag/deploy/secrets"
	"planetag/pipeline/devstore"
)

// TestKeysAreReadAgainAfterARefusal: a rotated key in a file is found without a restart.
func TestKeysAreReadAgainAfterARefusal(t *testing.T) {
	server, err := devstore.Start(devstore.Options{Buckets: []string{"images"}})
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	proxy, err := faults.Start(server.URL(), faults.Plan{Rules: []faults.Rule{{Kind: faults.Unsigned, Keys: "b.jpg", First: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	defer proxy.Close()
	file := filepath.Join(t.TempDir(), "key")
	write := func(name string) {
		if err := os.WriteFile(file, []byte(secrets.Of(name)), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("old")
	c := DefaultConfig().S3
	c.Endpoint, c.AccessKey, c.SecretKeyFile, c.Bucket, c.Timeout = proxy.URL(), "a", file, "images", Duration(5*time.Second)
	s, err := NewStore(c, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"a.jpg", "b.jpg"} {
		if err := s.Put(t.Context(), "images", key, []byte(key)); err != nil {
			t.Fatal(err)
		}
	}
	get := func(key, want string) {
		t.Helper()
		if _, err := s.Get(t.Context(), Reference{Bucket: "images", Key: key}, nil); err != nil {
			t.Fatal(err)
		}
		if keys, err := s.creds.GetWithContext(nil); err != nil || keys.SecretAccessKey != secrets.Of(want) {
			t.Errorf("after %s not the %s key is used: %v", key, want, err)
		}
	}
	get("a.jpg", "old")
	write("new")
	get("a.jpg", "old")
	get("b.jpg", "new")
}
