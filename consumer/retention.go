package consumer

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/describeconfigs"
)

// resourceTopic is the type of a topic in DescribeConfigs.
const resourceTopic = 2

// checkConfig compares the settings of a topic with what t needs of it.
func (c *Client) checkConfig(ctx context.Context, t Topic) error {
	if t.MinRetention <= 0 && !t.Internal {
		return nil
	}
	config, err := c.describeTopic(ctx, t.Name)
	if err != nil {
		return err
	}
	if size, err := strconv.ParseInt(config["retention.bytes"], 10, 64); t.MinRetention > 0 && err == nil && size >= 0 {
		c.cfg.Log.Warn("topic has a size limit, which may delete records before their time",
			"topic", t.Name, "retention.bytes", size)
	}
	return errors.Join(c.unfit(t, config)...)
}

// unfit is what is wrong with the settings of a topic.
func (c *Client) unfit(t Topic, config map[string]string) (errs []error) {
	alter := fmt.Sprintf("kafka-configs.sh --bootstrap-server %s --alter --entity-type topics --entity-name %s --add-config", c.cfg.Brokers[0], t.Name)
	if policy := config["cleanup.policy"]; t.Internal && policy != "delete" {
		errs = append(errs, &Problem{
			What:   fmt.Sprintf("topic %q has cleanup.policy=%s, which would remove records that are still needed", t.Name, policy),
			Remedy: fmt.Sprintf("run `%s cleanup.policy=delete`", alter),
		})
	}
	if ms, err := strconv.ParseInt(config["retention.ms"], 10, 64); t.MinRetention > 0 && err == nil && ms >= 0 && ms < t.MinRetention.Milliseconds() {
		errs = append(errs, &Problem{
			What:   fmt.Sprintf("topic %q keeps records for %v, at least %v is needed", t.Name, time.Duration(ms)*time.Millisecond, t.MinRetention),
			Remedy: fmt.Sprintf("run `%s retention.ms=%d`", alter, t.MinRetention.Milliseconds()),
		})
	}
	return errs
}

func (c *Client) describeTopic(ctx context.Context, name string) (config map[string]string, err error) {
	what := attempt{what: fmt.Sprintf("read settings of topic %q", name), needs: []right{onTopic("DescribeConfigs", name)}}
	err = c.persist(ctx, what, func(ctx context.Context) error {
		answer, err := call[*describeconfigs.Response](ctx, c, &describeconfigs.Request{
			Resources: []describeconfigs.RequestResource{{ResourceType: resourceTopic, ResourceName: name}},
		})
		if err != nil {
			return err
		}
		if len(answer.Resources) != 1 {
			return fmt.Errorf("answer to describe configs lacks its topic: %w", kafka.NetworkException)
		}
		config = make(map[string]string)
		for _, entry := range answer.Resources[0].ConfigEntries {
			config[entry.ConfigName] = entry.ConfigValue
		}
		return codeError(answer.Resources[0].ErrorCode)
	})
	return config, err
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
