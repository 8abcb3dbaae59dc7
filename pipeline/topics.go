package pipeline

import (
	"fmt"
	"slices"
	"time"

	"planetag/consumer"
)

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
			list = append(list, c.backfillTopic("Read"))
		}
	}
	return list
}

// backfillTopic keeps its references until somebody deletes them: an archive may take longer than brokers keep records.
func (c Config) backfillTopic(uses ...string) consumer.Topic {
	return consumer.Topic{
		Name: c.Topics.Backfill, Partitions: c.Topics.Partitions, Replication: c.Topics.Replication, Uses: uses,
		Config: map[string]string{"retention.ms": "-1"},
	}
}

// ToolTopics is what backfill, replay and enqueue need: the topic on which they keep how far they are, and those that
// they write references to. Every key of the state topic is written again and again, so it is compacted.
func (c Config) ToolTopics(to ...string) []consumer.Topic {
	t := c.Topics
	list := []consumer.Topic{{
		Name: t.State, Partitions: 1, Replication: t.Replication, Uses: []string{"Read", "Write"},
		Config: map[string]string{"cleanup.policy": "compact"},
	}}
	for _, name := range to {
		if name == t.Backfill {
			list = append(list, c.backfillTopic("Write"))
			continue
		}
		list = append(list, consumer.Topic{Name: name, Partitions: t.Partitions, Replication: t.Replication, Uses: []string{"Write"}})
	}
	return list
}
