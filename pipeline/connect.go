package pipeline

import (
	"context"
	"fmt"
	"log/slog"

	"planetag/consumer"
)

// Connect reaches the brokers of a configuration and sees to the topics, for the commands that are not the worker. The
// caller closes the client.
func Connect(ctx context.Context, cfg Config, log *slog.Logger, topics []consumer.Topic) (*consumer.Client, error) {
	conf, err := cfg.ClientConfig(log, nil)
	if err != nil {
		return nil, err
	}
	client, err := consumer.NewClient(conf)
	if err != nil {
		return nil, err
	}
	if err = client.Ping(ctx); err != nil {
		err = fmt.Errorf("reach kafka: %w", err)
	} else if err = client.EnsureTopics(ctx, topics, cfg.Topics.Create); err != nil {
		err = fmt.Errorf("prepare topics: %w", err)
	}
	if err != nil {
		client.Close()
		return nil, err
	}
	return client, nil
}
