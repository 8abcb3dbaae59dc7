package devbroker

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// Options of a broker. The zero value is a broker in memory on a free port.
type Options struct {
	// DataDir keeps topics, offsets and records for the next start.
	DataDir string
	// Port on 127.0.0.1; 0 takes a free one.
	Port int
	// MinSession lowers the shortest session time-out that consumer groups may
	// ask for. Default: 6s, as in Kafka.
	MinSession time.Duration
	// TLS makes the listener speak TLS.
	TLS *tls.Config
	// User and Password, if given, are the only ones who may connect, by
	// Mechanism: "PLAIN", "SCRAM-SHA-256" (when empty) or "SCRAM-SHA-512".
	User, Password, Mechanism string
}

// Broker is a running broker.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	faults  *faults
}

// Start starts a broker; its error says why it cannot: a port in use, a
// directory that cannot be written or read.
func Start(o Options) (*Broker, error) {
	b := &Broker{faults: &faults{}}
	opts := []kfake.Opt{
		kfake.NumBrokers(1),
		kfake.ClusterID("planetag-dev"),
		kfake.Ports(o.Port),
		kfake.BrokerConfigs(map[string]string{"group.initial.rebalance.delay.ms": "0"}),
	}
	if o.DataDir != "" {
		opts = append(opts, kfake.DataDir(o.DataDir))
	}
	if o.MinSession > 0 {
		opts = append(opts, kfake.GroupMinSessionTimeout(o.MinSession))
	}
	if o.User != "" {
		mechanism := o.Mechanism
		if mechanism == "" {
			mechanism = "SCRAM-SHA-256"
		}
		opts = append(opts, kfake.EnableSASL(), kfake.Superuser(mechanism, o.User, o.Password))
	}
	if o.TLS != nil { // what passes the listener is not readable then
		opts = append(opts, kfake.TLS(o.TLS))
	} else {
		opts = append(opts, kfake.ListenFn(b.listen))
	}
	cluster, err := kfake.NewCluster(opts...)
	if err != nil {
		return nil, fmt.Errorf("start development broker: %w", err)
	}
	b.cluster, b.addr = cluster, cluster.ListenAddrs()[0]
	return b, nil
}

// Addr is the broker's address, "127.0.0.1:port".
func (b *Broker) Addr() string { return b.addr }

// Close stops the broker and, with a DataDir, saves what it holds.
func (b *Broker) Close() { b.cluster.Close() }

func (b *Broker) listen(network, address string) (net.Listener, error) {
	l, err := new(net.ListenConfig).Listen(context.Background(), network, address)
	if err != nil {
		return nil, err
	}
	return listener{l, b.faults}, nil
}
