package pipeline

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzLoadConfig reads any text as a configuration: what is taken is valid, and prints as a file that means the same.
func FuzzLoadConfig(f *testing.F) {
	documented, err := os.ReadFile("../deploy/planetag.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(documented)
	for _, seed := range []string{
		"", "# nothing\n", "kafka:\n", "kafka: {brokers: [a:1, b:2]}\n", "stages: [photos]\n", "memory: {budget: 1.5GiB}\n", "photos: {flush_interval: 1h2m3s}\n",
		"---\n---\n", "kafka: &a {brokers: [x:1]}\ntopics: *a\n", "a: &a [*a]\n", "topics: {partitions: 99999999999999999999}\n", "\xff\xfe", "photos: {in_flight: -1}\n",
		"s3: {secret_key: hush, access_key: me}\n", "albums: {idle: .inf}\n", "log: {level: !!binary aGk=}\n", "? [a]\n: b\n", "\t- :", "<<: {a: 1}\n",
	} {
		f.Add([]byte(seed))
	}
	unset := func(string) string { return "" }
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "planetag.yaml")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := LoadConfig(path, unset)
		if err != nil {
			if !errors.Is(err, ErrConfig) {
				t.Fatalf("error %v is not ErrConfig", err)
			}
			return
		}
		if err := c.Validate(); err != nil {
			t.Fatalf("was taken and is not valid: %v", err)
		}
		again, printed := reload(t, c)
		if diff := cmp.Diff(masked(c), masked(again)); diff != "" {
			t.Errorf("prints as something else (-before +after):\n%s\n%s", diff, printed)
		}
	})
}

// reload prints a configuration and reads it.
func reload(t *testing.T, c Config) (Config, string) {
	t.Helper()
	var printed bytes.Buffer
	if err := (Loaded{Config: c}).Print(&printed); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "again.yaml")
	if err := os.WriteFile(path, printed.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	again, err := LoadConfig(path, func(string) string { return "" })
	if err != nil {
		t.Fatalf("does not load what it printed: %v\n%s", err, printed.String())
	}
	return again, printed.String()
}

// masked is a configuration without its secrets, which are not printed.
func masked(c Config) Config {
	c.Kafka.SASL.Password, c.S3.SecretKey = Secret(c.Kafka.SASL.Password.String()), Secret(c.S3.SecretKey.String())
	return c
}

// FuzzUnits reads numbers with units: what is taken is not below zero and is written without loss.
func FuzzUnits(f *testing.F) {
	for _, seed := range []string{"512MiB", "1.5GiB", "64MB", "0", "9007199254740992", "1e3kB", "NaN", "-0", "Inf TiB", "0x1pMiB", "100ms", "1h", "168h", "1h2m0s", "-1s", "106751d", "0.1B"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var b, b2 Bytes
		if b.UnmarshalText([]byte(text)) == nil {
			if written, err := b.MarshalText(); b < 0 || err != nil || b2.UnmarshalText(written) != nil || b2 != b {
				t.Errorf("%q is %d, written as %q, which is %d; %v", text, int64(b), written, int64(b2), err)
			}
		}
		var d, d2 Duration
		if d.UnmarshalText([]byte(text)) == nil {
			if written, err := d.MarshalText(); err != nil || d2.UnmarshalText(written) != nil || d2 != d {
				t.Errorf("%q is %d, written as %q, which is %d; %v", text, int64(d), written, int64(d2), err)
			}
		}
	})
}
