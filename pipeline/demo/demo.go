package demo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"planetag/consumer"
	"planetag/pipeline"
)

// ErrSilent says that photos got no final answer in time.
var ErrSilent = errors.New("wait for answers")

// Options says what is shown.
type Options struct {
	Folder   string          // of photos; empty = the photos in the binary
	Config   pipeline.Config // attached: where everything is; else only what local takes of it is used
	Attach   bool            // use the broker, the store and the worker of Config instead of embedded ones
	Keep     bool            // leave everything running after the summary until ctx ends
	Colour   bool
	Patience time.Duration // without any new answer; 0 = one minute
	Log      *slog.Logger  // of the in-process worker
}

// show is one run of the demo.
type show struct {
	Options
	screen screen
	photos collection
	prefix string // of keys and albums: keeps attached runs apart
	client *consumer.Client
	store  *pipeline.Store
}

// Run shows the photos and returns what happened to them. Everything that a person reads goes to out. Errors are
// ErrFolder, ErrSilent, ctx's, and those of the parts, each naming its part.
func Run(ctx context.Context, o Options, out io.Writer) (Summary, error) {
	if o.Patience == 0 {
		o.Patience = time.Minute
	}
	photos, err := folder(o.Folder)
	if err != nil {
		return Summary{}, err
	}
	s := &show{Options: o, photos: photos, screen: screen{out: out, colour: o.Colour, width: width(photos.photos)}}
	if photos.skipped > 0 && o.Folder != "" {
		s.screen.printf("%d files are not photos by their names and were left out\n", photos.skipped)
	}
	if o.Attach {
		s.prefix = "demo-" + time.Now().UTC().Format("20060102-150405.000") + "/"
		return s.attached(ctx)
	}
	return s.embedded(ctx)
}

// attached shows the photos on somebody else's broker, store and worker.
func (s *show) attached(ctx context.Context) (Summary, error) {
	if s.Config.S3.Bucket == "" {
		return Summary{}, fmt.Errorf("%w: s3.bucket is empty: name the bucket that the demo may put photos into", pipeline.ErrConfig)
	}
	if err := s.connect(ctx); err != nil {
		return Summary{}, err
	}
	defer s.client.Close()
	if err := s.upload(ctx); err != nil {
		return Summary{}, err
	}
	sum, err := s.follow(ctx)
	if err != nil {
		return Summary{}, err
	}
	s.screen.summary(sum)
	return sum, nil
}

// connect reaches the broker and the store of the configuration, and makes topics and bucket.
func (s *show) connect(ctx context.Context) error {
	conf, err := s.Config.ClientConfig(s.Log, nil)
	if err != nil {
		return err
	}
	if s.client, err = consumer.NewClient(conf); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		s.client.Close()
		return err
	}
	return nil
}

func (s *show) prepare(ctx context.Context) (err error) {
	if err := s.client.Ping(ctx); err != nil {
		return fmt.Errorf("reach kafka: %w", err)
	}
	t := s.Config.Topics
	var topics []consumer.Topic
	for _, name := range []string{t.Input, t.Locations, t.DeadLetters} {
		topics = append(topics, consumer.Topic{Name: name, Partitions: t.Partitions, Replication: t.Replication})
	}
	if err := s.client.EnsureTopics(ctx, topics, t.Create); err != nil {
		return fmt.Errorf("prepare topics: %w", err)
	}
	s.screen.ticked("broker", fmt.Sprintf("%s  topics %s, %s, %s", s.Config.Kafka.Brokers[0], t.Input, t.Locations, t.DeadLetters))
	if s.store, err = pipeline.NewStore(s.Config.S3, s.Config.Photos.MaxObjectBytes); err != nil {
		return err
	}
	if err := s.store.MakeBucket(ctx, s.Config.S3.Bucket); err != nil {
		return fmt.Errorf("make bucket %s: %w", s.Config.S3.Bucket, err)
	}
	s.screen.ticked("S3", fmt.Sprintf("%s  bucket %s", s.Config.S3.Endpoint, s.Config.S3.Bucket))
	return nil
}

func width(photos []photo) int {
	const most = 44 // longer names push their own line only
	w := 0
	for _, p := range photos {
		w = max(w, len(p.file))
	}
	return min(w, most)
}
