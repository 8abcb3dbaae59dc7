package consumer

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"planetag/consumer/devbroker"
	"planetag/deploy/secrets"
)

// certificate makes a self-signed certificate for 127.0.0.1 and a pool that
// trusts it.
func certificate(t *testing.T) (tls.Certificate, *x509.CertPool) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AddCert(leaf)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, pool
}

func TestTLSAndSASL(t *testing.T) {
	cert, pool := certificate(t)
	for mechanism, name := range map[string]string{
		"plain": "PLAIN", "scram-sha-256": "SCRAM-SHA-256", "scram-sha-512": "SCRAM-SHA-512",
	} {
		t.Run(mechanism, func(t *testing.T) {
			b, err := devbroker.Start(devbroker.Options{
				MinSession: 100 * time.Millisecond, User: "planetag", Password: secrets.Of("right"), Mechanism: name,
				TLS: &tls.Config{Certificates: []tls.Certificate{cert}},
			})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(b.Close)
			var log strings.Builder
			secure := func(password string) func(*Config) {
				return func(cfg *Config) {
					cfg.TLS = &tls.Config{RootCAs: pool}
					cfg.SASL = SASL{mechanism, "planetag", password}
					cfg.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
				}
			}
			copyTen(t, newClient(t, b.Addr(), secure(secrets.Of("right"))))
			wantRefused(t, newClient(t, b.Addr(), secure(secrets.Of("wrong"))), b.Addr())
			secrets.Check(t, "the log", log.String())
		})
	}
}

// copyTen goes through everything that opens connections.
func copyTen(t *testing.T, c *Client) {
	t.Helper()
	if err := c.Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	makeTopics(t, c, 1, input, output)
	seed(t, c, input, 0, 10)
	stop := runGroup(t, c, copyAll)
	eventually(t, "copied", func() bool { return committed(t, c, 1) == 10 })
	if err := stop(); err != nil {
		t.Fatal(err)
	}
}

func wantRefused(t *testing.T, c *Client, addr string) {
	t.Helper()
	for what, err := range map[string]error{
		"ping":  c.Ping(t.Context()),
		"group": c.RunGroup(t.Context(), GroupConfig{Group: "g", Stage: "s", Topic: input}, copyAll),
	} {
		if !errors.Is(err, ErrAuthentication) || !strings.Contains(err.Error(), addr) {
			t.Errorf("%s with a wrong password: %v", what, err)
		}
		if err != nil {
			secrets.Check(t, what, err.Error())
		}
	}
}

func TestPingSaysWhatIsWrong(t *testing.T) {
	cert, _ := certificate(t)
	secured, err := devbroker.Start(devbroker.Options{TLS: &tls.Config{Certificates: []tls.Certificate{cert}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(secured.Close)
	open := newBroker(t)

	rows := []struct {
		story string
		addr  string
		edit  func(*Config)
		want  string
	}{
		{"nobody listens", "127.0.0.1:1", func(*Config) {}, "connection refused"},
		{"plain text to a tls port", secured.Addr(), func(*Config) {}, "tls"},
		{"an unknown authority", secured.Addr(), func(cfg *Config) { cfg.TLS = &tls.Config{} }, "certificate"},
	}
	for _, row := range rows {
		t.Run(row.story, func(t *testing.T) {
			err := newClient(t, row.addr, row.edit).Ping(t.Context())
			if err == nil || !strings.Contains(err.Error(), row.want) || !strings.Contains(err.Error(), row.addr) {
				t.Fatalf("%v, want %q and the address", err, row.want)
			}
			if errors.Is(err, ErrAuthentication) {
				t.Fatalf("%v: nobody refused a password", err)
			}
		})
	}
	if err := newClient(t, "127.0.0.1:1", func(cfg *Config) {
		cfg.Brokers = append(cfg.Brokers, open.Addr())
	}).Ping(t.Context()); err != nil {
		t.Fatalf("one of two brokers is up: %v", err)
	}
}

// TestABrokerThatDiesIsNotOneThatRefuses: both hang up on the second question, and only one needs somebody to set something.
func TestABrokerThatDiesIsNotOneThatRefuses(t *testing.T) {
	const metadata, versions = 3, 18
	for _, row := range []struct {
		story       string
		lost        int  // questions on which the broker hangs up
		gone        bool // it does not come back
		refused, ok bool
	}{
		{"it is back at once", 1, false, false, true},
		{"it stays away", 1, true, false, false},
		{"it hangs up each time", 1000, false, true, false},
	} {
		t.Run(row.story, func(t *testing.T) {
			b := newBroker(t)
			var asked atomic.Int32
			b.OnRequest(func(key int16) devbroker.Fault {
				hangUp := key == metadata && int(asked.Add(1)) <= row.lost || key == versions && row.gone && asked.Load() > 0
				return devbroker.Fault{LoseRequest: hangUp}
			})
			err := newClient(t, b.Addr()).Ping(t.Context())
			if errors.Is(err, ErrAuthentication) != row.refused || (err == nil) != row.ok {
				t.Errorf("after %d questions: %v", asked.Load(), err)
			}
		})
	}
}

func TestConfigMistakesAreToldTogether(t *testing.T) {
	_, err := NewClient(Config{
		Brokers: []string{"localhost", "k:9092"}, Delivery: "twice", TransactionTimeout: 1,
		SASL: SASL{Mechanism: "kerberos", Username: "u"},
	})
	for _, part := range []string{`"localhost" is not host:port`, `"twice"`, "transaction timeout", `"kerberos"`} {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%v does not say %s", err, part)
		}
	}
	if _, err := NewClient(Config{}); err == nil || !strings.Contains(err.Error(), "brokers") {
		t.Errorf("no brokers: %v", err)
	}
	if _, err := NewClient(Config{Brokers: []string{"k:9092"}, SASL: SASL{Mechanism: "plain"}}); err == nil {
		t.Error("a mechanism without a user was accepted")
	}
}
