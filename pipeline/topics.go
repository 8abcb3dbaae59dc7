package pipeline

import (
	"fmt"
	"slices"
	"time"

	"planetag/consumer"
)

// NeededTopics is what must be there before the worker reads its first record.
func (c Config) NeededTopics() []consumer.Topic { return c.topics() }

// topics is what must be there before the first record is read, and what its stages do with it. The number of partitions of the embeddings topic decides
// where an album lives, so it must never change; its records are state, so they must outlive any open album.
func (c Config) topics() []consumer.Topic {
	t := c.Topics
	plain := func(name string, uses ...string) consumer.Topic {
		return consumer.Topic{Name: name, Partitions: t.Partitions, Replication: t.Replication, Uses: uses}
	}
	uses := []string{"Write", "DescribeConfigs"}
	if slices.Contains(c.Stages, "albums") {
		uses = append(uses, "Read")
	}
	state := plain(t.Embeddings, uses...)
	state.Internal = true
	state.MinRetention = 2 * time.Duration(c.Albums.MaxAge+c.Albums.Linger)
	state.Config = map[string]string{
		"cleanup.policy": "delete", "retention.ms": fmt.Sprint(time.Duration(t.EmbeddingsRetention).Milliseconds()),
	}
	list := []consumer.Topic{state, plain(t.Locations, "Write"), plain(t.DeadLetters, "Write")}
	if slices.Contains(c.Stages, "photos") {
		list = append(list, plain(t.Input, "Read"))
		if t.Backfill != "" {
			list = append(list, c.backfillTopic())
		}
	}
	return list
}

// backfillTopic keeps its references until somebody deletes them: an archive may take longer than brokers keep records.
func (c Config) backfillTopic() consumer.Topic {
	return consumer.Topic{
		Name: c.Topics.Backfill, Partitions: c.Topics.Partitions, Replication: c.Topics.Replication, Uses: []string{"Read"},
		Config: map[string]string{"retention.ms": "-1"},
	}
}

// ToolTopics is what backfill, replay and enqueue need: the topic on which they keep how far they are, and those that
// they read and write. Every key of the state topic is written again and again, so it is compacted.
func (c Config) ToolTopics(read, write []string) []consumer.Topic {
	t := c.Topics
	list := []consumer.Topic{{
		Name: t.State, Partitions: 1, Replication: t.Replication, Uses: []string{"Read", "Write"},
		Config: map[string]string{"cleanup.policy": "compact"},
	}}
	c.Stages = []string{"photos", "albums"} // their topics, whatever this worker does
	known := c.topics()
	add := func(name, use string) {
		topic := consumer.Topic{Name: name, Partitions: t.Partitions, Replication: t.Replication}
		if i := slices.IndexFunc(known, func(k consumer.Topic) bool { return k.Name == name }); i >= 0 {
			topic = known[i]
		}
		topic.Uses, topic.Internal, topic.MinRetention = []string{use}, false, 0 // the workers look at these
		list = append(list, topic)
	}
	for _, name := range read {
		add(name, "Read")
	}
	for _, name := range write {
		add(name, "Write")
	}
	return list
}
