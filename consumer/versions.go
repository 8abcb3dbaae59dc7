package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// spoken is a version of Kafka's protocol that this package must share with a
// broker: least to most.
type spoken struct {
	api         protocol.ApiKey
	least, most int16
	transaction bool // needed for exactly-once only
}

func (c *Client) spoken() []spoken {
	groups := []spoken{ // kafka-go's consumer group speaks one version of each
		{protocol.FindCoordinator, 0, 0, false},
		{protocol.JoinGroup, 1, 2, false},
		{protocol.SyncGroup, 0, 0, false},
		{protocol.Heartbeat, 0, 0, false},
		{protocol.LeaveGroup, 0, 0, false},
		{protocol.OffsetFetch, 1, 1, false},
	}
	for _, need := range []spoken{
		{api: protocol.Metadata},
		{api: protocol.ListOffsets, least: 1},
		{api: protocol.Fetch, least: 4},
		{api: protocol.Produce, least: 3},
		{api: protocol.DescribeConfigs},
		{api: protocol.InitProducerId},
		{api: protocol.OffsetCommit, least: 2},
		{api: protocol.AddPartitionsToTxn, transaction: true},
		{api: protocol.AddOffsetsToTxn, transaction: true},
		{api: protocol.TxnOffsetCommit, transaction: true},
		{api: protocol.EndTxn, transaction: true},
	} {
		need.least, need.most = max(need.least, need.api.MinVersion()), need.api.MaxVersion()
		groups = append(groups, need)
	}
	return groups
}

// Versions asks the brokers which versions of the protocol they speak. The error
// is a [Problem] if one that is needed is not among them, else the failure of the
// connection, as of [Client.Ping].
func (c *Client) Versions(ctx context.Context) error {
	var errs []error
	for _, address := range c.cfg.Brokers {
		offered, err := c.offered(ctx, address)
		if err != nil {
			errs = append(errs, fmt.Errorf("connect to kafka broker %s: %w", address, err))
			continue
		}
		return c.common(offered)
	}
	return errors.Join(errs...)
}

func (c *Client) offered(ctx context.Context, address string) ([]kafka.ApiVersion, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	conn, err := c.dialer(&watchedMechanism{Mechanism: c.mechanism}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(requestTimeout)); err != nil {
		return nil, err
	}
	return conn.ApiVersions()
}

// common wants a common version of everything that is needed.
func (c *Client) common(offered []kafka.ApiVersion) error {
	var lacking []string
	for _, need := range c.spoken() {
		if need.transaction && c.cfg.Delivery != ExactlyOnce {
			continue
		}
		fits := func(v kafka.ApiVersion) bool {
			return v.ApiKey == int16(need.api) && v.MinVersion <= need.most && v.MaxVersion >= need.least
		}
		if !slices.ContainsFunc(offered, fits) {
			lacking = append(lacking, fmt.Sprintf("%s %d to %d", need.api, need.least, need.most))
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return &Problem{
		What:   "the broker does not speak " + strings.Join(lacking, ", "),
		Remedy: "use Kafka 2.5 or later, or one that speaks its protocol; without transactions set kafka.delivery: at_least_once",
	}
}
