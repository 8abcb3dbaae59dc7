package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/endtxn"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
)

// This file looks at a cluster before anything is done with it. Nothing in it
// changes anything, not even by the way: it asks for no coordinator, because a
// broker makes its own topics of groups and transactions for the first who does.

// Permitted asks whether the user may do with a topic what its Uses say. The
// error is a [Problem] with [ErrAuthorization] for each right that is missing.
func (c *Client) Permitted(ctx context.Context, t Topic) error { return c.permitted(ctx, t) }

// PermittedGroup asks whether the user may be a member of a group, by a sign of
// life of a member that there is not: who lacks the right is told so, and
// everybody else that there is no such member, or to ask another broker.
func (c *Client) PermittedGroup(ctx context.Context, group string) error {
	return c.probe(ctx, onGroup("Read", group), &heartbeat.Request{GroupID: group, GenerationID: -1, MemberID: "planetag-check"},
		func(m protocol.Message) int16 { return m.(*heartbeat.Response).ErrorCode })
}

// PermittedTransactions asks whether the user may write under the transactional
// ids of a group, by the abort of a transaction of a producer that there is not.
func (c *Client) PermittedTransactions(ctx context.Context, group string) error {
	id := group + "/check"
	return c.probe(ctx, onTransactions(id), &endtxn.Request{TransactionalID: id, ProducerID: -1, ProducerEpoch: -1},
		func(m protocol.Message) int16 { return m.(*endtxn.Response).ErrorCode })
}

// probe sends a request that can do nothing to any broker and looks only at
// whether the right that it would need is there.
func (c *Client) probe(ctx context.Context, needed right, request protocol.Message, code func(protocol.Message) int16) error {
	err := c.persist(ctx, attempt{what: "ask for the right to " + needed.String()}, func(ctx context.Context) error {
		answer, err := c.ask(ctx, request)
		if err != nil {
			return err
		}
		if got := kafka.Error(code(answer)); got == needed.resource {
			return got
		}
		return nil
	})
	if errors.Is(err, needed.resource) {
		return c.denied(needed.resource, needed)
	}
	return err
}

// TopicState is what a cluster tells of a topic.
type TopicState struct {
	Exists     bool
	Partitions int
	Replicas   int               // of the partition that has the fewest
	Leaderless int               // partitions that cannot be read or written now
	Settings   map[string]string // nil where the user may not read them
}

// Examine looks at a topic and says what is wrong with it for what t needs: each
// error is a [Problem], or the failure of the question. Where create is set, a
// topic that is missing is no problem unless the broker would not let it be made.
func (c *Client) Examine(ctx context.Context, t Topic, create bool) (TopicState, []error) {
	found, err := c.sight(ctx, t.Name)
	if err != nil {
		return TopicState{}, []error{err}
	}
	switch err := codeError(found.ErrorCode); {
	case missing(err) && create:
		return TopicState{}, slices.DeleteFunc([]error{c.creatable(ctx, t)}, func(err error) bool { return err == nil })
	case missing(err):
		return TopicState{}, []error{c.absent(t)}
	case errors.Is(err, kafka.TopicAuthorizationFailed):
		return TopicState{}, []error{c.denied(err, onTopic("Describe", t.Name))}
	case err != nil:
		return TopicState{}, []error{fmt.Errorf("look up topic %q: %w", t.Name, err)}
	}
	state := TopicState{Exists: true, Partitions: len(found.Partitions)}
	for i, p := range found.Partitions {
		if p.LeaderID < 0 {
			state.Leaderless++
		}
		if i == 0 || len(p.ReplicaNodes) < state.Replicas {
			state.Replicas = len(p.ReplicaNodes)
		}
	}
	var errs []error
	if err := t.rightCount(state.Partitions); err != nil {
		errs = append(errs, err)
	}
	state.Settings, err = c.describeTopic(ctx, t.Name)
	switch {
	case errors.Is(err, ErrAuthorization) && !slices.Contains(t.Uses, "DescribeConfigs"):
		state.Settings = nil // the worker need not read them either
	case err != nil:
		errs = append(errs, err)
	default:
		errs = append(errs, c.unfit(t, state.Settings)...)
	}
	return state, errs
}

// creatable asks whether a topic could be created, without creating it; the
// transport would wait for it to appear. Brokers that hand such requests to their
// controller, as all do since 3.0, can tell.
func (c *Client) creatable(ctx context.Context, t Topic) error {
	answer, err := c.ask(ctx, &createtopics.Request{
		Topics: []createtopics.RequestTopic{t.request()}, TimeoutMs: int32(requestTimeout.Milliseconds()), ValidateOnly: true,
	})
	if err != nil {
		return fmt.Errorf("ask whether topic %q can be created: %w", t.Name, err)
	}
	result := answer.(*createtopics.Response).Topics[0]
	cause := codeError(result.ErrorCode)
	switch {
	case cause == nil, errors.Is(cause, kafka.TopicAlreadyExists), errors.Is(cause, kafka.NotController):
		return nil
	case errors.Is(cause, kafka.TopicAuthorizationFailed), errors.Is(cause, kafka.ClusterAuthorizationFailed):
		return c.denied(cause, onTopic("Create", t.Name))
	}
	return &Problem{
		What:   fmt.Sprintf("topic %q does not exist, and the broker would not create it as the configuration says: %s", t.Name, result.ErrorMessage),
		Remedy: fmt.Sprintf("set topics.partitions and topics.replication to what the cluster can do, or create it with `%s`", c.createCommand(t)),
		Cause:  cause,
	}
}
