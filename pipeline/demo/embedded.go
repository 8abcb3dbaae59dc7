package demo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"planetag/consumer/devbroker"
	"planetag/enrich/bundle"
	"planetag/pipeline"
	"planetag/pipeline/devstore"
)

// embedded starts a broker, a store and the worker inside this process, shows the photos on them, and stops them again.
func (s *show) embedded(ctx context.Context) (Summary, error) {
	path, err := pipeline.FindBundle(s.Config.Bundle.Path)
	if err != nil {
		return Summary{}, err
	}
	b, err := bundle.Read(path)
	if err != nil {
		return Summary{}, err
	}
	broker, err := devbroker.Start(devbroker.Options{MinSession: sessionTimeout})
	if err != nil {
		return Summary{}, fmt.Errorf("start the embedded broker: %w", err)
	}
	defer broker.Close()
	// The worker starts beside the show and wants its bucket at once.
	store, err := devstore.Start(devstore.Options{AccessKey: accessKey, Buckets: []string{bucketName}})
	if err != nil {
		return Summary{}, fmt.Errorf("start the embedded S3: %w", err)
	}
	defer store.Close()
	if s.Config, err = local(ctx, s.Config, broker.Addr(), store.URL()); err != nil {
		return Summary{}, err
	}
	s.screen.ticked("config", "embedded parts on loopback only, for trying out; nothing is kept")
	return s.work(ctx, b)
}

const (
	// sessionTimeout is short because the demo has one member: nobody waits for a dead one.
	sessionTimeout = time.Second
	// The embedded store takes these keys and verifies no signature; they protect nothing and are no secret.
	accessKey, secretKey = "planetag", "planetag-demo"
	bucketName           = "photos"
)

// local points a configuration at the embedded parts. Bundle, batch, accelerator, decoder and album mode stay as they were asked for.
func local(ctx context.Context, cfg pipeline.Config, broker, store string) (pipeline.Config, error) {
	d := pipeline.DefaultConfig()
	d.Bundle, d.Batch, d.Accelerator, d.Decode, d.Albums.Mode = cfg.Bundle, cfg.Batch, cfg.Accelerator, cfg.Decode, cfg.Albums.Mode
	d.Kafka.Brokers, d.Kafka.SessionTimeout = []string{broker}, pipeline.Duration(sessionTimeout)
	d.Topics.Partitions = 2
	d.S3.Endpoint, d.S3.AccessKey, d.S3.SecretKey = store, accessKey, secretKey
	d.S3.Bucket, d.S3.GoneGrace = bucketName, 0
	d.Albums.Idle = pipeline.Duration(3 * time.Second)
	listen, err := freeAddress(ctx)
	d.HTTP.Listen = listen
	return d, err
}

func freeAddress(ctx context.Context) (string, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port on loopback: %w", err)
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// work runs the worker beside the show, and ends it when the show is over.
func (s *show) work(ctx context.Context, b *bundle.Bundle) (Summary, error) {
	started := time.Now()
	ctx, cancel := context.WithCancelCause(ctx)
	ended := make(chan error, 1)
	go func() { // awaited below
		err := pipeline.Run(ctx, s.Config, s.Log)
		cancel(errors.Join(errWorker, err)) // a worker that ended by itself ends the show
		ended <- err
	}()
	sum, err := s.perform(ctx, started, b)
	if err == nil && s.Keep {
		err = s.keep(ctx)
	}
	cancel(nil)
	working := <-ended
	if errors.Is(err, errWorker) || err == nil {
		err = working
	}
	return sum, err
}

var errWorker = errors.New("worker ended")

// perform is the show itself: checklist, photos, summary.
func (s *show) perform(ctx context.Context, started time.Time, b *bundle.Bundle) (Summary, error) {
	if err := s.connect(ctx); err != nil {
		return Summary{}, causeOf(ctx, err)
	}
	defer s.client.Close()
	if err := s.upload(ctx); err != nil {
		return Summary{}, causeOf(ctx, err)
	}
	page, err := s.ready(ctx)
	if err != nil {
		return Summary{}, err
	}
	m := b.Manifest
	took := time.Since(started)
	s.screen.ticked("ONNX Runtime", page.model["library"])
	s.screen.ticked("bundle", fmt.Sprintf("%s@%s  sha256 %.12s  golden photos reproduced", m.Name, m.Version, b.SHA256))
	s.screen.ticked("worker", fmt.Sprintf("ready after %.1f s, metrics on http://%s/metrics", took.Seconds(), s.Config.HTTP.Listen))
	sum, err := s.follow(ctx)
	if err != nil {
		return Summary{}, err
	}
	sum.StartSeconds, sum.Bundle = took.Seconds(), m.Name+"@"+m.Version
	if page, err = s.metrics(ctx); err != nil {
		return Summary{}, err
	}
	sum.Stages = page.stages
	s.screen.summary(sum)
	s.screen.closing(b, s.Folder == "")
	return sum, nil
}

// causeOf prefers the reason why ctx ended over the error that its end led to.
func causeOf(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}
