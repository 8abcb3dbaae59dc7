package demo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
)

// keep leaves everything running until ctx ends, and says how to reach it.
func (s *show) keep(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "planetag-demo-")
	if err != nil {
		return fmt.Errorf("write a configuration of the embedded parts: %w", err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "planetag.yaml")
	c := s.Config
	text := fmt.Sprintf(`kafka:
  brokers: [%q]
topics:
  partitions: %d
s3:
  endpoint: %q
  bucket: %q
  access_key: %q
  secret_key: %q
`, c.Kafka.Brokers[0], c.Topics.Partitions, c.S3.Endpoint, c.S3.Bucket, accessKey, secretKey)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return fmt.Errorf("write a configuration of the embedded parts: %w", err)
	}
	s.screen.kept(c, path)
	<-ctx.Done()
	return nil
}
