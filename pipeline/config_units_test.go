package pipeline

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBytesAreReadAndWritten(t *testing.T) {
	for _, row := range []struct {
		text  string
		want  Bytes
		again string
	}{
		{"0", 0, "0"},
		{"65537", 65537, "65537"},
		{"512MiB", 512 << 20, "512MiB"},
		{"1.5GiB", 1536 << 20, "1536MiB"},
		{"64 MiB", 64 << 20, "64MiB"},
		{"1kB", 1000, "1000"},
		{"2GB", 2e9, "1953125KiB"},
		{"12B", 12, "12"},
		{"1TiB", 1 << 40, "1TiB"},
	} {
		var b Bytes
		if err := b.UnmarshalText([]byte(row.text)); err != nil || b != row.want || b.String() != row.again {
			t.Errorf("%s is %d, written %s, %v; want %d, written %s", row.text, b, b, err, row.want, row.again)
		}
	}
	for _, text := range []string{"", "MiB", "-1", "1MiBB", "NaN", "Inf", "1e300", "10 EiB", "1,5GiB"} {
		var b Bytes
		if err := b.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is taken for %d bytes", text, b)
		}
	}
}

func TestUnitsSurviveTheirText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := Bytes(rapid.Int64Range(0, 1<<53).Draw(t, "bytes"))
		var readB Bytes
		if err := readB.UnmarshalText([]byte(b.String())); err != nil || readB != b {
			t.Fatalf("%d is written %s and read as %d, %v", b, b, readB, err)
		}
		d := Duration(rapid.Int64().Draw(t, "duration"))
		var readD Duration
		if err := readD.UnmarshalText([]byte(d.String())); err != nil || readD != d {
			t.Fatalf("%d is written %s and read as %d, %v", d, d, readD, err)
		}
	})
}

func TestDurationsAreWrittenShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		15 * time.Minute: "15m", 168 * time.Hour: "168h", 90 * time.Second: "1m30s", 10 * time.Minute: "10m",
		100 * time.Millisecond: "100ms", 0: "0s", 20 * time.Second: "20s", time.Hour + 10*time.Second: "1h0m10s",
	} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v is written %s, want %s", d, got, want)
		}
	}
}

func TestSecretsStaySecret(t *testing.T) {
	var log strings.Builder
	c := S3Config{SecretKey: "hush"}
	slog.New(slog.NewJSONHandler(&log, nil)).Info("started", "s3", c, "key", c.SecretKey)
	slog.New(slog.NewTextHandler(&log, nil)).Info("started", "s3", c, "key", c.SecretKey)
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	all := fmt.Sprintf("%v %+v %#v %s %q", c, c, c, c.SecretKey, c.SecretKey) + string(text) + log.String()
	if strings.Contains(all, "hush") || !strings.Contains(all, mask) {
		t.Errorf("the secret came out: %s", all)
	}
	if string(c.SecretKey) != "hush" || Secret("").String() != "" {
		t.Error("the secret is lost, or its absence is hidden")
	}
}

func TestNearestKey(t *testing.T) {
	keys := []string{"kafka.group", "kafka.brokers", "s3.bucket", "albums.max_photos", "albums.max_age", "kafka.tls.ca_file"}
	for wrong, want := range map[string]string{
		"kafka.gruop": "kafka.group", "kafka.broker": "kafka.brokers", "S3.bucket": "s3.bucket", "albums.maxage": "albums.max_age",
		"photos.max_photos": "albums.max_photos", "bucket": "s3.bucket", "tls.cafile": "kafka.tls.ca_file",
	} {
		if got := nearest(wrong, keys); got != want {
			t.Errorf("%s is taken for %s, want %s", wrong, got, want)
		}
	}
}

func TestEditDistance(t *testing.T) {
	for _, row := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"abc", "adc", 1}, {"abcd", "bcd", 1}, {"kitten", "sitting", 3}} {
		if got := editDistance(row.a, row.b); got != row.want || editDistance(row.b, row.a) != row.want {
			t.Errorf("from %q to %q it is %d, want %d", row.a, row.b, got, row.want)
		}
	}
}
