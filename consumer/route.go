package consumer

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
	"github.com/segmentio/kafka-go/protocol/leavegroup"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// requestTimeout bounds one request. It is longer than any answer of a healthy
// broker and shorter than the patience of a transaction.
const requestTimeout = 5 * time.Second

// anyBroker routes a request to a bootstrap connection.
const anyBroker int32 = -1

// call sends a request to the broker that has to answer it: the coordinator of
// its group or transaction, else where the transport sends it. The error code of
// the answer is the caller's business.
func call[T protocol.Message](ctx context.Context, c *Client, request protocol.Message) (T, error) {
	var none T
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	key := coordinatorOf(request)
	if key.name != "" || isTransactional(request) {
		node, err := c.coordinator(ctx, key)
		if err != nil {
			return none, err
		}
		request = &routed{Message: request, broker: node, client: c.cfg.ClientID}
	}
	answer, err := c.transport.RoundTrip(ctx, c.addr, request)
	if err != nil {
		c.coordinators.forget(key)
		return none, err
	}
	typed, ok := answer.(T)
	if !ok {
		return none, fmt.Errorf("unexpected answer %T", answer)
	}
	return typed, nil
}

// routed sends a message to a broker chosen by its caller. The transport would
// ask for the coordinator before every single request.
type routed struct {
	protocol.Message
	broker  int32
	client  string
	version int16
}

func (r *routed) Broker(protocol.Cluster) (protocol.Broker, error) {
	return protocol.Broker{ID: r.broker}, nil
}

// Required makes the connection call RawExchange, and tells the API version.
func (r *routed) Required(versions map[protocol.ApiKey]int16) bool {
	switch r.Message.(type) {
	case *heartbeat.Request, *leavegroup.Request:
		// kafka-go reads the error code of the later versions' answers from
		// where they have the throttle time.
		r.version = 0
	default:
		r.version = versions[r.ApiKey()]
	}
	return true
}

// RawExchange writes the wrapped message. A connection carries one request at a
// time, so that the correlation id needs no counter.
func (r *routed) RawExchange(conn io.ReadWriter) (protocol.Message, error) {
	return protocol.RoundTrip(conn, r.version, 1, r.client, r.Message)
}

// coordinatorKey names a group or a transactional id.
type coordinatorKey struct {
	kind kafka.CoordinatorKeyType
	name string
}

func coordinatorOf(request protocol.Message) coordinatorKey {
	switch m := request.(type) {
	case *heartbeat.Request: // does not say so itself
		return coordinatorKey{kafka.CoordinatorKeyTypeConsumer, m.GroupID}
	case protocol.GroupMessage:
		return coordinatorKey{kafka.CoordinatorKeyTypeConsumer, m.Group()}
	case protocol.TransactionalMessage:
		return coordinatorKey{kafka.CoordinatorKeyTypeTransaction, m.Transaction()}
	}
	return coordinatorKey{}
}

func isTransactional(request protocol.Message) bool {
	_, is := request.(protocol.TransactionalMessage)
	return is
}

// coordinators remembers which broker coordinates what, until a request fails.
type coordinators struct {
	mu    sync.Mutex
	nodes map[coordinatorKey]int32
}

func (s *coordinators) forget(key coordinatorKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.nodes, key)
}

func (s *coordinators) known(key coordinatorKey) (int32, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	node, ok := s.nodes[key]
	return node, ok
}

func (s *coordinators) remember(key coordinatorKey, node int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nodes == nil {
		s.nodes = make(map[coordinatorKey]int32)
	}
	s.nodes[key] = node
}

func (c *Client) coordinator(ctx context.Context, key coordinatorKey) (int32, error) {
	if key.name == "" { // an idempotent producer without transactions
		return anyBroker, nil
	}
	if node, ok := c.coordinators.known(key); ok {
		return node, nil
	}
	answer, err := c.transport.RoundTrip(ctx, c.addr, &findcoordinator.Request{Key: key.name, KeyType: int8(key.kind)})
	if err != nil {
		return 0, fmt.Errorf("find coordinator of %q: %w", key.name, lookup{err})
	}
	found := answer.(*findcoordinator.Response)
	if found.ErrorCode != 0 {
		return 0, fmt.Errorf("find coordinator of %q: %w", key.name, kafka.Error(found.ErrorCode))
	}
	c.coordinators.remember(key, found.NodeID)
	return found.NodeID, nil
}

// lookup is the failure of a question that had to be asked before a request: the
// request itself was never sent.
type lookup struct{ error }

func (l lookup) Unwrap() error { return l.error }

// refresh makes the transport ask for the cluster's layout now. It has no method
// for that, but does it after every CreateTopics, even after one of no topics.
func (c *Client) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	// When this fails the transport still looks again within MetadataTTL.
	_, _ = c.transport.RoundTrip(ctx, c.addr, &createtopics.Request{})
}

// leaders returns the broker id that leads each partition of topic, -1 where
// there is none. It is answered from the transport's memory.
func (c *Client) leaders(ctx context.Context, topic string) ([]int32, error) {
	answer, err := call[*metadata.Response](ctx, c, &metadata.Request{TopicNames: []string{topic}})
	if err != nil {
		return nil, fmt.Errorf("look up topic %q: %w", topic, lookup{err})
	}
	found := answer.Topics[0]
	if found.ErrorCode != 0 {
		return nil, fmt.Errorf("look up topic %q: %w", topic, kafka.Error(found.ErrorCode))
	}
	nodes := make([]int32, len(found.Partitions))
	for _, p := range found.Partitions {
		if int(p.PartitionIndex) >= len(nodes) {
			return nil, fmt.Errorf("look up topic %q: %w", topic, kafka.LeaderNotAvailable)
		}
		nodes[p.PartitionIndex] = p.LeaderID
	}
	return nodes, nil
}
