package pipeline

import (
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"planetag/consumer"
)

// fileWith writes a file for a test and returns its path.
func fileWith(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestClientConfigCarriesEverything(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	defer server.Close()
	authority := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	c := DefaultConfig()
	c.Kafka.TLS = TLSConfig{Enabled: true, CAFile: fileWith(t, "ca.pem", string(authority)), ServerName: "kafka.example.org"}
	c.Kafka.SASL = SASLConfig{Mechanism: "plain", Username: "u", PasswordFile: fileWith(t, "password", "hush\n")}
	metrics := NewMetrics(prometheus.NewRegistry())
	got, err := c.ClientConfig(slog.Default(), metrics)
	if err != nil {
		t.Fatal(err)
	}
	if got.SASL.Password != "hush" || got.SASL.Username != "u" || got.SASL.Mechanism != "plain" {
		t.Errorf("SASL is %+v", got.SASL)
	}
	if got.TLS == nil || got.TLS.ServerName != "kafka.example.org" || got.TLS.RootCAs == nil {
		t.Errorf("TLS is %+v", got.TLS)
	}
	if got.Delivery != consumer.ExactlyOnce || got.SessionTimeout != 10*time.Second || got.RebalanceTimeout != 30*time.Second ||
		got.TransactionTimeout != 30*time.Second || got.ClientID != "planetag" || got.Brokers[0] != "localhost:9092" ||
		got.Observer != consumer.Observer(metrics) || got.Log != slog.Default() {
		t.Errorf("client configuration is %+v", got)
	}
	client, err := consumer.NewClient(got)
	if err != nil {
		t.Fatalf("package consumer refuses it: %v", err)
	}
	client.Close()
}

func TestClientConfigNamesTheFileThatIsWrong(t *testing.T) {
	for _, row := range []struct {
		name   string
		change func(*KafkaConfig)
		says   string
	}{
		{"no such authority", func(k *KafkaConfig) { k.TLS = TLSConfig{Enabled: true, CAFile: "/nowhere/ca.pem"} }, "kafka.tls.ca_file: open /nowhere/ca.pem"},
		{"an authority that is none", func(k *KafkaConfig) { k.TLS = TLSConfig{Enabled: true, CAFile: fileWith(t, "ca.pem", "?")} }, "holds no PEM certificate"},
		{"no such certificate", func(k *KafkaConfig) { k.TLS = TLSConfig{Enabled: true, CertFile: "/nowhere/c", KeyFile: "/nowhere/k"} }, "kafka.tls.cert_file"},
		{"no such password", func(k *KafkaConfig) { k.SASL.PasswordFile = "/nowhere/p" }, "kafka.sasl.password_file: open /nowhere/p"},
		{"an empty password", func(k *KafkaConfig) { k.SASL.PasswordFile = fileWith(t, "p", "\n") }, "is empty"},
	} {
		c := DefaultConfig()
		row.change(&c.Kafka)
		if _, err := c.ClientConfig(nil, nil); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v, want it to say %q", row.name, err, row.says)
		}
	}
	c := DefaultConfig().S3
	c.AccessKey, c.SecretKeyFile = "a", "/nowhere/s"
	if _, err := NewStore(c, 1); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "s3.secret_key_file") {
		t.Errorf("no such secret: %v", err)
	}
}

func TestFindBundle(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "bundles", "demo")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if _, err := FindBundle(dir); !errors.Is(err, ErrConfig) || !strings.Contains(err.Error(), "bundle.path: no bundle.yaml in "+dir) {
		t.Errorf("a directory without a bundle: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bundle.yaml"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := FindBundle(dir); err != nil || got != dir {
		t.Errorf("found %s, %v", got, err)
	}
	t.Chdir(filepath.Join(dir, "..", ".."))
	if got, err := FindBundle(""); err != nil || got != filepath.Join("bundles", "demo") {
		t.Errorf("found %s, %v, in a directory that has bundles/demo", got, err)
	}
	t.Chdir(t.TempDir())
	// A machine on which planetag is installed has one in /usr/share.
	if _, err := FindBundle(""); err != nil && !strings.Contains(err.Error(), "/usr/share/planetag/bundles/demo") {
		t.Errorf("%v does not say where it looked", err)
	}
}
