package consumer

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"
)

// Delivery is the guarantee that [Assignment.Commit] gives.
type Delivery string

const (
	// ExactlyOnce writes records and offset in one transaction.
	ExactlyOnce Delivery = "exactly_once"
	// AtLeastOnce writes the records, then the offset: for brokers without
	// transactions. A crash in between repeats the records.
	AtLeastOnce Delivery = "at_least_once"
)

// DataLoss is what a reader does when retention deleted records before they were
// read. It is reported and logged in any case.
type DataLoss string

const (
	// GoOn goes on at the start of the log.
	GoOn DataLoss = "continue"
	// StopReading fails with [ErrDataLost]: somebody must look before anything is
	// skipped.
	StopReading DataLoss = "stop"
)

// SASL names who connects. Mechanism is "" (no authentication), "plain",
// "scram-sha-256" or "scram-sha-512".
type SASL struct {
	Mechanism, Username, Password string
}

// Config says how to reach a Kafka cluster. Only Brokers is required.
type Config struct {
	// Brokers are bootstrap addresses, each "host:port".
	Brokers  []string
	ClientID string
	// TLS nil means plain text. An empty ServerName is taken from the address.
	TLS  *tls.Config
	SASL SASL
	// Delivery is ExactlyOnce when empty.
	Delivery Delivery
	// SessionTimeout is how long a silent member keeps its partitions.
	// Default: 10s. Brokers refuse less than group.min.session.timeout.ms (6s).
	SessionTimeout time.Duration
	// RebalanceTimeout is how long a rebalance waits for members. Default: 30s.
	RebalanceTimeout time.Duration
	// TransactionTimeout is when the broker aborts an abandoned transaction.
	// Commit gives up at half of it, so that it never races with the broker.
	// Default: 30s.
	TransactionTimeout time.Duration
	// OnDataLoss is GoOn when empty.
	OnDataLoss DataLoss
	Log        *slog.Logger
	Observer   Observer
}

// Observer is told what only the Kafka side can know. Its methods are called
// from many goroutines and must not block.
type Observer interface {
	// Transaction reports one Commit of a stage; err is what Commit returned.
	Transaction(stage string, records int, took time.Duration, err error)
	// DataLost reports unread offsets [from,to) that retention deleted.
	DataLost(topic string, partition int, from, to int64)
	// Progress reports, after each fetch and commit and every few seconds while
	// nobody fetches, the next offset to fetch and the end of the partition (its
	// high watermark).
	Progress(stage, topic string, partition int, position, end int64)
}

// Client is a connection pool to one Kafka cluster, safe for concurrent use.
type Client struct {
	cfg          Config
	addr         net.Addr
	transport    *kafka.Transport
	mechanism    sasl.Mechanism
	coordinators coordinators
	stop         context.CancelFunc

	publishing sync.Mutex
	publisher  *producer
}

// NewClient checks cfg and returns a client that connects on first use. The
// error joins all wrong fields.
func NewClient(cfg Config) (*Client, error) {
	cfg = cfg.withDefaults()
	mechanism, err := cfg.SASL.mechanism()
	if err := errors.Join(cfg.validate(), err); err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Client{
		cfg:       cfg,
		addr:      kafka.TCP(cfg.Brokers...),
		mechanism: mechanism,
		stop:      stop,
		transport: &kafka.Transport{
			ClientID: cfg.ClientID,
			TLS:      cfg.TLS,
			SASL:     mechanism,
			Context:  ctx,
			// The transport does not look for a new leader when the old one
			// refuses; what it knows must not be older than a second.
			MetadataTTL: time.Second,
			IdleTimeout: time.Minute,
			Dial:        dialImpatient,
		},
	}
	return c, nil
}

// Close drops the connections. Calls in progress fail.
func (c *Client) Close() {
	c.transport.CloseIdleConnections()
	c.stop()
}

func (c Config) withDefaults() Config {
	c.Delivery = orDefault(c.Delivery, ExactlyOnce)
	c.SessionTimeout = orDefault(c.SessionTimeout, 10*time.Second)
	c.RebalanceTimeout = orDefault(c.RebalanceTimeout, 30*time.Second)
	c.TransactionTimeout = orDefault(c.TransactionTimeout, 30*time.Second)
	c.OnDataLoss = orDefault(c.OnDataLoss, GoOn)
	c.Log = orDefault(c.Log, slog.New(slog.DiscardHandler))
	if c.Observer == nil {
		c.Observer = unobserved{}
	}
	return c
}

func orDefault[T comparable](value, standard T) T {
	var zero T
	if value == zero {
		return standard
	}
	return value
}

func (c Config) validate() error {
	var errs []error
	if len(c.Brokers) == 0 {
		errs = append(errs, errors.New("brokers: at least one host:port is needed"))
	}
	for _, b := range c.Brokers {
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" {
			errs = append(errs, fmt.Errorf("brokers: %q is not host:port", b))
		}
	}
	if c.Delivery != ExactlyOnce && c.Delivery != AtLeastOnce {
		errs = append(errs, fmt.Errorf("delivery: %q is neither %q nor %q", c.Delivery, ExactlyOnce, AtLeastOnce))
	}
	if c.OnDataLoss != GoOn && c.OnDataLoss != StopReading {
		errs = append(errs, fmt.Errorf("on data loss: %q is neither %q nor %q", c.OnDataLoss, GoOn, StopReading))
	}
	for name, d := range map[string]time.Duration{
		"session timeout": c.SessionTimeout, "rebalance timeout": c.RebalanceTimeout,
		"transaction timeout": c.TransactionTimeout,
	} {
		if d < 10*time.Millisecond {
			errs = append(errs, fmt.Errorf("%s: %v is too short", name, d))
		}
	}
	return errors.Join(errs...)
}

// unobserved is the Observer of a client that has none.
type unobserved struct{}

func (unobserved) Transaction(string, int, time.Duration, error) {}
func (unobserved) DataLost(string, int, int64, int64)            {}
func (unobserved) Progress(string, string, int, int64, int64)    {}
