package demo

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"planetag/consumer"
)

// follow publishes the references and reads the answers until every photo has its final one.
func (s *show) follow(ctx context.Context) (Summary, error) {
	l := &ledger{sent: map[string]photo{}, settled: map[string]answer{}, albums: s.Config.Albums.Mode != "none"}
	for _, p := range s.photos.photos {
		l.sent[s.photoID(p)] = p
	}
	s.screen.printf("\n")
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	g, tailing := errgroup.WithContext(ctx)
	answers := make(chan answer)
	g.Go(func() error { return s.tail(tailing, s.Config.Topics.Locations, parseAnswer, answers) })
	g.Go(func() error { return s.tail(tailing, s.Config.Topics.DeadLetters, parseDead, answers) })
	started := time.Now()
	err := s.publish(ctx)
	if err == nil {
		err = s.settle(tailing, l, answers)
	}
	seconds := time.Since(started).Seconds()
	cancel()
	if tailed := g.Wait(); tailed != nil && !errors.Is(tailed, context.Canceled) {
		err = tailed // why the answers stopped coming
	}
	sum := l.summarise()
	sum.Seconds, sum.PhotosPerSecond = seconds, float64(len(l.settled))/seconds
	return sum, err
}

func parseDead(rec consumer.Record) (answer, error) { return parseDeadLetter(rec), nil }

// tail hands every record of a topic on as an answer.
func (s *show) tail(ctx context.Context, topic string, parse func(consumer.Record) (answer, error), answers chan<- answer) error {
	err := s.client.Tail(ctx, topic, func(rec consumer.Record) error {
		a, err := parse(rec)
		if err != nil {
			return err
		}
		select {
		case answers <- a:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	})
	if err != nil {
		return fmt.Errorf("follow topic %s: %w", topic, err)
	}
	return nil
}

// settle prints one line per photo as its final answer arrives.
func (s *show) settle(ctx context.Context, l *ledger, answers <-chan answer) error {
	patience := time.NewTimer(s.Patience)
	defer patience.Stop()
	for l.open() > 0 {
		select {
		case a := <-answers:
			if l.note(a) {
				s.screen.line(l.sent[a.PhotoID], a)
				patience.Reset(s.Patience)
			}
		case <-patience.C:
			return fmt.Errorf("%w: %d of %d photos have none after %v without a new one (%s); is a worker running? its log says why it waits",
				ErrSilent, l.open(), len(l.sent), s.Patience, strings.Join(l.missing(3), ", "))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}
