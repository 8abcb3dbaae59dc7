package deadletters

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"time"

	"planetag/consumer"
	"planetag/pipeline"
)

// ErrOvertaken says that another replay of the same dead-letter topic has begun.
var ErrOvertaken = errors.New("another replay has taken over")

// Filter says which dead letters are put back. The zero value says all.
type Filter struct {
	Types        []string       // of the error, as in the header error.type
	Topic        string         // that the reference came from; "" = both topics of references
	After, Until time.Time      // when it died; zero = no bound
	Match        *regexp.Regexp // of the error's message; nil = any
}

// Options says what is replayed.
type Options struct {
	Config pipeline.Config
	Filter Filter
	Limit  int64 // at most so many, the oldest of each partition first; 0 = no limit
	DryRun bool
	Log    *slog.Logger
}

// Report is the outcome.
type Report struct {
	DryRun     bool              `json:"dry_run,omitempty"`
	Letters    int64             `json:"letters"`         // on the topic
	Replayed   int64             `json:"replayed"`        // of a dry run: would be
	Before     int64             `json:"replayed_before"` // match, and were put back by an earlier replay
	Unreadable int64             `json:"unreadable"`      // records that are no dead letters
	Types      map[string]int64  `json:"types"`           // of those replayed
	Example    map[string]string `json:"examples"`        // of each type the first message
}

// batch is how many dead letters one transaction puts back.
const batch = 500

// Run puts dead letters back. After any error, and after a kill, the same Options go on. Errors: ErrOvertaken, those of the
// brokers and of the configuration, ctx's.
func Run(ctx context.Context, o Options) (Report, error) {
	t := o.Config.Topics
	sources := slices.DeleteFunc([]string{t.Input, t.Backfill}, func(topic string) bool { return topic == "" })
	if o.Filter.Topic != "" && !slices.Contains(sources, o.Filter.Topic) {
		return Report{}, fmt.Errorf("%w: references come from %s, not from topic %q", pipeline.ErrConfig, strings.Join(sources, " and "), o.Filter.Topic)
	}
	topics := o.Config.ToolTopics([]string{t.DeadLetters}, sources)
	if o.DryRun { // which makes nothing
		topics = nil
	}
	client, err := pipeline.Connect(ctx, o.Config, o.Log, topics)
	if err != nil {
		return Report{}, err
	}
	defer client.Close()
	total := Report{DryRun: o.DryRun}
	for {
		r := &replay{Options: o, client: client, sources: sources, report: Report{DryRun: o.DryRun, Types: map[string]int64{}, Example: map[string]string{}}}
		err := r.run(ctx)
		r.report.Replayed += total.Replayed // of a start that lost its last transaction
		total = r.report
		switch {
		case errors.Is(err, consumer.ErrFenced):
			return total, fmt.Errorf("%w: %w", ErrOvertaken, err)
		case !errors.Is(err, consumer.ErrRestart) || ctx.Err() != nil:
			return total, err
		}
		o.Log.Warn("reading anew what was put back", "err", err)
	}
}

// replay is one start.
type replay struct {
	Options
	client  *consumer.Client
	writer  *consumer.Writer
	sources []string
	before  map[string]bool // keys on the state topic
	records []consumer.Record
	letters int64 // in records
	taken   int64
	report  Report
}

func (r *replay) run(ctx context.Context) (err error) {
	if !r.DryRun {
		if r.writer, err = r.client.NewWriter(ctx, r.Config.Kafka.Group+".replay/"+r.Config.Topics.DeadLetters); err != nil {
			return err
		}
	}
	if err := r.remember(ctx); err != nil {
		return err
	}
	_, err = r.client.Read(ctx, r.Config.Topics.DeadLetters, nil, func(rec consumer.Record) error {
		r.take(rec)
		if r.letters < batch {
			return nil
		}
		return r.commit(ctx)
	})
	if err != nil {
		return err
	}
	return r.commit(ctx)
}

// remember reads what was put back. A dry run may come before there is a state topic.
func (r *replay) remember(ctx context.Context) error {
	r.before = map[string]bool{}
	if r.DryRun {
		if there, err := r.client.Exists(ctx, r.Config.Topics.State); err != nil || !there {
			return err
		}
	}
	prefix := "replay/" + r.Config.Topics.DeadLetters + "/"
	_, err := r.client.Read(ctx, r.Config.Topics.State, nil, func(rec consumer.Record) error {
		if key := string(rec.Key); strings.HasPrefix(key, prefix) && rec.Value != nil {
			r.before[key] = true
		}
		return nil
	})
	return err
}

// take adds a dead letter to the transaction, if it is one of those to put back.
func (r *replay) take(rec consumer.Record) {
	r.report.Letters++
	d, err := pipeline.ParseDeadRecord(rec)
	if err != nil {
		r.report.Unreadable++
		return
	}
	if !r.Filter.takes(d, r.sources) {
		return
	}
	key := fmt.Sprintf("replay/%s/%d/%d", rec.Topic, rec.Partition, rec.Offset)
	if r.before[key] {
		r.report.Before++
		return
	}
	if r.Limit > 0 && r.taken >= r.Limit {
		return
	}
	r.taken++
	r.report.Types[d.Type]++
	if _, seen := r.report.Example[d.Type]; !seen {
		r.report.Example[d.Type] = d.Message
	}
	r.letters++
	if r.DryRun {
		return
	}
	back := d.Again()
	r.records = append(r.records, back, consumer.Record{
		Topic: r.Config.Topics.State, Partition: -1, Key: []byte(key), Value: fmt.Appendf(nil, `{"replayed":%q}`, time.Now().UTC().Format(time.RFC3339)),
	})
}

func (f Filter) takes(d pipeline.DeadRecord, sources []string) bool {
	switch {
	case !slices.Contains(sources, d.Original.Topic), f.Topic != "" && d.Original.Topic != f.Topic:
		return false
	case len(f.Types) > 0 && !slices.Contains(f.Types, d.Type):
		return false
	case !f.After.IsZero() && d.Time.Before(f.After), !f.Until.IsZero() && !d.Time.Before(f.Until):
		return false
	}
	return f.Match == nil || f.Match.MatchString(d.Message)
}

// commit puts back what was taken, in one transaction with the word that it was.
func (r *replay) commit(ctx context.Context) error {
	if !r.DryRun {
		if err := r.writer.Write(ctx, r.records); err != nil {
			return err
		}
	}
	r.report.Replayed += r.letters
	r.records, r.letters = r.records[:0], 0
	return nil
}
