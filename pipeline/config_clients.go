package pipeline

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"planetag/consumer"
)

// ClientConfig is the part of the configuration that package consumer needs. It reads the files of certificates and
// passwords; an error names the key and wraps ErrConfig.
func (c Config) ClientConfig(log *slog.Logger, observer consumer.Observer) (consumer.Config, error) {
	transport, err := c.Kafka.TLS.load("kafka.tls")
	if err != nil {
		return consumer.Config{}, err
	}
	password, err := secret("kafka.sasl.password_file", c.Kafka.SASL.Password, c.Kafka.SASL.PasswordFile)
	if err != nil {
		return consumer.Config{}, err
	}
	return consumer.Config{
		Brokers: c.Kafka.Brokers, ClientID: c.Kafka.ClientID, TLS: transport,
		SASL: consumer.SASL{
			Mechanism: c.Kafka.SASL.Mechanism, Username: c.Kafka.SASL.Username, Password: password,
		},
		Delivery:           consumer.Delivery(c.Kafka.Delivery),
		SessionTimeout:     time.Duration(c.Kafka.SessionTimeout),
		RebalanceTimeout:   time.Duration(c.Kafka.RebalanceTimeout),
		TransactionTimeout: time.Duration(c.Kafka.TransactionTimeout),
		OnDataLoss:         consumer.DataLoss(c.Kafka.OnDataLoss),
		Log:                log, Observer: observer,
	}, nil
}

// load returns nil when TLS is not enabled; section names the keys in errors.
func (t TLSConfig) load(section string) (*tls.Config, error) {
	if !t.Enabled {
		return nil, nil
	}
	conf := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("%w: %s.ca_file: %w", ErrConfig, section, err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("%w: %s.ca_file: %s holds no PEM certificate", ErrConfig, section, t.CAFile)
		}
	}
	if t.CertFile != "" {
		pair, err := tls.LoadX509KeyPair(t.CertFile, t.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("%w: %s.cert_file, %[2]s.key_file: %w", ErrConfig, section, err)
		}
		conf.Certificates = []tls.Certificate{pair}
	}
	return conf, nil
}

// secret is the given text, or the content of the file without the line break that editors put behind it.
func secret(fileKey string, text Secret, file string) (string, error) {
	if file == "" {
		return string(text), nil
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("%w: %s: %w", ErrConfig, fileKey, err)
	}
	s := strings.TrimRight(string(content), "\r\n")
	if s == "" {
		return "", fmt.Errorf("%w: %s: %s is empty", ErrConfig, fileKey, file)
	}
	return s, nil
}

// FindBundle returns the directory of the bundle: path when it is not empty, else the first of ./bundles/demo, the
// bundles/demo beside or above the executable, and /usr/share/planetag/bundles/demo that holds a bundle.yaml.
func FindBundle(path string) (string, error) {
	candidates := []string{path}
	if path == "" {
		candidates = []string{filepath.Join("bundles", "demo")}
		if executable, err := os.Executable(); err == nil {
			beside := filepath.Dir(executable)
			candidates = append(candidates, filepath.Join(beside, "bundles", "demo"), filepath.Join(beside, "..", "bundles", "demo"))
		}
		candidates = append(candidates, "/usr/share/planetag/bundles/demo")
	}
	for _, dir := range candidates {
		_, err := os.Stat(filepath.Join(dir, "bundle.yaml"))
		switch {
		case err == nil:
			return dir, nil
		case !errors.Is(err, os.ErrNotExist):
			return "", fmt.Errorf("%w: bundle.path: %w", ErrConfig, err)
		}
	}
	return "", fmt.Errorf("%w: bundle.path: no bundle.yaml in %s", ErrConfig, strings.Join(candidates, ", "))
}
