package check

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"planetag/consumer"
	"planetag/pipeline"
)

func (c *checking) broker(ctx context.Context, k *Check) {
	const remedy = "check kafka.brokers: is it running, and can this machine reach it?"
	conf, err := c.cfg.ClientConfig(slog.New(slog.DiscardHandler), nil)
	if err != nil {
		k.wrong(err, "set the key that is named")
		return
	}
	if c.client, err = consumer.NewClient(conf); err != nil {
		k.wrong(err, remedy)
		return
	}
	if err := c.client.Ping(ctx); err != nil {
		k.fail(err, err.Error(), remedy)
		return
	}
	if err := c.client.Versions(ctx); err != nil {
		k.wrong(err, remedy)
		return
	}
	k.found("%s answers", strings.Join(c.cfg.Kafka.Brokers, ", "))
	if user := c.cfg.Kafka.SASL.Username; user != "" {
		k.found("knows user %s", user)
	}
	k.found("speaks every version needed")
}

// rights asks for every right that docs/security.md lists for the stages of this worker.
func (c *checking) rights(ctx context.Context, k *Check) {
	asked := 0
	ask := func(err error) {
		if asked++; err != nil {
			k.wrong(err, "see docs/security.md")
		}
	}
	for _, topic := range c.cfg.NeededTopics() {
		ask(c.client.Permitted(ctx, topic))
	}
	for _, stage := range c.cfg.Joins() {
		group := c.cfg.Kafka.Group + "." + stage
		ask(c.client.PermittedGroup(ctx, group))
		if c.cfg.Kafka.Delivery == "exactly_once" {
			ask(c.client.PermittedTransactions(ctx, group))
		}
	}
	if k.Status == OK {
		k.found("on %d topics, groups and transactional ids", asked)
	}
}

func (c *checking) allTopics(ctx context.Context, k *Check) {
	for _, topic := range c.cfg.NeededTopics() {
		state, errs := c.client.Examine(ctx, topic, c.cfg.Topics.Create)
		for _, err := range errs {
			if !errors.Is(err, consumer.ErrAuthorization) || !c.toldRights(topic.Name) {
				k.wrong(err, "look into the broker's log")
			}
		}
		c.topics[topic.Name] = state
		switch {
		case len(errs) > 0 && k.Status == OK:
			k.warn(fmt.Sprintf("topic %q cannot be looked at", topic.Name), "grant the rights that are missing")
		case len(errs) > 0:
		case !state.Exists:
			k.found("%s will be made", topic.Name)
		default:
			k.found("%s has %s", topic.Name, count(state.Partitions, "partition"))
		}
		c.writable(k, topic, state)
	}
	c.deadLettersFit(k)
}

// toldRights says whether the check of rights has named a topic.
func (c *checking) toldRights(topic string) bool {
	for _, check := range c.Checks {
		for _, p := range check.Problems {
			if check.Name == "rights" && strings.Contains(p.What, fmt.Sprintf("topic %q", topic)) {
				return true
			}
		}
	}
	return false
}

// writable wants a topic that takes what the worker writes.
func (c *checking) writable(k *Check, topic consumer.Topic, state consumer.TopicState) {
	if state.Leaderless > 0 {
		k.fail(consumer.ErrNoBroker, fmt.Sprintf("%s of topic %q have no leader", count(state.Leaderless, "partition"), topic.Name),
			"start the brokers that are down")
	}
	if !slices.Contains(topic.Uses, "Write") || state.Settings == nil {
		return
	}
	alter := func(setting string, value int) string {
		return fmt.Sprintf("run `kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config %s=%d`",
			c.cfg.Kafka.Brokers[0], topic.Name, setting, value)
	}
	if least, ok := number(state.Settings, "min.insync.replicas"); ok && least > state.Replicas {
		k.fail(pipeline.ErrConfig, fmt.Sprintf("topic %q wants %d replicas in sync and has %d: nothing can be written to it", topic.Name, least, state.Replicas),
			alter("min.insync.replicas", state.Replicas)+", or give it more replicas")
	}
	if most, ok := number(state.Settings, "max.message.bytes"); ok && most < consumer.LargestBatch {
		k.fail(pipeline.ErrConfig, fmt.Sprintf("topic %q takes batches of at most %s, the worker writes up to %s",
			topic.Name, pipeline.Bytes(most), pipeline.Bytes(consumer.LargestBatch)), alter("max.message.bytes", consumer.KafkaBatch))
	}
	if size, ok := number(state.Settings, "retention.bytes"); ok && size >= 0 && topic.MinRetention > 0 {
		k.warn(fmt.Sprintf("topic %q keeps at most %s of each partition, which may delete open albums before their time", topic.Name, pipeline.Bytes(size)),
			alter("retention.bytes", -1))
	}
}

// deadLettersFit warns where a record may be too large for the topic of those that can never succeed.
func (c *checking) deadLettersFit(k *Check) {
	in, known := number(c.topics[c.cfg.Topics.Input].Settings, "max.message.bytes")
	dead, too := number(c.topics[c.cfg.Topics.DeadLetters].Settings, "max.message.bytes")
	if known && too && dead < in {
		k.warn(fmt.Sprintf("topic %q takes batches of at most %s, topic %q up to %s: a reference of that size could not be dead-lettered",
			c.cfg.Topics.DeadLetters, pipeline.Bytes(dead), c.cfg.Topics.Input, pipeline.Bytes(in)),
			fmt.Sprintf("set its max.message.bytes to at least %d", in))
	}
}

// recentMessages is how many of the input's newest messages are looked at.
const recentMessages = 5

// recent reads the newest messages of the input and understands them as the worker would.
func (c *checking) recent(ctx context.Context, k *Check) {
	if !c.topics[c.cfg.Topics.Input].Exists {
		k.skip(fmt.Sprintf("topic %q is not there, or cannot be seen", c.cfg.Topics.Input))
		return
	}
	messages, err := c.client.Latest(ctx, c.cfg.Topics.Input, recentMessages)
	switch {
	case errors.Is(err, consumer.ErrAuthorization):
		k.skip("rights failed")
		return
	case err != nil:
		k.wrong(err, "look into the broker's log")
		return
	}
	c.messages = messages
	reader, err := pipeline.NewInputReader(c.cfg)
	if err != nil {
		k.wrong(err, "see docs/mapping.md")
		return
	}
	bad := 0
	for _, rec := range c.messages {
		text, err := c.understand(ctx, reader, rec)
		if err != nil {
			bad++
			text = "✗ " + err.Error()
		}
		k.Lines = append(k.Lines, fmt.Sprintf("%s/%d@%d  %s", rec.Topic, rec.Partition, rec.Offset, text))
	}
	const remedy = "README.md, “Run it on your own photos”, shows what a reference looks like"
	switch {
	case len(c.messages) == 0:
		k.found("topic %s is empty", c.cfg.Topics.Input)
	case bad == len(c.messages):
		k.fail(pipeline.ErrConfig, fmt.Sprintf("none of the last %s of %s is a reference: each would be a dead letter", count(bad, "message"), c.cfg.Topics.Input), remedy)
	case bad > 0:
		k.warn(fmt.Sprintf("%d of the last %d messages would be dead letters", bad, len(c.messages)), remedy)
	default:
		k.found("the last %s of %s read as references", count(len(c.messages), "message"), c.cfg.Topics.Input)
	}
}

// understand is what the worker makes of a record of the input topic, in words: the one place where records become
// references here. The photos that are asked for are kept.
func (c *checking) understand(ctx context.Context, reader *pipeline.InputReader, rec consumer.Record) (string, error) {
	asked, err := reader.Read(ctx, rec)
	if err != nil {
		return "", err
	}
	if len(asked) == 0 {
		return "nothing, says input.map", nil
	}
	texts := make([]string, len(asked))
	for i, in := range asked {
		if texts[i], err = c.inWords(in); err != nil {
			return "", err
		}
	}
	return strings.Join(texts, "; "), nil
}

func (c *checking) inWords(in pipeline.Asked) (string, error) {
	ref := in.Reference
	switch {
	case in.Err != nil:
		return "", in.Err
	case in.Kind == pipeline.RemovedInput:
		return fmt.Sprintf("photo %s was removed", ref.PhotoID), nil
	case in.Kind == pipeline.AlbumCompleteInput:
		return fmt.Sprintf("album %s is complete", ref.Album), nil
	case ref.OptOut:
		return fmt.Sprintf("photo %s is not to be looked at", ref.PhotoID), nil
	}
	c.live = append(c.live, ref)
	text := fmt.Sprintf("photo s3://%s/%s", ref.Bucket, ref.Key)
	if ref.Album != "" {
		text += fmt.Sprintf(", album %q", ref.Album)
	}
	if !ref.TakenAt.IsZero() {
		text += ", taken " + ref.TakenAt.Format(time.RFC3339)
	}
	return text, nil
}

// number is a setting of a topic.
func number(settings map[string]string, name string) (int, bool) {
	n, err := strconv.Atoi(settings[name])
	return n, err == nil
}

func count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
