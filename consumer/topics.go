package consumer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/createtopics"
)

// Topic is what the worker needs of a topic.
type Topic struct {
	Name string
	// Partitions and Replication are used for creating it.
	Partitions, Replication int
	// Config are settings for creating it, as "retention.ms".
	Config map[string]string
	// MinRetention is how long the topic must keep its records; 0 is not checked.
	MinRetention time.Duration
	// Internal means that the partition of a key must never change, and that
	// nothing is compacted away: the partition count must be exactly Partitions
	// and cleanup.policy must be delete.
	Internal bool
	// Uses are the operations that the worker needs, as "Read" and "Write".
	Uses []string
}

// EnsureTopics checks that every topic exists and keeps what it must, and
// creates the missing ones if create is set. The error joins what is wrong with
// each topic, with the command that repairs it.
func (c *Client) EnsureTopics(ctx context.Context, topics []Topic, create bool) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	var errs []error
	for _, t := range topics {
		if err := c.ensureTopic(ctx, t, create); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (c *Client) ensureTopic(ctx context.Context, t Topic, create bool) error {
	if err := c.permitted(ctx, t); err != nil {
		return err
	}
	c.refresh(ctx)
	nodes, err := c.leaders(ctx, t.Name)
	switch {
	case missing(err) && create:
		if err := c.createTopic(ctx, t); err != nil {
			return err
		}
		if nodes, err = c.awaitTopic(ctx, t.Name); err != nil {
			return err
		}
	case missing(err):
		return c.absent(t)
	case err != nil:
		if nodes, err = c.awaitTopic(ctx, t.Name); err != nil {
			return err
		}
	}
	if err := t.rightCount(len(nodes)); err != nil {
		return err
	}
	return c.checkConfig(ctx, t)
}

// absent says that a topic is not there.
func (c *Client) absent(t Topic) error {
	return &Problem{
		What:   fmt.Sprintf("topic %q does not exist", t.Name),
		Remedy: fmt.Sprintf("create it with `%s`, or set topics.create: true", c.createCommand(t)),
	}
}

// rightCount wants the partitions of a topic whose keys must stay where they are.
func (t Topic) rightCount(partitions int) error {
	if !t.Internal || partitions == t.Partitions {
		return nil
	}
	return &Problem{
		What:   fmt.Sprintf("topic %q has %d partitions, the configuration says %d", t.Name, partitions, t.Partitions),
		Remedy: fmt.Sprintf("set topics.partitions to %d (the number cannot change while the topic is in use)", partitions),
	}
}

// request is how t is created.
func (t Topic) request() createtopics.RequestTopic {
	request := createtopics.RequestTopic{
		Name: t.Name, NumPartitions: int32(t.Partitions), ReplicationFactor: int16(t.Replication),
	}
	for _, name := range sortedKeys(t.Config) {
		request.Configs = append(request.Configs, createtopics.RequestConfig{Name: name, Value: t.Config[name]})
	}
	return request
}

func (c *Client) createTopic(ctx context.Context, t Topic) error {
	what := attempt{what: fmt.Sprintf("create topic %q", t.Name)}
	err := c.persist(ctx, what, func(ctx context.Context) error {
		answer, err := call[*createtopics.Response](ctx, c, &createtopics.Request{
			Topics: []createtopics.RequestTopic{t.request()}, TimeoutMs: int32(requestTimeout.Milliseconds()),
		})
		if err != nil {
			return err
		}
		result := answer.Topics[0]
		switch code := kafka.Error(result.ErrorCode); code {
		case 0, kafka.TopicAlreadyExists: // somebody was faster
			return nil
		case kafka.InvalidReplicationFactor, kafka.InvalidPartitionNumber, kafka.InvalidConfiguration:
			return &failure{action: giveUp, cause: fmt.Errorf("%w: %s", code, result.ErrorMessage)}
		default:
			return fmt.Errorf("%w: %s", code, result.ErrorMessage)
		}
	})
	if errors.Is(err, kafka.TopicAuthorizationFailed) || errors.Is(err, kafka.ClusterAuthorizationFailed) {
		return fmt.Errorf("%w; or create it with `%s`", c.denied(err, onTopic("Create", t.Name)), c.createCommand(t))
	}
	return err
}

func (c *Client) awaitTopic(ctx context.Context, name string) (nodes []int32, err error) {
	what := attempt{what: fmt.Sprintf("wait for topic %q", name)}
	err = c.persist(ctx, what, func(ctx context.Context) error {
		if nodes, err = c.leaders(ctx, name); err == nil && slices.Contains(nodes, -1) {
			return kafka.LeaderNotAvailable
		}
		return err
	})
	return nodes, err
}

// createCommand is the command line that creates t.
func (c *Client) createCommand(t Topic) string {
	var b strings.Builder
	fmt.Fprintf(&b, "kafka-topics.sh --bootstrap-server %s --create --topic %s --partitions %d --replication-factor %d",
		c.cfg.Brokers[0], t.Name, max(t.Partitions, 1), max(t.Replication, 1))
	for _, name := range sortedKeys(t.Config) {
		fmt.Fprintf(&b, " --config %s=%s", name, t.Config[name])
	}
	return b.String()
}

// Exists tells whether there is a topic of this name.
func (c *Client) Exists(ctx context.Context, topic string) (bool, error) {
	_, err := c.Partitions(ctx, topic)
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}

// Partitions is the number of partitions of a topic. It never creates one: the
// error of a missing topic names the remedy.
func (c *Client) Partitions(ctx context.Context, topic string) (int, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	nodes, err := c.leaders(ctx, topic)
	if err != nil { // the transport may remember a time before the topic
		c.refresh(ctx)
		nodes, err = c.leaders(ctx, topic)
	}
	if missing(err) { // or not to be seen
		if err := c.permitted(ctx, Topic{Name: topic, Uses: []string{"Read"}}); err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("topic %q does not exist: create it, or set topics.create: true: %w", topic, err)
	}
	return len(nodes), err
}
