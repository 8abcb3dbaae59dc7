package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/twmb/franz-go/pkg/kmsg"

	"planetag/pipeline"
)

// state is everything in the world that could change.
func (w *world) state() string {
	w.t.Helper()
	var b strings.Builder
	metadata := kmsg.NewMetadataRequest()
	topics, err := metadata.RequestWith(w.t.Context(), w.admin)
	if err != nil {
		w.t.Fatal(err)
	}
	slices.SortFunc(topics.Topics, func(a, b kmsg.MetadataResponseTopic) int { return strings.Compare(*a.Topic, *b.Topic) })
	for _, topic := range topics.Topics {
		fmt.Fprintf(&b, "topic %s of %d partitions", *topic.Topic, len(topic.Partitions))
		for p := range topic.Partitions {
			fmt.Fprintf(&b, " %d", w.end(*topic.Topic, int32(p)))
		}
		config := kmsg.NewDescribeConfigsRequest()
		resource := kmsg.NewDescribeConfigsRequestResource()
		resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, *topic.Topic
		config.Resources = append(config.Resources, resource)
		answer, err := config.RequestWith(w.t.Context(), w.admin)
		if err != nil {
			w.t.Fatal(err)
		}
		slices.SortFunc(answer.Resources[0].Configs, func(a, b kmsg.DescribeConfigsResponseResourceConfig) int { return strings.Compare(a.Name, b.Name) })
		for _, c := range answer.Resources[0].Configs {
			if c.Value != nil {
				fmt.Fprintf(&b, " %s=%s", c.Name, *c.Value)
			}
		}
		b.WriteString("\n")
	}
	groups := kmsg.NewListGroupsRequest()
	listed, err := groups.RequestWith(w.t.Context(), w.admin)
	if err != nil {
		w.t.Fatal(err)
	}
	transactions := kmsg.NewListTransactionsRequest()
	open, err := transactions.RequestWith(w.t.Context(), w.admin)
	if err != nil {
		w.t.Fatal(err)
	}
	fmt.Fprintf(&b, "groups %v\ntransactions %v\n", listed.Groups, open.TransactionStates)
	err = w.store.List(context.Background(), photos, "", "", func(o pipeline.Listed) error {
		fmt.Fprintf(&b, "object %s %s %v\n", o.Key, o.ETag, o.Modified)
		return nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	return b.String()
}

func (w *world) end(topic string, partition int32) int64 {
	w.t.Helper()
	request := kmsg.NewListOffsetsRequest()
	t, p := kmsg.NewListOffsetsRequestTopic(), kmsg.NewListOffsetsRequestTopicPartition()
	t.Topic, p.Partition, p.Timestamp = topic, partition, -1
	t.Partitions = append(t.Partitions, p)
	request.Topics = append(request.Topics, t)
	answer, err := request.RequestWith(w.t.Context(), w.admin)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.Topics[0].Partitions[0].Offset
}

// configure changes a setting of a topic.
func (w *world) configure(topic, name, value string) {
	w.t.Helper()
	request := kmsg.NewIncrementalAlterConfigsRequest()
	resource := kmsg.NewIncrementalAlterConfigsRequestResource()
	resource.ResourceType, resource.ResourceName = kmsg.ConfigResourceTypeTopic, topic
	c := kmsg.NewIncrementalAlterConfigsRequestResourceConfig()
	c.Name, c.Value = name, &value
	resource.Configs = append(resource.Configs, c)
	request.Resources = append(request.Resources, resource)
	answer, err := request.RequestWith(w.t.Context(), w.admin)
	if err != nil || answer.Resources[0].ErrorCode != 0 {
		w.t.Fatalf("set %s of %s: %v, %+v", name, topic, err, answer)
	}
}
