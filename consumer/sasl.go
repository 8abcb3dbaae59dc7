package consumer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// ErrNoBroker means that whoever was reached does not answer as a broker does.
var ErrNoBroker = errors.New("no answer as from a kafka broker")

// ErrAuthentication means that a broker was reached and refused the user name or
// the password.
var ErrAuthentication = errors.New("authentication failed")

// String leaves the password out, as does every other way of printing it.
func (s SASL) String() string {
	if s.Mechanism == "" {
		return "none"
	}
	return fmt.Sprintf("%s as %q", s.Mechanism, s.Username)
}

// GoString is String, for %#v.
func (s SASL) GoString() string { return s.String() }

// MarshalText is String, for JSON, YAML and slog.
func (s SASL) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s SASL) mechanism() (sasl.Mechanism, error) {
	if s.Mechanism != "" && s.Username == "" {
		return nil, fmt.Errorf("sasl: mechanism %q needs a user name", s.Mechanism)
	}
	switch s.Mechanism {
	case "":
		return nil, nil
	case "plain":
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case "scram-sha-256":
		return scramMechanism(scram.SHA256, s)
	case "scram-sha-512":
		return scramMechanism(scram.SHA512, s)
	}
	return nil, fmt.Errorf("sasl: mechanism %q is not one of plain, scram-sha-256, scram-sha-512", s.Mechanism)
}

func scramMechanism(algorithm scram.Algorithm, s SASL) (sasl.Mechanism, error) {
	m, err := scram.Mechanism(algorithm, s.Username, s.Password)
	if err != nil {
		return nil, fmt.Errorf("sasl: prepare credentials: %w", err)
	}
	return m, nil
}

// Ping reports whether one of the brokers can be reached and accepts the
// credentials. Its error names each address, the reason and the setting that
// heals it; it wraps [ErrAuthentication] when a broker refused the credentials
// or wants some, and [ErrCertificate] when either side refused a certificate.
func (c *Client) Ping(ctx context.Context) error {
	var errs []error
	for _, address := range c.cfg.Brokers {
		err := c.ping(ctx, address)
		if err == nil {
			return nil
		}
		errs = append(errs, fmt.Errorf("connect to kafka broker %s: %w", address, err))
	}
	return errors.Join(errs...)
}

// ping asks again where a broker hung up: one that wants other credentials does
// so every time, one that has just been killed or started does not.
func (c *Client) ping(ctx context.Context, address string) error {
	err := c.greet(ctx, address)
	for again := 2; again > 0 && errors.Is(err, ErrAuthentication) && hungUp(err) && pause(ctx, 200*time.Millisecond); again-- {
		err = c.greet(ctx, address)
	}
	return err
}

func (c *Client) greet(ctx context.Context, address string) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	exchange := &watchedMechanism{Mechanism: c.mechanism}
	conn, err := c.dialer(exchange).DialContext(ctx, "tcp", address)
	if err != nil {
		return explainTLS(exchange.explain(err))
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	if _, err := conn.ApiVersions(); err != nil {
		if told := explainTLS(err); errors.Is(told, ErrCertificate) {
			return told
		}
		return noBroker(err)
	}
	// A broker tells its versions to anybody, and hangs up on the next question.
	if _, err := conn.Brokers(); err != nil && c.mechanism == nil && hungUp(err) {
		return fmt.Errorf("%w: the broker hangs up on who does not log in; set kafka.sasl.mechanism: %w", ErrAuthentication, err)
	}
	return nil
}

// dialer makes the connections that do not come from the transport: those of
// Ping and of the consumer group.
func (c *Client) dialer(m *watchedMechanism) *kafka.Dialer {
	d := &kafka.Dialer{ClientID: c.cfg.ClientID, TLS: c.cfg.TLS, Timeout: 5 * time.Second}
	if m.Mechanism != nil {
		d.SASLMechanism = m
	}
	return d
}

// watchedMechanism remembers whether an exchange of credentials was begun and
// never completed. Some brokers close the connection instead of saying that the
// password is wrong; without this the error would be "unexpected EOF".
type watchedMechanism struct {
	sasl.Mechanism
	begun, completed atomic.Bool
}

func (m *watchedMechanism) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	session, first, err := m.Mechanism.Start(ctx)
	m.begun.Store(true)
	return watchedSession{session, m}, first, err
}

func (m *watchedMechanism) explain(err error) error {
	refused := errors.Is(err, kafka.SASLAuthenticationFailed)
	switch {
	case refused || hungUp(err) && m.begun.Load() && !m.completed.Load():
		return fmt.Errorf("%w for mechanism %s; check kafka.sasl.username, kafka.sasl.password and kafka.sasl.mechanism: %w",
			ErrAuthentication, m.Name(), err)
	case errors.Is(err, kafka.UnsupportedSASLMechanism):
		return fmt.Errorf("%w: the broker does not take mechanism %s; check kafka.sasl.mechanism: %w", ErrAuthentication, m.Name(), err)
	case hungUp(err) && !m.begun.Load():
		return noBroker(err)
	}
	return err
}

func noBroker(err error) error {
	return fmt.Errorf("%w (is it the right port, and does it expect tls, kafka.tls.enabled?): %w", ErrNoBroker, err)
}

func hungUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET)
}

type watchedSession struct {
	sasl.StateMachine
	mechanism *watchedMechanism
}

func (s watchedSession) Next(ctx context.Context, challenge []byte) (bool, []byte, error) {
	done, answer, err := s.StateMachine.Next(ctx, challenge)
	if done {
		s.mechanism.completed.Store(true)
	}
	return done, answer, err
}
