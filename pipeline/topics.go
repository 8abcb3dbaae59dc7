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
	}
	return list
}
