package backfill

import (
	"context"
	"fmt"
	"strings"
	"time"

	"planetag/consumer"
	"planetag/enrich/bundle"
	"planetag/pipeline"
)

// connect opens what is needed, cheapest mistakes first.
func (b *backfill) connect(ctx context.Context) (err error) {
	if b.bucket, b.prefix, err = archiveOf(b.Archive); err != nil {
		return err
	}
	b.Archive = "s3://" + b.bucket + "/" + b.prefix // one name, with or without the slash
	if b.Config.Topics.Backfill == "" {
		return fmt.Errorf("%w: topics.backfill is empty; name the topic that the workers read, too", pipeline.ErrConfig)
	}
	if _, err = b.Filter.compile(time.Now()); err != nil {
		return err
	}
	dir, err := pipeline.FindBundle(b.Config.Bundle.Path)
	if err != nil {
		return err
	}
	if b.bundle, err = bundle.Read(dir); err != nil {
		return err
	}
	if b.store, err = pipeline.NewStore(b.Config.S3, b.Config.Photos.MaxObjectBytes); err != nil {
		return err
	}
	if err = b.store.Ping(ctx, b.bucket); err != nil {
		return err
	}
	b.client, err = pipeline.Connect(ctx, b.Config, b.Log, b.topics())
	return err
}

func (b *backfill) topics() []consumer.Topic {
	t := b.Config.Topics
	if b.DryRun { // which makes nothing
		return nil
	}
	return b.Config.ToolTopics([]string{t.Locations, t.Embeddings, t.DeadLetters}, []string{t.Backfill})
}

// archiveOf reads s3://bucket/prefix.
func archiveOf(name string) (bucket, prefix string, err error) {
	rest, ok := strings.CutPrefix(name, "s3://")
	bucket, prefix, _ = strings.Cut(rest, "/")
	if !ok || bucket == "" {
		return "", "", fmt.Errorf("%w: %q is not s3://bucket/prefix", ErrArchive, name)
	}
	return bucket, prefix, nil
}
