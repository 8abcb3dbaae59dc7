package consumer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// ErrAuthorization means that a broker knows the user and does not let it do
// what the worker needs. The error names the missing right and the command that
// grants it.
var ErrAuthorization = errors.New("authorization failed")

// right is an operation on a resource, in the words of kafka-acls.sh.
type right struct {
	operation string
	resource  kafka.Error // the code by which a broker refuses it
	name      string
}

func onTopic(operation, name string) right {
	return right{operation, kafka.TopicAuthorizationFailed, name}
}

func onGroup(operation, name string) right {
	return right{operation, kafka.GroupAuthorizationFailed, name}
}

// onTransactions is the right to write under a transactional id, for all ids of
// its group, which differ only in what comes after the first slash.
func onTransactions(id string) right {
	group, _, _ := strings.Cut(id, "/")
	return right{"Write", kafka.TransactionalIDAuthorizationFailed, group + "/"}
}

func onCluster(operation string) right {
	return right{operation, kafka.ClusterAuthorizationFailed, ""}
}

func (r right) String() string {
	switch r.resource {
	case kafka.TopicAuthorizationFailed:
		return fmt.Sprintf("%s on topic %q", r.operation, r.name)
	case kafka.GroupAuthorizationFailed:
		return fmt.Sprintf("%s on group %q", r.operation, r.name)
	case kafka.TransactionalIDAuthorizationFailed:
		return fmt.Sprintf("%s on transactional ids that begin with %q", r.operation, r.name)
	}
	return r.operation + " on the cluster"
}

// arguments are those of kafka-acls.sh.
func (r right) arguments() string {
	switch r.resource {
	case kafka.TopicAuthorizationFailed:
		return fmt.Sprintf("--operation %s --topic %s", r.operation, r.name)
	case kafka.GroupAuthorizationFailed:
		return fmt.Sprintf("--operation %s --group %s", r.operation, r.name)
	case kafka.TransactionalIDAuthorizationFailed:
		return fmt.Sprintf("--operation %s --transactional-id %s --resource-pattern-type prefixed", r.operation, r.name)
	}
	return fmt.Sprintf("--operation %s --cluster", r.operation)
}

// denied is an error that says which rights are missing and how to grant them.
func (c *Client) denied(cause error, missing ...right) error {
	user := c.cfg.SASL.Username
	if user == "" {
		user = "ANONYMOUS" // what Kafka calls those who do not say; with client certificates it is the certificate's subject
	}
	var what, how []string
	for _, r := range missing {
		what = append(what, r.String())
		how = append(how, fmt.Sprintf("`kafka-acls.sh --bootstrap-server %s --add --allow-principal User:%s %s`", c.cfg.Brokers[0], user, r.arguments()))
	}
	return &Problem{
		Kind: ErrAuthorization, Cause: cause,
		What:   fmt.Sprintf("user %q needs %s", user, strings.Join(what, " and ")),
		Remedy: "run " + strings.Join(how, " and "),
	}
}

// explain finds out which of the needed rights a broker missed, if that is what
// err says.
func (c *Client) explain(err error, needed []right) error {
	var code kafka.Error
	if errors.Is(err, ErrAuthorization) || !errors.As(err, &code) {
		return err
	}
	var topic refusedTopic
	named := errors.As(err, &topic)
	var missing []right
	for _, r := range needed {
		if r.resource == code && (!named || r.name == topic.name) && !slices.Contains(missing, r) {
			missing = append(missing, r)
		}
	}
	if len(missing) == 0 {
		return err
	}
	return c.denied(err, missing...)
}

// refusedTopic tells which topic of a request an error is about.
type refusedTopic struct {
	name string
	error
}

func (r refusedTopic) Unwrap() error { return r.error }

// grants tells whether an answer's bit field of operations holds one.
func grants(field int32, operation string) bool {
	switch operation {
	case "Read":
		return field>>3&1 == 1
	case "Write":
		return field>>4&1 == 1
	case "DescribeConfigs":
		return field>>10&1 == 1
	}
	return true // the topic was seen, which is all that Describe means
}

// direct is a question that a broker answers itself. The transport would answer
// some from its memory, and takes what it knows for an answer of its own.
type direct struct{ routed }

// told is the answer to it, whose type is hidden from the transport.
type told struct{ protocol.Message }

// RawExchange is part of the transport's protocol.
func (d *direct) RawExchange(conn io.ReadWriter) (protocol.Message, error) {
	answer, err := d.routed.RawExchange(conn)
	if err != nil {
		return nil, err
	}
	return &told{answer}, nil
}

// ask sends a question to any broker.
func (c *Client) ask(ctx context.Context, question protocol.Message) (protocol.Message, error) {
	answer, err := call[*told](ctx, c, &direct{routed{Message: question, broker: anyBroker, client: c.cfg.ClientID}})
	if err != nil {
		return nil, err
	}
	return answer.Message, nil
}

// sight asks a broker itself, not the transport's memory, for a topic and for what
// the user may do with it. The transport knows only what the user may see, and
// takes the rest for missing.
func (c *Client) sight(ctx context.Context, name string) (found metadata.ResponseTopic, err error) {
	what := attempt{what: fmt.Sprintf("ask for the rights on topic %q", name)}
	err = c.persist(ctx, what, func(ctx context.Context) error {
		request := &metadata.Request{TopicNames: []string{name}, IncludeTopicAuthorizedOperations: true}
		answer, err := c.ask(ctx, request)
		if err != nil {
			return err
		}
		topics := answer.(*metadata.Response).Topics
		if len(topics) != 1 {
			return fmt.Errorf("answer to metadata lacks its topic: %w", kafka.NetworkException)
		}
		found = topics[0]
		return nil
	})
	return found, err
}

// permitted asks whether the user may do with a topic what t says that it is
// for. Brokers before 2.3 tell only whether the topic may be seen.
func (c *Client) permitted(ctx context.Context, t Topic) error {
	found, err := c.sight(ctx, t.Name)
	if err != nil {
		return err
	}
	if refused := refusedUses(found, t.Uses); len(refused) > 0 {
		var rights []right
		for _, operation := range refused {
			rights = append(rights, onTopic(operation, t.Name))
		}
		return c.denied(kafka.TopicAuthorizationFailed, rights...)
	}
	return nil
}

// refusedUses are those of uses that a broker does not allow; "Describe" when
// the topic is for nothing else and may not be seen.
func refusedUses(found metadata.ResponseTopic, uses []string) []string {
	field := found.TopicAuthorizedOperations
	switch code := kafka.Error(found.ErrorCode); {
	case code == kafka.TopicAuthorizationFailed && len(uses) == 0:
		return []string{"Describe"}
	case code == kafka.TopicAuthorizationFailed:
		return uses
	case code != 0 || field == 0 || field == math.MinInt32:
		return nil // no such topic yet, or a broker that does not tell
	}
	return slices.DeleteFunc(slices.Clone(uses), func(operation string) bool { return grants(field, operation) })
}

// rightsToWrite are those on every topic of the cargo.
func rightsToWrite(goods cargo) []right {
	var rights []right
	for _, t := range goods.targets {
		rights = append(rights, onTopic("Write", t.topic))
	}
	return rights
}

// rightsToRead are those that reading as a member of the group takes.
func (m membership) rightsToRead() []right {
	return []right{onGroup("Read", m.group), onTopic("Read", m.topic)}
}
